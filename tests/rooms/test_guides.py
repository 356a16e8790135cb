"""Guides as sheets: the three starter guides, and what is refused with its row and what to do."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from collector.forms.readers import read_sheets
from collector.forms.sheets import Sheets
from collector.room_guides import starter_guides
from collector.rooms.guide import (
    Guide,
    guide_from_json,
    segments_as_json,
    segments_from_json,
    steps_as_json,
    steps_from_json,
    text_in,
)
from collector.rooms.guide_sheet import guide_of, read_guide
from collector.rooms.refusals import SENTENCES, Refusal
from collector.rooms.room import room_of
from sync.records import canonical_bytes
from tests.rooms.making import Making

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "collector" / "starter_guides"
NAMES = ("confianza_grupo", "municipal", "plasticos")
TOOLS = ROOT / "tools"


def starter(name: str, ending: str = ".md") -> Guide:
    path = FOLDER / f"{name}{ending}"
    return guide_of(read_sheets(path.name, path.read_bytes()))


def tool(name: str = "make_starter_xlsx") -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_a_starter_guide_says_everything_in_both_languages(name: str) -> None:
    guide = starter(name)
    texts = [guide.title, *(step.label for step in guide.steps), *(step.hint for step in guide.steps if step.hint)]
    texts += [option.label for step in guide.steps for option in step.options]
    texts += [text for segment in guide.segments for text in (segment.label, *segment.values.values())]
    assert guide.name == name and len(texts) > 30
    assert not [text for text in texts if set(text) != {"es", "en"} or text["es"] == text["en"]]


@pytest.mark.parametrize("name", NAMES)
def test_the_spreadsheet_of_a_starter_guide_is_the_one_its_source_makes(name: str) -> None:
    assert starter(name, ".xlsx") == starter(name)
    made = tool()
    source = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert made.xlsx_bytes(made.workbook_of(source)) == (FOLDER / f"{name}.xlsx").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_json_of_a_starter_guide_is_what_its_source_makes_and_reads_as_the_same_guide(name: str) -> None:
    made = tool("make_guides_json").json_bytes(FOLDER / f"{name}.md")
    assert made == (FOLDER / f"{name}.json").read_bytes()
    assert guide_from_json(json.loads(made)) == starter(name) == starter_guides()[name]


def test_all_that_is_wrong_in_a_guide_is_told_at_once_each_thing_once() -> None:
    survey = (
        "| | pregunta | a | A | |\n| | score l | j | J | |\n| | score l | k | K | |\n| | dots z | d | | |\n"
        "| | prompt | a | B | |"
    )
    guide, refused = read_guide(sheets_of(survey, "| | l | x | X | 50 |\n| | l | y y | Y | 40 |", "mala guia | 1 | |"))
    assert guide is None
    told = [(refusal.code, str(refusal.values.get("row"))) for refusal in refused]
    assert told == [
        ("guide_type_unknown", "2"), ("guide_name_bad", "3 (choices)"), ("guide_label_missing", "5"),
        ("guide_name_twice", "6"), ("guide_name_bad", "2 (settings)"), ("guide_label_missing", "2 (settings)"),
    ]  # fmt: skip


def test_a_row_with_an_error_can_still_be_named_by_a_later_one() -> None:
    _, refused = read_guide(sheets_of("| | pregunta | ideas | A | |\n| | affinity | grupos | B | of=ideas |"))
    assert [refusal.code for refusal in refused] == ["guide_type_unknown"]


@pytest.mark.parametrize("name", NAMES)
def test_a_guide_travels_in_the_session_and_comes_out_the_same(name: str) -> None:
    guide = starter(name)
    told = {
        "title": "Sala",
        "guide": guide.name,
        "guide_version": guide.version,
        "steps": steps_as_json(guide),
        "segments": segments_as_json(guide.segments),
    }
    room = room_of([Making().make("session", told)])
    assert room.guide is not None
    assert (room.guide.steps, room.segments) == (guide.steps, guide.segments)
    assert (room.guide.name, room.guide.version) == (guide.name, guide.version)


@pytest.mark.parametrize("strange", [["frases"], {"frases": 1}, 3, None])
def test_a_session_whose_step_names_another_by_something_strange_is_refused_in_words(strange: object) -> None:
    step = {"name": "grupos", "type": "affinity", "label": {"es": "Grupos"}, "settings": {"of": strange}}
    with pytest.raises(Refusal):
        Making().make("session", {"title": "Sala", "steps": [step]})


def test_the_starter_guides_hold_what_their_boards_need() -> None:
    trust, municipal, plastics = (starter(name) for name in NAMES)
    kinds = {step.type for guide in (trust, municipal, plastics) for step in guide.steps}
    assert {"question", "statements", "triad", "dyad", "dots", "iceberg", "energy", "score", "affinity"} <= kinds
    rubric = plastics.step("jurado")
    assert rubric is not None and sum(option.weight for option in rubric.options) == 100
    assert (rubric.scale, rubric.min_judges, rubric.source) == ((0, 5), 3, "ideas")
    energy = municipal.step("energia")
    assert energy is not None and (energy.points, energy.minutes) == (10, 25)
    statements = trust.step("frases")
    assert statements is not None and statements.is_moderated_before


def sheet(survey: str, choices: str = "", settings: str = "guia | 1 | Guía") -> Guide:
    return guide_of(sheets_of(survey, choices, settings))


def sheets_of(survey: str, choices: str = "", settings: str = "guia | 1 | Guía |") -> Sheets:
    lines = ["| survey |", "| | type | name | label::Español (es) | parameters |", *survey.splitlines()]
    lines += ["| choices |", "| | list_name | name | label::Español (es) | weight |", *choices.splitlines()]
    lines += ["| settings |", "| | form_id | version | form_title::Español (es) |", f"| | {settings} |"]
    return read_sheets("guia.md", "\n".join(lines).encode())


AB = "| | l | a | A | 60 |\n| | l | b | B | 40 |"
WRONG = [
    ("guide_empty", "", "", ""),
    ("guide_type_unknown", "| | dance | a | A | |", "", ""),
    ("guide_text_long", f"| | prompt | a | {'A' * 201} | |", "", ""),
    ("guide_text_long", "| | dots l | a | A | |", f"| | l | a | {'A' * 201} | |", ""),
    ("guide_name_missing", "| | prompt | | A | |", "", ""),
    ("guide_name_bad", "| | prompt | a b | A | |", "", ""),
    ("guide_name_twice", "| | prompt | a | A | |\n| | prompt | a | B | |", "", ""),
    ("guide_name_twice", "| | dots l | d | D | |", "| | l | a | A | |\n| | l | a | B | |", ""),
    ("guide_label_missing", "| | prompt | a | | |", "", ""),
    ("guide_label_missing", "| | prompt | a | A | |", "", "guia | 1 | |"),
    ("guide_list_missing", "| | dots | a | A | |", "", ""),
    ("guide_list_unknown", "| | dots z | a | A | |", AB, ""),
    ("guide_list_size", "| | triad l | a | A | |", AB, ""),
    ("guide_list_size", "| | prompt l | a | A | |", AB, ""),
    ("guide_weights", "| | score l | a | A | |", "| | l | a | A | 60 |\n| | l | b | B | 39 |", ""),
    ("guide_weight_bad", "| | score l | a | A | |", "| | l | a | A | 100 |\n| | l | b | B | |", ""),
    ("guide_weight_bad", "| | score l | a | A | |", "| | l | a | A | 60.5 |\n| | l | b | B | 39.5 |", ""),
    ("guide_parameter", "| | dots l | a | A | points=0 |", AB, ""),
    ("guide_parameter", "| | dots l | a | A | points=many |", AB, ""),
    ("guide_parameter", "| | dots l | a | A | colour=red |", AB, ""),
    ("guide_parameter", "| | dots l | a | A | ten points |", AB, ""),
    ("guide_parameter", "| | score l | a | A | least=5 most=5 |", AB, ""),
    ("guide_parameter", "| | affinity | a | A | of=later |\n| | statements | later | B | |", "", ""),
    ("guide_parameter", "| | statements | a | A | moderation=perhaps |", "", ""),
    ("guide_name_bad", "| | prompt | a | A | |", "", "mi guía | 1 | Guía"),
]


@pytest.mark.parametrize(("code", "survey", "choices", "settings"), WRONG)
def test_a_guide_that_cannot_be_run_is_refused_with_what_to_do(
    code: str, survey: str, choices: str, settings: str
) -> None:
    with pytest.raises(Refusal) as refused:
        sheet(survey, choices, settings or "guia | 1 | Guía")
    assert refused.value.code == code
    assert "{" not in refused.value.sentence("es") + refused.value.sentence("en")


def test_a_refusal_names_the_row_of_the_sheet() -> None:
    with pytest.raises(Refusal) as refused:
        sheet("| | prompt | a | A | |\n| | score l | jurado | J | |", "| | l | x | X | 50 |\n| | l | y | Y | 40 |")
    assert refused.value.sentence("es") == "Fila 3: los pesos de «jurado» suman 90 y deben sumar 100."


def test_a_refusal_of_another_sheet_names_that_sheet_too() -> None:
    with pytest.raises(Refusal) as refused:
        sheet("| | dots l | d | D | |", "| | l | a | A | |\n| | l | b | | |")
    assert refused.value.sentence("es") == "Fila 3 (choices): falta el texto de «b». Escríbalo en label::Español (es)."


def test_every_refusal_is_met_by_a_test() -> None:
    """The sentences that stand in a table of some test here or beside; a row nobody can meet would be dead words."""
    said = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.parent.glob("rooms*/test_*.py"))
    assert not [code for code in SENTENCES if f'"{code}"' not in said]


def test_rows_switched_off_and_columns_without_a_language_are_read_as_in_forms() -> None:
    text = (
        "| survey |\n| | type | name | label | disabled |\n| | prompt | a | Hola | |\n| | prompt | b | No | yes |\n"
        "| settings |\n| | form_id | form_title |\n| | g | Guía |"
    )
    guide = guide_of(read_sheets("g.md", text.encode()))
    assert [(step.name, dict(step.label)) for step in guide.steps] == [("a", {"es": "Hola"})]
    assert (guide.version, text_in(guide.title, "en")) == ("1", "Guía")


def test_json_of_segments_keeps_their_order_though_a_record_sorts_its_keys() -> None:
    read = segments_from_json(json.loads(canonical_bytes(segments_as_json(starter("confianza_grupo").segments))))
    assert [each.name for each in read] == ["origen", "generacion"]
    assert list(read[1].values) == ["joven", "adulta", "mayor"]
    assert read == starter("confianza_grupo").segments
    assert steps_from_json(steps_as_json(starter("plasticos"))) == starter("plasticos").steps
