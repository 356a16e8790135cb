"""The answers in a submission as ODK writes it: what tests read the XML of `to_xml` with, and compare it by."""

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from collector.forms.model import Form


def from_xml(form: Form, xml: str) -> dict[str, Any]:
    """Return the answers in a submission, with the blanks at their ends; what the form does not know is left out."""
    top = fromstring(xml)
    assert _local(top) == form.root.rpartition("/")[2], "a submission of another form"
    answers: dict[str, Any] = {}
    _Reader(form).read(top, form.root, answers)
    return answers


class _Reader:
    """Reads the nodes of a submission by the paths of its form."""

    def __init__(self, form: Form) -> None:
        self.questions = {question.path: question for question in form.questions}
        self.repeats = {repeat.path: repeat for repeat in form.repeats}
        self.known = {path.replace("orx:", ""): path for path in form.tree or (q.path for q in form.questions)}
        self.known |= {path: path for path in dict(self.known).values()}

    def read(self, element: Element, path: str, answers: dict[str, Any]) -> None:
        """Put everything inside a node into the answers of its row."""
        for inner, here in self._inside(element, path):
            if here in self.repeats:
                row: dict[str, Any] = {}
                self.read(inner, here, row)
                answers.setdefault(self.repeats[here].key, []).append(row)
            elif here in self.questions:
                self._keep(here, inner.text or "", answers)
            else:
                self.read(inner, here, answers)

    def _inside(self, element: Element, path: str) -> Iterator[tuple[Element, str]]:
        for inner in element:
            if isinstance(inner.tag, str):
                plain = f"{path}/{_local(inner)}"
                yield inner, self.known.get(f"{path}/orx:{_local(inner)}", plain)

    def _keep(self, path: str, text: str, answers: dict[str, Any]) -> None:
        question = self.questions[path]
        if text and question.type != "note":
            answers[question.key] = text


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
