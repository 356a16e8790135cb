"""Measures a node against bare endpoints on the same machine, in the same run: `python -m bench` (docs/bench.md)."""
