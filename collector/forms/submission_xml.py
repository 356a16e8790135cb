"""A record as ODK writes it: answers -> submission XML.

The XML is made from the record alone, so that the same record always gives the same bytes: what is not relevant is
left out, templates too; what is relevant and empty stays as an empty element. Texts stay as they were recorded, with
the blanks at their ends; what is asked and relevant is settled as everywhere, without them.
"""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from collector.forms.filling_rows import FillingRow
from collector.forms.fitting import is_plain
from collector.forms.model import Form
from collector.forms.state import Filling

OPENROSA = "http://openrosa.org/xforms"
register_namespace("orx", OPENROSA)  # the prefix that ODK writes
CONTROLS = {number for number in range(32) if number not in (9, 10, 13)}
NOT_XML = dict.fromkeys(CONTROLS | {*range(0xD800, 0xE000), 0xFFFE, 0xFFFF})


def to_xml(form: Form, record: Mapping[str, Any]) -> str:
    """Return the submission XML of a record: {"id", "answers", …}.

    id becomes meta/instanceID ("uuid:…") where the form does not ask for that itself; "deprecated", if there, the id of
    the record that it replaces; "now" (epoch ms, offset minutes) and "lang" are those of the device, for what is
    relevant by the clock.
    """
    now = record.get("now") or (0, 0)
    filling = Filling(form, (now[0], now[1]), str(record.get("lang") or "es"), recorded=True, verbatim=True)
    answers = _mapping(record.get("answers"))
    filling.fill(answers)
    named = form.attributes.get(form.root) or {"id": form.form_id, "version": form.version}
    top = Element(form.root.rpartition("/")[2], dict(named))
    writer = _Writer(filling, record)
    writer.write(top, form.root, filling.root, answers)
    writer.close(top)
    # a reader of XML makes a line feed of a carriage return that stands for itself
    return tostring(top, encoding="unicode", short_empty_elements=True).replace("\r", "&#13;")


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


class _Writer:
    """Writes the nodes of a form in the order of its primary instance."""

    def __init__(self, filling: Filling, record: Mapping[str, Any]) -> None:
        self.filling = filling
        self.record = record
        self.below: dict[str, list[str]] = {}
        for path in filling.form.tree:
            self.below.setdefault(path.rpartition("/")[0], []).append(path)

    def write(self, element: Element, path: str, row: FillingRow, said: Mapping[str, Any]) -> None:
        """Write everything inside a node; `said`: the answers of its row as they are recorded."""
        for inner in self.below.get(path, ()):
            repeat = self.filling.program.repeats.get(inner)
            if repeat is not None:
                recorded = said.get(repeat.key) if row.rows[inner] else ()
                for each, answers in zip(row.rows[inner], recorded or (), strict=False):
                    if each.is_on:
                        self.write(self._add(element, inner), inner, each, _mapping(answers))
            elif row.relevant.get(inner, True):
                self._write_node(element, inner, row, said)

    def _write_node(self, element: Element, path: str, row: FillingRow, said: Mapping[str, Any]) -> None:
        made = self._add(element, path)
        if path in self.below:
            self.write(made, path, row, said)
            return
        text = self._text(path, row, said).translate(NOT_XML)
        is_id = path.endswith("/meta/instanceID") or path.endswith("/orx:meta/orx:instanceID")
        made.text = text or (instance_id(self.record) if is_id else None)

    def _text(self, path: str, row: FillingRow, said: Mapping[str, Any]) -> str:
        """Return what a node holds: as recorded; decimals and years as they are kept, so that others can read them."""
        question = self.filling.program.questions.get(path)
        if question is None or question.type == "note":
            return question.default if question is not None else ""
        answer = said.get(question.key)
        return answer if isinstance(answer, str) and is_plain(question) else row.raw[path]

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
