"""Codes that start anew in each district: one record says which it means; records counted together do not."""

from typing import Any

import pytest

from collector.forms.xform import read_xform
from collector.lab.tables import Column, shown, tables_of
from collector.lab.whole_record import Answer, RecordReader, Rows
from tests.forms.test_scenarios_peers import asked, chosen, listed, repeated, xform

CODES = listed(
    "barrios",
    *(
        f"<item><name>{code}</name><label>{label}</label><distrito>{district}</distrito></item>"
        for district, code, label in (
            ("a", "1", "Centro"), ("b", "1", "Puerto"), ("c", "1", "Loma"), ("d", "1", "Playa"),
            ("a", "2", "Sur"), ("b", "2", "Sur"), ("a", "3", "Valle"), ("b", "3", "Cerro"),
        )
    ),
)  # fmt: skip
FORM = read_xform(
    xform(
        "<distrito/><barrio/><hijo><otro/><vive/></hijo>",
        asked("distrito")
        + chosen("barrio", "instance('barrios')/root/item[distrito = /data/distrito]")
        + repeated(
            "hijo",
            asked("hijo/otro") + chosen("hijo/vive", "instance('barrios')/root/item[distrito = current()/../otro]"),
        ),
        CODES,
    )
)


def read(answers: dict[str, Any]) -> dict[str, str]:
    """Return key -> words of what the page of one record says."""
    found: dict[str, str] = {}
    parts = RecordReader("").parts(tables_of([FORM]), answers)
    while parts:
        part = parts.pop()
        if isinstance(part, Rows):
            parts += [inner for row in part.rows for inner in row.parts]
        elif isinstance(part, Answer):
            found[part.key] = part.words
    return found


def test_a_record_shows_the_label_of_the_choice_that_its_answers_offered() -> None:
    rows = [{"otro": "c", "vive": "1"}, {"otro": "a", "vive": "1"}]
    words = read({"distrito": "b", "barrio": "1", "hijo": rows})
    assert words["barrio"] == "Puerto"
    assert (words["hijo[1]/vive"], words["hijo[2]/vive"]) == ("Loma", "Centro")


@pytest.mark.parametrize("answers", [{"barrio": "3"}, {"distrito": "z", "barrio": "3"}, {"hijo": "x", "barrio": "3"}])
def test_a_record_that_does_not_say_it_shows_all_that_the_code_can_mean(answers: dict[str, Any]) -> None:
    assert read(answers)["barrio"] == "Valle / Cerro"


@pytest.mark.parametrize(("code", "label"), [("1", "Centro / Puerto / Loma / …"), ("2", "Sur"), ("9", "9")])
def test_where_records_are_counted_together_a_code_shows_all_that_it_can_mean(code: str, label: str) -> None:
    (column,) = [part for part in tables_of([FORM]).parts if isinstance(part, Column) and part.key == "barrio"]
    assert shown(column, code, "") == label
