"""A place chosen from the list stands beside the answers: the point stays empty, and a required one is not missing."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from collector.fill.page import Drawing
from collector.fill.page_json import fill_json
from collector.fill.words import Words
from collector.forms.check import check, check_by_filling
from collector.forms.flags import Flag
from collector.forms.listed import MAX_PLACE, labels_of, listed_text, places_of, put_places, with_places
from collector.forms.model import Form
from collector.forms.state import Filling
from collector.forms.submission_xml import to_xml
from collector.forms.xform import read_xform
from collector.territory import place_labels, provinces
from tests.forms.household import NOW
from tests.listed_form import listed_xform
from tests.node_js import runner

ROOT = Path(__file__).parent.parent.parent
POINT, WELL = "/data/punto", "/data/pozo/sitio"
LISTED = {"punto": {"code": "0810", "place": "Barrio X"}, "pozo[2]/sitio": {"code": "10"}}


@pytest.fixture(scope="module")
def form() -> Form:
    return read_xform(listed_xform())


def filled(form: Form) -> Filling:
    """Fill in two wells; the second one and the point are told by the list."""
    filling = Filling(form, NOW)
    (first,) = filling.rows_at("/data/pozo")
    second = filling.add_row("/data/pozo")
    filling.set("/data/pozo/nombre", "Uno", first)
    filling.set("/data/pozo/nombre", "Dos", second)
    filling.root.listed[POINT] = listed_text("0810", " Barrio  X\n")
    second.listed[WELL] = listed_text("10", "")
    return filling


def test_what_is_chosen_stands_beside_the_answers_and_no_point_is_made_of_it(form: Form) -> None:
    filling = filled(form)
    assert places_of(filling) == LISTED
    assert filling.answers() == {"pozo": [{"nombre": "Uno"}, {"nombre": "Dos"}]}
    assert not filling.relevant["/data/aqui"], "expressions see an empty point"


def test_a_required_point_is_there_by_list(form: Form) -> None:
    filling = Filling(form, NOW)
    assert filling.trouble(POINT) == "required"
    filling.root.listed[POINT] = "0810 Barrio X"
    assert filling.trouble(POINT) == ""


def test_what_is_put_away_comes_back_and_a_row_takes_its_place_along(form: Form) -> None:
    other = Filling(form, NOW)
    other.restore(json.loads(json.dumps(filled(form).dump())))
    assert places_of(other) == LISTED
    other.remove_row("/data/pozo", 0)
    assert places_of(other) == {"punto": LISTED["punto"], "pozo[1]/sitio": {"code": "10"}}


@pytest.mark.parametrize(
    "odd", ["x", "081", "0810  ", "0810 " + "x" * 201, 5, None, "0810 a\nb", "0810 \x00", "0810 a\ud800"]
)
def test_what_a_page_carries_is_taken_only_in_its_shape(form: Form, odd: object) -> None:
    filling = Filling(form, NOW)
    number = filling.program.numbers[POINT]
    filling.restore({"l": {str(number): odd, str(filling.program.numbers["/data/nota"]): "0810"}})
    assert places_of(filling) == {}


def test_a_record_is_put_back_into_a_page_to_correct_it(form: Form) -> None:
    filling = Filling(form, NOW)
    filling.fill({"pozo": [{"nombre": "Uno"}, {"nombre": "Dos"}]})
    put_places(filling, LISTED | {"nota": {"code": "0810"}, "pozo[9]/sitio": {"code": "0810"}, "punto/x": 3})
    assert places_of(filling) == LISTED
    put_places(filling, ["no"])
    assert places_of(filling) == LISTED


def test_a_name_without_a_code_says_nothing_and_a_long_one_is_cut() -> None:
    assert listed_text("", "Barrio X") == ""
    assert listed_text("08", "ñ" * 500) == "08 " + "ñ" * MAX_PLACE
    assert listed_text("08", "e\u0301\x00 \ud800") == "08 é"


# --- on the node


def flags(form: Form, places: object, answers: dict[str, Any] | None = None) -> list[Flag]:
    checked, filled_in = check(form, answers or {}, NOW), check_by_filling(form, answers or {}, NOW)
    assert checked == filled_in
    return with_places(form, checked.flags, places, place_labels())


def test_the_node_says_by_list_and_not_missing(form: Form) -> None:
    assert flags(form, None) == [Flag("punto", "required")]
    assert flags(form, {"punto": LISTED["punto"]}) == [Flag("punto", "place_listed", "0810 Barrio X")]
    assert flags(form, {"punto": {"code": "04"}}, {"punto": "8.9 -79.5"}) == []


@pytest.mark.parametrize(
    "odd", [{"punto": {"code": "9999"}}, {"punto": "0810"}, {"punto": {"place": "X"}}, {"punto": {"code": 810}}]
)
def test_a_place_that_is_in_no_list_leaves_the_point_missing(form: Form, odd: object) -> None:
    assert flags(form, odd) == [Flag("punto", "required"), Flag("punto", "place_unknown")]


def test_a_place_for_what_is_no_point_is_noticed(form: Form) -> None:
    required = Flag("punto", "required")
    assert flags(form, {"nota": {"code": "0810"}}) == [required, Flag("nota", "place_unknown")]
    assert flags(form, ["x"]) == [required, Flag("", "place_unknown")]
    assert flags(form, {"pozo[1]/sitio": {"code": "10"}}, {"pozo": [{}]}) == [required]


def test_the_xml_holds_no_place(form: Form) -> None:
    record = {"id": "0199" * 8, "answers": {"nota": "hola"}, "now": NOW}
    assert to_xml(form, record | {"places": LISTED}) == to_xml(form, record)


# --- the list


def test_two_districts_of_one_name_say_where_they_are() -> None:
    labels = place_labels()
    assert (labels["0503"], labels["0909"], labels["0808"]) == (
        "Santa Fe (Darién)",
        "Santa Fe (Veraguas)",
        "Panamá (Panamá)",
    )
    assert labels_of({"a": {"code": "0810", "place": "X"}, "b": {"code": "77"}}, labels) == {
        "a": "San Miguelito · X", "b": "77",
    }  # fmt: skip
    assert len(set(labels.values())) == len(labels)


def test_the_list_to_choose_from_holds_every_place_once_under_its_province() -> None:
    written = (ROOT / "collector/starter/territory.csv").read_text(encoding="utf-8")
    parents = {row["code"]: row["parent"] for row in csv.DictReader(io.StringIO(written))}
    offered = {province.place.code: {place.code for place in province.districts} for province in provinces()}
    assert set(offered) == {code for code, parent in parents.items() if not parent}
    for province, districts in offered.items():
        assert districts == {code for code, parent in parents.items() if parent == province}


# --- in the page

PAGE = """
import { createInterface } from 'node:readline';
import { open } from '%s';
import '%s';
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (;;) {
  const count = await lines.next();
  if (count.done) break;
  const { form, now } = JSON.parse((await lines.next()).value);
  const state = open(form, now, 'es');
  const at = (path) => form.nodes.findIndex((node) => node.P === path);
  const [point, repeat, well, name] = ['/data/punto', '/data/pozo', '/data/pozo/sitio', '/data/pozo/nombre'].map(at);
  const before = state.problem(point);
  const rows = state.root.rows[repeat];
  const second = state.addRow(repeat);
  state.set(name, 'Uno', rows[0]);
  state.set(name, 'Dos', second);
  state.list(point, '0810 Barrio X');
  state.list(well, '10', second);
  const kept = state.dump();
  const other = open(form, now, 'es');
  other.restore(JSON.parse(JSON.stringify(kept)));
  const said = [before, other.problem(point), other.answers(), other.places(), kept, other.relevant[at('/data/aqui')]];
  process.stdout.write(JSON.stringify(said) + '\\n');
}
"""


def test_the_page_holds_and_says_the_same_as_the_node(form: Form, tmp_path: Path) -> None:
    module = tmp_path / "page.mjs"
    scripts = (ROOT / "static/js").as_uri()
    module.write_text(PAGE % (f"{scripts}/rows.js", f"{scripts}/functions-rare.js"), encoding="utf-8")
    filling = Filling(form, NOW)
    words = Words(form, form.languages[0], {}, filling)
    list(Drawing(filling, words).everything())
    task = {"form": json.loads(fill_json(form, words, whole=True)), "now": NOW}
    (line,), broke = runner(str(module)).ask([json.dumps(task)])
    before, after, answers, places, kept, sees = json.loads(line)
    mine = filled(form)
    assert (broke, before, after, sees) == ("", "required", "", False)
    assert (answers, places) == (mine.answers(), places_of(mine))
    back = Filling(form, NOW)
    back.restore(kept)
    assert back.dump() == mine.dump()
