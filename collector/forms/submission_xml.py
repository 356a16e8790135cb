"""A record as ODK writes it, both ways: answers -> submission XML, submission XML -> answers.

The XML is made from the record alone, so that the same record always gives the same bytes: what is not relevant is
left out, templates too; what is relevant and empty stays as an empty element.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, register_namespace, tostring

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

from collector.forms.filling_rows import FillingRow
from collector.forms.model import Form
from collector.forms.state import Filling

OPENROSA = "http://openrosa.org/xforms"
register_namespace("orx", OPENROSA)  # the prefix that ODK writes
NOT_XML = {number: None for number in range(32) if number not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}


def to_xml(form: Form, record: Mapping[str, Any]) -> str:
    """Return the submission XML of a record: {"id", "answers", …}.

    id becomes meta/instanceID ("uuid:…"); "deprecated", if there, the id of the record that it replaces; "now" (epoch
    ms, offset minutes) and "lang" are those of the device, for what is relevant by the clock.
    """
    now = record.get("now") or (0, 0)
    filling = Filling(form, (now[0], now[1]), str(record.get("lang") or "es"), recorded=True, verbatim=True)
    answers = record.get("answers")
    filling.fill(answers if isinstance(answers, Mapping) else {})
    named = form.attributes.get(form.root) or {"id": form.form_id, "version": form.version}
    top = Element(form.root.rpartition("/")[2], dict(named))
    writer = _Writer(filling, record)
    writer.write(top, form.root, filling.root)
    writer.close(top)
    return tostring(top, encoding="unicode", short_empty_elements=True)


class _Writer:
    """Writes the nodes of a form in the order of its primary instance."""

    def __init__(self, filling: Filling, record: Mapping[str, Any]) -> None:
        self.filling = filling
        self.record = record
        self.below: dict[str, list[str]] = {}
        for path in filling.form.tree:
            self.below.setdefault(path.rpartition("/")[0], []).append(path)

    def write(self, element: Element, path: str, row: FillingRow) -> None:
        """Write everything inside a node."""
        for inner in self.below.get(path, ()):
            repeat = self.filling.program.repeats.get(inner)
            if repeat is not None:
                for each in row.shown(repeat):
                    self.write(self._add(element, inner), inner, each)
            elif row.relevant.get(inner, True):
                self._write_node(element, inner, row)

    def _write_node(self, element: Element, path: str, row: FillingRow) -> None:
        made = self._add(element, path)
        if path in self.below:
            self.write(made, path, row)
        elif path.endswith("/meta/instanceID") or path.endswith("/orx:meta/orx:instanceID"):
            made.text = instance_id(self.record)
        else:
            question = self.filling.program.questions.get(path)
            is_shown = question is not None and question.type == "note"
            text = question.default if question is not None and is_shown else row.raw.get(path, "")
            made.text = text.translate(NOT_XML) or None

    def _add(self, element: Element, path: str) -> Element:
        name = path.rpartition("/")[2]
        attributes = dict(self.filling.form.attributes.get(path, {}))
        return SubElement(element, f"{{{OPENROSA}}}{name[4:]}" if name.startswith("orx:") else name, attributes)

    def close(self, top: Element) -> None:
        """Add the ids that the form itself does not ask for."""
        meta = next((each for each in top if each.tag.rpartition("}")[2] == "meta"), None)
        if meta is None and self.filling.form.tree and "deprecated" not in self.record:
            return
        if meta is None:
            meta = SubElement(top, "meta")
        if not any(each.tag.rpartition("}")[2] == "instanceID" for each in meta):
            SubElement(meta, "instanceID").text = instance_id(self.record)
        if self.record.get("deprecated"):
            SubElement(meta, "deprecatedID").text = _uuid(str(self.record["deprecated"]))


def instance_id(record: Mapping[str, Any]) -> str:
    """Return the id of a record as ODK writes it."""
    return _uuid(str(record.get("id") or ""))


def _uuid(text: str) -> str:
    return text if text.startswith("uuid:") else f"uuid:{text}"


# --- from XML


def from_xml(form: Form, xml: str) -> dict[str, Any]:
    """Return the answers in a submission; what the form does not know is left out.

    Raises ValueError when it is no XML or no submission of this form.
    """
    try:
        top = SafeXml.fromstring(xml.strip())
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ValueError(f"El XML no se puede leer: {error}") from error
    if _local(top) != form.root.rpartition("/")[2]:
        raise ValueError(f"El XML es de «{_local(top)}», no de «{form.root.rpartition('/')[2]}».")
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
                self._keep(here, (inner.text or "").strip(), answers)
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
