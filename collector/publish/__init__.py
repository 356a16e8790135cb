"""A form from its file to the store: read in a worker, checked, kept."""
