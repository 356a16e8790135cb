"""The HTTP client that nodes call each other with. The list of certificates is read once a process: 85 ms each time."""

import ssl
from functools import cache

import httpx

SECONDS = 5.0


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def open_line(seconds: float = SECONDS) -> httpx.Client:
    """Return a client; who opens it closes it. seconds: to connect, and between two pieces of an answer."""
    return httpx.Client(verify=_certificates(), timeout=seconds)
