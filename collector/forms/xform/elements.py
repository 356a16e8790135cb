"""Looking at XML elements by local name: XForms come with every prefix there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element  # only the type; parsing is defusedxml's

JR = "{http://openrosa.org/javarosa}"


@dataclass(frozen=True)
class Output:
    """A place in a text where an answer is shown: <output value="…"/>."""

    expression: str


Words = tuple[str | Output, ...]


def local(element: Element) -> str:
    """Return the tag without its namespace."""
    return element.tag.rpartition("}")[2]


def elements(element: Element | None) -> list[Element]:
    """List the child elements, without comments."""
    return [] if element is None else [item for item in element if isinstance(item.tag, str)]


def children(element: Element | None, *names: str) -> Iterator[Element]:
    """Give the children with one of these local names."""
    return (item for item in elements(element) if local(item) in names)


def child(element: Element | None, name: str) -> Element | None:
    """Return the first child with this local name."""
    return next(children(element, name), None)


def trimmed(element: Element | None) -> str:
    """Return the text of an element, trimmed; "" for none."""
    return "" if element is None else (element.text or "").strip()


def words_of(element: Element) -> Words:
    """Return a text with its outputs, trimmed at both ends."""
    parts = list(_parts(element))
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip()
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    return tuple(part for part in parts if part)


def _parts(element: Element) -> Iterator[str | Output]:
    yield element.text or ""
    for item in elements(element):
        if local(item) == "output":
            yield Output((item.get("value") or item.get("ref") or "").strip())
        else:
            yield from _parts(item)
        yield item.tail or ""


def node_name(element: Element) -> str:
    """Return the name of a node of the primary instance as paths write it: orx: is the one prefix they use."""
    return ("orx:" if "openrosa.org/xforms" in element.tag else "") + local(element)
