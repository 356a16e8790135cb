"""Copies of the store: made, proved by restoring them, noticed when two of them live."""
