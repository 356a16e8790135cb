"""Pages of rooms over real HTTP."""
