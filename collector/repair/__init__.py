"""What waits in quarantine: looked at, decided, checked again."""
