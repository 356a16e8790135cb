"""Collector: offline-first collection of citizen feedback. The web program; the protocol lives in `sync`."""

__version__ = "0.1.0"
