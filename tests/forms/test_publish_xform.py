"""An XForm that comes as XML is published with the same report: line, rule and path for sheet, row and column."""

import pytest

from collector.forms.model import form_from_json
from collector.forms.report import Finding
from collector.forms.state import Filling
from collector.publish.publishing import check_file
from tests.forms.household import household_xml
from tests.forms.sheet_findings import found_in, steps

HAND = """<?xml version="1.0" encoding="UTF-8"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
        xmlns:jr="http://openrosa.org/javarosa">
  <h:head>
    <h:title>Casa por casa</h:title>
    <model>
      <instance>
        <casa id="casa" version="7"><dueno/><cuartos/><grande/></casa>
      </instance>
      <bind nodeset="/casa/dueno" type="string" required="true()"/>
      <bind nodeset="/casa/cuartos" type="int" constraint=". &gt; 0" relevant="/casa/dueno != ''"/>
      <bind nodeset="/casa/grande" type="string" calculate="if(/casa/cuartos &gt; 3, 'si', 'no')"/>
    </model>
  </h:head>
  <h:body>
    <input ref="/casa/dueno"><label>¿Qué opina?</label></input>
    <input ref="/casa/cuartos"><label>¿Cuántos cuartos hay?</label></input>
  </h:body>
</h:html>
"""


def found(xml: str | bytes, **files: bytes) -> list[Finding]:
    """Return what is found in an XForm."""
    return found_in(steps(xml, "casa.xml", files))


def one(xml: str | bytes) -> Finding:
    """Return the one error."""
    (wrong,) = [finding for finding in found(xml) if finding.severity == "error"]
    return wrong


def test_an_xform_written_by_hand_is_published_as_it_is() -> None:
    checked = check_file("casa.xml", HAND.encode())
    assert checked.report.findings == () and checked.report.questions == 2
    assert checked.form is not None and (checked.form.form_id, checked.form.version) == ("casa", "7")
    assert checked.xform.strip() == HAND.partition("?>")[2].strip()
    filling = Filling(checked.form, (0, 0))
    filling.set("/casa/dueno", "Bien")
    filling.set("/casa/cuartos", "4")
    assert filling.raw["/casa/grande"] == "si"


def test_what_pyxform_writes_gives_the_same_form_as_the_spreadsheet() -> None:
    said = steps(household_xml(), "hogar.xml")[-1]
    assert form_from_json(said["form"]).form_id == "hogar" and said["version"] == "3"


@pytest.mark.parametrize(
    ("before", "after", "line", "column"),
    [
        ("if(/casa/cuartos &gt; 3", "foo(/casa/cuartos &gt; 3", 12, "calculation"),
        ('constraint=". &gt; 0"', 'constraint=". &gt;"', 11, "constraint"),
        ('relevant="/casa/dueno', 'relevant="/casa/nadie', 11, "relevant"),
        ('<input ref="/casa/cuartos">', '<input ref="/casa/otra">', 17, "type"),
    ],
)
def test_an_error_has_the_line_of_the_file_and_its_path(before: str, after: str, line: int, column: str) -> None:
    wrong = one(HAND.replace(before, after))
    assert (wrong.sheet, wrong.row, wrong.column) == ("xform", line, column)
    assert wrong.message.startswith("/casa/") and wrong.message_en.startswith("/casa/") and wrong.cell


def test_all_errors_are_said_at_once() -> None:
    wrong = HAND.replace("if(/casa", "foo(/casa").replace(". &gt; 0", ". &gt;")
    assert [finding.row for finding in found(wrong) if finding.severity == "error"] == [11, 12]


def test_an_entity_bomb_is_not_opened() -> None:
    layers = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE h [<!ENTITY a0 "ja">{layers}]>' + HAND.partition("?>")[2].replace("¿Qué opina?", "&a9;")
    assert one(bomb).code == "xform_dtd"


@pytest.mark.parametrize(
    ("xml", "code", "line"),
    [
        (HAND.replace("</h:body>", ""), "xform_unreadable", 19),
        ("<kml><Document/></kml>", "xform_none", 1),
        ("no soy xml", "xform_unreadable", 1),
        (HAND.replace(' id="casa"', ""), "xform_id_missing", None),
        (HAND.replace("UTF-8", "inventado"), "xform_unreadable", 1),
    ],
)
def test_a_file_that_is_no_xform_is_refused_in_words(xml: str, code: str, line: int | None) -> None:
    wrong = one(xml)
    assert (wrong.code, wrong.sheet, wrong.row) == (code, "xform", line) and wrong.hint and wrong.hint_en


def test_text_in_another_encoding_than_said_is_named_with_its_line() -> None:
    wrong = one(HAND.encode("latin-1"))
    assert (wrong.code, wrong.row) == ("encoding", 16)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_other_encodings_are_read_as_declared(encoding: str) -> None:
    content = HAND.replace("UTF-8", encoding).encode(encoding)
    form = form_from_json(steps(content, "casa.xml")[-1]["form"])
    assert form.question("/casa/dueno").label == {"": "¿Qué opina?"}


def test_prefixes_do_not_matter() -> None:
    assert found(HAND.replace("h:", "xhtml:").replace("xmlns:h=", "xmlns:xhtml=")) == []


@pytest.mark.parametrize("without", ['version="7"', 'version=""'])
def test_without_a_version_one_is_written_into_the_form(without: str) -> None:
    xml = HAND.replace(' version="7"', "" if without == 'version="7"' else f" {without}")
    checked = check_file("casa.xml", xml.encode())
    assert checked.form is not None and len(checked.form.version) == 10
    assert f'version="{checked.form.version}"' in checked.xform and 'version=""' not in checked.xform
    assert checked.form.attributes["/casa"]["version"] == checked.form.version == checked.report.version
    assert [finding.code for finding in checked.report.findings] == ["xform_version_missing"]


def test_a_missing_file_is_found_at_its_line_and_taken_when_it_is_there() -> None:
    xml = HAND.replace("</instance>\n", '</instance>\n      <instance id="l" src="jr://file-csv/l.csv"/>\n')
    wrong = one(xml)
    assert (wrong.code, wrong.row, wrong.cell) == ("file_missing", 10, "jr://file-csv/l.csv")
    said = steps(xml, "casa.xml", {"l.csv": b"name,label\na,A\n"})
    assert found_in(said) == [] and said[-1]["files"] == {"l.csv": "l.csv"}


LIST_FROM_FILE = """
    <select ref="/casa/dueno"><label>¿Quiénes?</label>
      <itemset nodeset="randomize(instance('gente')/root/item[casa = /casa/cuartos])">
        <label ref="nombre"/><value ref="codigo"/></itemset></select>"""

FROM_HERE = LIST_FROM_FILE.replace('"nombre"', '"./nombre"').replace('"codigo"', '"./codigo"')


def with_list(itemset: str = LIST_FROM_FILE) -> str:
    """Return the form with a question that offers the lines of gente.csv."""
    xml = HAND.replace("</instance>\n", '</instance>\n      <instance id="gente" src="jr://file-csv/gente.csv"/>\n')
    return xml.replace('<input ref="/casa/dueno"><label>¿Qué opina?</label></input>', itemset)


@pytest.mark.parametrize("itemset", [LIST_FROM_FILE, FROM_HERE], ids=["columns", "columns from here"])
@pytest.mark.parametrize(
    ("content", "code", "row", "column"),
    [
        (b"codigo,casa\na,1\n", "file_column_missing", 1, "nombre"),
        (b"nombre,casa\nAna,1\n", "file_column_missing", 1, "codigo"),
        (b"nombre,codigo,casa\nAna,,1\n", "file_value_missing", 2, "codigo"),
        (b"nombre,codigo,casa\nAna,a b,1\n", "file_value_space", 2, "codigo"),
    ],
)
def test_a_list_that_lacks_what_a_question_reads_of_it_is_refused_as_for_spreadsheets(
    content: bytes, code: str, row: int, column: str, itemset: str
) -> None:
    wrong = [one for one in found(with_list(itemset), **{"gente.csv": content}) if one.sheet == "gente.csv"]
    assert [(one.code, one.row, one.column) for one in wrong] == [(code, row, column)]


def test_a_list_with_all_that_is_read_of_it_is_taken() -> None:
    for itemset in (LIST_FROM_FILE, FROM_HERE):
        assert found(with_list(itemset), **{"gente.csv": b"nombre,codigo,casa\nAna,a,1\n"}) == []
    missing = one(with_list())
    assert (missing.code, missing.row, "celdas" in missing.message) == ("file_missing", 10, False)


def test_a_value_that_is_worked_out_asks_for_no_column() -> None:
    worked_out = LIST_FROM_FILE.replace('"codigo"', '"concat(codigo, casa)"')
    said = found(with_list(worked_out), **{"gente.csv": b"casa\n1\n"})
    assert [one.code for one in said if one.code.startswith("file_")] == []


def test_what_matters_to_people_is_said_of_xforms_too() -> None:
    hard = (
        "¿Considera usted que la implementación de mecanismos interinstitucionales de participación ciudadana "
        "contribuye significativamente a la consolidación de la gobernanza democrática territorial?"
    )
    xml = HAND.replace("¿Cuántos cuartos hay?", "Escriba su cédula").replace("¿Qué opina?", hard)
    xml = xml.replace("/casa/dueno != ''", "/casa/dueno").replace(". &gt; 0", "regex(., '[0-9]')")
    assert [(finding.code, finding.row) for finding in found(xml)] == [
        ("bare_condition", 11),
        ("regex_loose", 11),
        ("hard_to_read", 16),
        ("personal", 17),
    ]


def test_an_xform_that_asks_nothing_is_told_so() -> None:
    body = HAND.partition("<h:body>")[0] + "<h:body/></h:html>"
    assert [(finding.code, finding.severity) for finding in found(body)] == [("nothing_asked", "warning")]
