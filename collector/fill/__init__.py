"""The page a person fills: what it shows, what its scripts read, what a post brings back."""
