"""A form that comes as XForm XML: its text, its own checks, and where in the file each thing stands.

Pure. Findings have the sheet "xform", the line of the file as their row, the attribute or element as their column, and
name the path, since that is what people see who open such a file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element  # only the type; parsing is defusedxml's
from xml.parsers import expat

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

from collector.forms.attachments import Need, merged, need_of_address
from collector.forms.model import Form
from collector.forms.people import asks_by_name, asks_by_text
from collector.forms.readability import PLAIN, fernandez_huerta, is_spanish
from collector.forms.report import Finding, FormProblem, known_severity
from collector.forms.sentences import problem, say
from collector.forms.xform.elements import child, children, elements, local

SHEET = "xform"
DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
DECLARED = re.compile(rb"^\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
FIRST_ELEMENT = re.compile(r"(<(?:\w+:)?instance\b[^>]*>\s*(?:<!--.*?-->\s*)*<[\w:.\-]+)", re.S)
EMPTY_VERSION = re.compile(r"\sversion\s*=\s*([\"'])\s*\1")
INSTANCE = re.compile(r"instance\(\s*(['\"])([^'\"]+)\1\s*\)")
COLUMN = re.compile(r"(?:\./)?([^\W\d][\w.\-]*)")
RULES = frozenset({"relevant", "required", "readonly", "constraint", "calculation", "default"})


@dataclass(frozen=True)
class XFormFile:
    """The text of an XForm with what was found in it; `lines`: (path, whether a bind) -> line."""

    text: str
    findings: list[Finding] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    lines: Mapping[tuple[str, bool], int] = field(default_factory=dict)


def read_xform_file(content: bytes) -> XFormFile:
    """Return what can be known of the file before it is read as a form; with an error its text is not to be read."""
    try:
        text = _text(content)
        document = SafeXml.fromstring(text)
    except UnicodeDecodeError as error:
        return XFormFile("", [say("encoding", sheet=SHEET, row=content[: error.start].count(b"\n") + 1)])
    except SafeXml.ParseError as error:
        return XFormFile("", [say("xform_unreadable", sheet=SHEET, row=error.position[0], detail=str(error))])
    except DefusedXmlException:
        return XFormFile("", [say("xform_dtd", sheet=SHEET, row=1)])
    except (LookupError, ValueError, RecursionError) as error:
        return XFormFile("", [say("xform_unreadable", sheet=SHEET, row=1, detail=str(error)[:200])])
    model = child(child(document, "head"), "model")
    if model is None:
        return XFormFile("", [say("xform_none", sheet=SHEET, row=1, cell=local(document))])
    first = next((item for instance in children(model, "instance") for item in elements(instance)), None)
    lines = _lines(text)
    if first is not None and not (first.get("id") or "").strip():
        row = lines.get(("/" + local(first), False))
        return XFormFile(text, [say("xform_id_missing", sheet=SHEET, row=row, column="id", cell=local(first))])
    return XFormFile(text, [], list(_needs(document, text)), lines)


def _text(content: bytes) -> str:
    """Decode by mark or declaration, without the declaration: a text has no encoding any more."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _undeclared(content.decode("utf-16"))
    declared = DECLARED.match(content.removeprefix(b"\xef\xbb\xbf"))
    encoding = declared[1].decode() if declared else "utf-8"
    if encoding.lower() in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    return _undeclared(content.decode(encoding))


def _undeclared(text: str) -> str:
    """Leave the declaration out, but not its lines: those of the file count."""
    return DECLARATION.sub(lambda match: "\n" * match[0].count("\n"), text, count=1)


def with_version(text: str, version: str) -> str:
    """Return the XForm with a version on its instance, where it has none or an empty one."""
    found = FIRST_ELEMENT.search(text)
    if found is None:
        return text
    end = text.index(">", found.end())
    tag = EMPTY_VERSION.sub("", text[found.end() : end])
    return f'{text[: found.end()]} version="{version}"{tag}{text[end:]}'


def _needs(document: Element, text: str) -> Iterator[Need]:
    """Give the files that texts and instances name, each at the line of its address."""
    lists = {need.name: need for need in merged(_list_needs(document))}
    for need in merged(filter(None, map(need_of_address, _addresses(document)))):
        read = lists.get(need.name, need)
        row = text[: text.find(need.cell)].count("\n") + 1
        yield replace(need, row=row, columns=read.columns, is_multiple=read.is_multiple)


def _addresses(document: Element) -> Iterator[str]:
    for element in document.iter():
        if isinstance(element.tag, str):
            yield (element.get("src") if local(element) == "instance" else element.text) or ""


def _list_needs(document: Element) -> Iterator[Need]:
    """Give the file of each question that offers the items of one, with the columns it reads there."""
    sources = {instance.get("id"): instance.get("src") or "" for instance in _named(document, "instance")}
    for control in document.iter():
        for itemset in children(control, "itemset"):
            instance = INSTANCE.search(itemset.get("nodeset") or "")
            need = need_of_address(sources.get(instance[2], "") if instance else "")
            if need is not None and need.kind == "table":
                yield replace(need, columns=_columns(itemset), is_multiple=local(control) != "select1")


def _named(document: Element, name: str) -> Iterator[Element]:
    return (element for element in document.iter() if isinstance(element.tag, str) and local(element) == name)


def _columns(itemset: Element) -> tuple[str, ...]:
    """Return the columns of the value and the label, the value first; none where the value is worked out."""
    refs = [(element.get("ref") or "").strip() for name in ("value", "label") for element in children(itemset, name)]
    found = [COLUMN.fullmatch(ref) for ref in refs]
    return tuple(column[1] for column in found if column) if found and found[0] else ()


def _lines(text: str) -> dict[tuple[str, bool], int]:
    """Return (path, whether a bind) -> line of the element that names it first."""
    lines: dict[tuple[str, bool], int] = {}
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        path = attributes.get("nodeset") or attributes.get("ref") or ""
        if path and name.rpartition(":")[2] not in ("label", "hint", "value", "itemset"):
            lines.setdefault((path.strip(), name.rpartition(":")[2] == "bind"), parser.CurrentLineNumber)

    parser.StartElementHandler = start
    parser.Parse(text.encode(), True)
    return lines


def place_in_xform(found: FormProblem, file: XFormFile) -> Finding:
    """Return a problem of the form at its line of the file."""
    is_rule = found.property in RULES
    row = file.lines.get((found.path, is_rule), file.lines.get((found.path, not is_rule)))
    prefix = f"{found.path}: " if found.path else ""
    return Finding(
        known_severity(found.severity),
        SHEET,
        row,
        "" if found.property == "settings" else found.property,
        found.text or found.path,
        prefix + found.message,
        found.hint,
        prefix + (found.message_en or found.message),
        found.hint_en or found.hint,
        found.code,
    )


def people_problems(form: Form) -> Iterator[FormProblem]:
    """Give what the checks of the sheets say to people: personal data, and labels that are hard to read."""
    for question in form.questions:
        if question.type in ("note", "calculate"):
            continue
        what = asks_by_name(question.name, question.type)
        texts = asks_by_text(question.label.values(), question.type)
        found = what or (texts[1] if texts else None)
        if found:
            yield problem("personal", question.path, "label", name=question.name, what=found[0], what_en=found[1])
        for language, label in question.label.items():
            score = fernandez_huerta(label) if is_spanish(language, label) else None
            if score is not None and score < PLAIN:
                yield problem("hard_to_read", question.path, "label", score=round(score))
