"""The address of a node as people type it."""

import re

import httpx

from collector.problems import PROBLEMS, ProblemError

HOST = re.compile(r"[\w.:-]+")  # letters of any language; the library takes more and fails when it connects


def whole_address(text: str) -> str:
    """Return the address with http:// where a person left it out. Raises ProblemError address_needed."""
    address = text if "://" in text else f"http://{text}"
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise ProblemError(PROBLEMS["address_needed"], url=text) from error
    is_web = url.scheme in ("http", "https") and (url.port is None or 0 < url.port < 65536)
    if not is_web or not HOST.fullmatch(url.host):
        raise ProblemError(PROBLEMS["address_needed"], url=text)
    return str(url.copy_with(query=None, fragment=None)).rstrip("/")
