"""What the text of an XForm says at its head, found without reading the form, and a text that says another version.

Pure. For forms that clients of ODK send: their bytes are kept as they came, and so is every letter but the version.
"""

import re
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr, unescape

_ROOT = re.compile(r"(<(?:[\w.-]+:)?instance\b[^>]*>\s*(?:<!--.*?-->\s*)*<[^\s/>]+)([^>]*?)(/?>)", re.S)
_VERSION = re.compile(r"\s(?:[\w.-]+:)?version\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ID = re.compile(r"\sid\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_TITLE = re.compile(r"<(?:[\w.-]+:)?title>([^<]*)<")
_QUOTES = {"&quot;": '"', "&apos;": "'"}


@dataclass(frozen=True)
class XFormHead:
    """The id, version and title of a form; "" for what it does not say."""

    form_id: str
    version: str
    title: str


def head_of(text: str) -> XFormHead:
    """Return what an XForm says at its head; nothing of what is no XForm."""
    root = _ROOT.search(text)
    attributes = root.group(2) if root else ""
    title = _TITLE.search(text)
    return XFormHead(_said(_ID, attributes), _said(_VERSION, attributes), unescape(title.group(1)) if title else "")


def _said(pattern: re.Pattern[str], attributes: str) -> str:
    match = pattern.search(attributes)
    return unescape(match.group(1) or match.group(2) or "", _QUOTES).strip() if match else ""


def with_version(text: str, version: str) -> str:
    """Return an XForm that says another version, and is otherwise the same to the letter."""

    def change(match: re.Match[str]) -> str:
        start, attributes, end = match.groups()
        return f"{start}{_VERSION.sub('', attributes)} version={quoteattr(version)}{end}"

    return _ROOT.sub(change, text, count=1)
