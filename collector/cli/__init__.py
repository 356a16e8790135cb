"""The command `collector`."""
