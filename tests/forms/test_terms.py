"""How long a node keeps what it received: the settings of a spreadsheet, and what they are in the published form."""

import pytest

from collector.forms.report import FormErrors
from collector.forms.submission_xml import to_xml
from collector.forms.terms import Terms, shortest, terms_of
from collector.forms.xform import read_xform
from tests.forms.sheet_findings import GOOD, SURVEY, codes, findings, form_of, table

MARKED = ((*SURVEY, "bind::privacy"), (*GOOD, ""), ("text", "nombre", "¿Cómo se llama?", "direct"))


def settings(direct: str, raw: str) -> str:
    names = ("form_id", "version", "retain_days_direct", "retain_days_raw")
    return table("settings", names, ("prueba", "2026112101", direct, raw))


@pytest.mark.parametrize(
    ("direct", "raw", "terms"),
    [("30", "365", Terms(30, 365)), ("30", "", Terms(30, 0)), ("", "90", Terms(0, 90)), ("90", "90", Terms(90, 90)),
     ("", "", Terms())],
)  # fmt: skip
def test_the_settings_are_the_terms_of_the_published_form(direct: str, raw: str, terms: Terms) -> None:
    assert terms_of(form_of(*MARKED, settings=settings(direct, raw))) == terms


@pytest.mark.parametrize("said", ["0", "-1", "1.5", "90 días", "un año", "1e3", "123456"])
@pytest.mark.parametrize("name", ["retain_days_direct", "retain_days_raw"])
def test_a_term_that_is_no_number_of_days_stops_publishing_at_its_cell(name: str, said: str) -> None:
    given = settings(said, "") if name == "retain_days_direct" else settings("", said)
    found = [finding for finding in findings(*MARKED, settings=given) if finding.severity == "error"]
    assert [(it.code, it.sheet, it.row, it.column, it.cell) for it in found] == [
        ("term_bad", "settings", 2, name, said)
    ]
    assert all(said in found[0].sentence(language) for language in ("es", "en"))


def test_direct_answers_cannot_be_kept_longer_than_the_whole() -> None:
    found = findings(*MARKED, settings=settings("91", "90"))
    assert codes(found, "error") == [("term_late", 2, "retain_days_direct")]


def test_a_term_for_direct_answers_that_no_question_is_marked_for_is_said() -> None:
    found = findings(SURVEY, GOOD, settings=settings("30", ""))
    assert [code for code, _, _ in codes(found)] == ["term_of_nothing"]
    assert "term_of_nothing" not in [code for code, _, _ in codes(findings(*MARKED, settings=settings("30", "")))]


def test_the_settings_are_known_and_no_other_finding_is_made_of_them() -> None:
    found = findings(*MARKED, settings=settings("30", "90"))
    assert [finding for finding in found if finding.sheet == "settings"] == []


@pytest.mark.parametrize("attributes", ['retain_days_raw="0"', 'retain_days_direct="9" retain_days_raw="8"'])
def test_an_xform_with_a_term_that_cannot_be_is_refused(attributes: str) -> None:
    xform = (
        '<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>x'
        f'</h:title><model><instance><data id="x" version="1" {attributes}><a/></data></instance>'
        '<bind nodeset="/data/a" type="string"/></model></h:head>'
        '<h:body><input ref="/data/a"><label>A</label></input></h:body></h:html>'
    )
    with pytest.raises(FormErrors) as refused:
        read_xform(xform)
    assert [problem.code for problem in refused.value.problems] in (["term_bad"], ["term_late"])


def test_a_submission_says_its_form_as_before() -> None:
    form = form_of(*MARKED, settings=settings("30", "90"))
    assert 'id="prueba"' in to_xml(form, {"id": "x", "answers": {}})


def test_of_several_terms_the_shortest_of_each_kind_holds() -> None:
    assert shortest([Terms(30, 0), Terms(10, 90), Terms(0, 60)]) == Terms(10, 60)
    assert shortest([]) == Terms()
