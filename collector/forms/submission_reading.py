"""A submission as ODK's clients send it: XML -> what it says of itself, and its answers by the paths of a form. Pure.

The contrary of submission_xml.py. What the form does not know is left out here: whoever keeps the record keeps the XML
beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element  # only the type; parsing is defusedxml's

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

from collector.forms.model import Form


@dataclass(frozen=True)
class Submission:
    """What a submission says of itself. instance: its instanceID; deprecated: that of the one it replaces, or ""."""

    form_id: str
    version: str
    instance: str
    deprecated: str
    root: Element


def read_submission(xml: bytes) -> Submission:
    """Read a submission. Raises ValueError for what is no XML; an id that is missing is ""."""
    try:
        root = SafeXml.fromstring(xml)
    except (SafeXml.ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise ValueError(str(error)[:200]) from error
    said = {name.rpartition("}")[2]: text for name, text in root.attrib.items()}
    meta = next((item for item in root if _local(item) == "meta"), None)
    ids = {_local(item): _text(item).strip() for item in (meta if meta is not None else ())}
    return Submission(
        said.get("id", "").strip(),
        said.get("version", "").strip(),
        ids.get("instanceID", ""),
        ids.get("deprecatedID", ""),
        root,
    )


def answers_in(form: Form, root: Element) -> dict[str, Any]:
    """Return the answers of a submission, every text as it was sent; a repeat gives a list of rows, empty ones too."""
    answers: dict[str, Any] = {}
    _Reader(form).read(root, form.root, answers)
    return answers


class _Reader:
    """Reads the nodes of a submission by the paths of its form; `orx:` may stand there or not."""

    def __init__(self, form: Form) -> None:
        self._questions = {question.path: question.key for question in form.questions}
        self._repeats = {repeat.path: repeat.key for repeat in form.repeats}
        self._known = {path.replace("/orx:", "/"): path for path in form.tree}

    def read(self, element: Element, path: str, answers: dict[str, Any]) -> None:
        """Put everything inside a node into the answers of its row."""
        for item, here in self._inside(element, path):
            if here in self._repeats:
                row: dict[str, Any] = {}
                self.read(item, here, row)
                answers.setdefault(self._repeats[here], []).append(row)
            elif here not in self._questions:
                self.read(item, here, answers)
            elif text := _text(item):
                key = self._questions[here]
                answers[key] = answers.get(key, "") + text

    def _inside(self, element: Element, path: str) -> Iterator[tuple[Element, str]]:
        plain = path.replace("/orx:", "/")
        for item in element:
            here = self._known.get(f"{plain}/{_local(item)}")
            if here is not None:
                yield item, here


def _text(element: Element) -> str:
    """Return the text of a leaf, whole: a comment inside it parts it in two."""
    return "".join([element.text or "", *(item.tail or "" for item in element)])


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
