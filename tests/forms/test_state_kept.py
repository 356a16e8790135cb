"""What a form holds while it is filled in can be put away and put back: drafts, and pages without scripts."""

import json
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyxform.xls2xform import convert

from collector.forms.filling_rows import FillingRow
from collector.forms.state import MAX_ROWS, Filling
from collector.forms.xform import read_xform
from tests.forms.big_form import QUESTIONS, big_xform
from tests.forms.household import NOW, household
from tests.forms.test_check_rows import JSON

CHANCE = """
| survey |           |       |       |             |         |         |
|        | type      | name  | label | calculation | trigger | default |
|        | text      | a     | A     |             |         |         |
|        | calculate | azar  |       | uuid()      |         |         |
|        | text      | hecho | Hecho |             |         | concat('d', 'e') |
|        | calculate | sello |       | concat(${a}, '!') | ${a} |    |
"""


def kept_and_put_back(filling: Filling, into: Filling | None = None) -> Filling:
    """Put a filling away as JSON and return another one that holds it."""
    other = into or Filling(filling.form, NOW)
    other.restore(json.loads(json.dumps(filling.dump())))
    return other


def a_household() -> Filling:
    """Fill in a household: Ana with two visits, Eva with an answer that does not count for now."""
    filling = Filling(household(), NOW)
    filling.set("/data/casa", "Sol")
    (ana,) = filling.rows_at("/data/persona")
    eva = filling.add_row("/data/persona")
    for row, name, age in ((ana, "Ana", "31"), (eva, "Eva", "40")):
        filling.set("/data/persona/nombre", name, row)
        filling.set("/data/persona/edad", age, row)
        filling.set("/data/persona/visitas", "2", row)
    filling.set("/data/persona/visita/costo", "2.5", ana.rows["/data/persona/visita"][1])
    filling.set("/data/persona/edad", "4", eva)
    filling.set("/data/jefe", "Ana")
    return filling


def everything(row: FillingRow) -> Any:
    """Lay open what a row holds, relevant or not, and what takes part."""
    inside = {path: [everything(each) for each in rows] for path, rows in row.rows.items()}
    return dict(row.raw), dict(row.relevant), row.is_on, inside


def test_what_was_put_away_comes_back_with_its_rows() -> None:
    filling = a_household()
    other = kept_and_put_back(filling)
    assert everything(other.root) == everything(filling.root)
    assert other.answers() == filling.answers()
    assert [row["nombre"] for row in other.answers()["persona"]] == ["Ana", "Eva"]


def test_an_answer_that_does_not_count_now_counts_again_when_it_may() -> None:
    other = kept_and_put_back(a_household())
    _, eva = other.rows_at("/data/persona")
    assert not eva.relevant["/data/persona/visitas"]
    other.set("/data/persona/edad", "40", eva)
    assert eva.raw["/data/persona/visitas"] == "2"
    assert other.answers()["persona"][1]["visitas"] == "2"


def test_nodes_are_told_by_their_number_and_only_what_is_held_is_written() -> None:
    filling = Filling(household(), NOW)
    number = {path: str(place) for place, path in enumerate(household().nodes)}
    filling.remove_row("/data/persona", 0)
    filling.set("/data/casa", "Sol")
    assert filling.dump()["v"][number["/data/casa"]] == "Sol"
    assert "r" not in filling.dump()
    filling.add_row("/data/persona")
    (row,) = filling.dump()["r"][number["/data/persona"]]
    assert row["v"][number["/data/persona/nota"]] == "n1"
    assert number["/data/persona/nombre"] not in row["v"]


def test_putting_back_draws_no_chance_anew_and_sets_nothing_off() -> None:
    form = read_xform(str(convert(CHANCE, validate=False, file_type=".md").xform))
    filling = Filling(form, NOW)
    filling.set("/data/a", "x")
    filling.set("/data/hecho", "")
    filling.set("/data/sello", "mío")
    other = kept_and_put_back(filling)
    assert other.raw["/data/azar"] == filling.raw["/data/azar"] != ""
    assert (other.raw["/data/hecho"], other.raw["/data/sello"]) == ("", "mío")
    other.set("/data/a", "y")
    assert other.raw["/data/sello"] == "y!"


def test_what_stood_there_before_is_gone() -> None:
    other = kept_and_put_back(Filling(household(), NOW), into=a_household())
    assert "casa" not in other.answers()
    assert len(other.rows_at("/data/persona")) == 1


def test_more_rows_than_there_may_be_are_left_out() -> None:
    number = household().nodes.index("/data/persona")
    filling = Filling(household(), NOW)
    filling.restore({"r": {str(number): [{}] * (MAX_ROWS + 5)}})
    assert len(filling.rows_at("/data/persona")) == MAX_ROWS


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(["v", "r", "x"]), st.dictionaries(st.integers(-1, 20).map(str), JSON)) | JSON)
def test_what_is_not_of_its_shape_is_left_out(kept: Any) -> None:
    filling = Filling(household(), NOW)
    filling.restore(kept)
    again = kept_and_put_back(filling)
    assert everything(again.root) == everything(filling.root)


def test_a_form_of_300_questions_opens_in_less_than_5_ms_and_with_all_answers_in_10() -> None:
    form = read_xform(big_xform())
    answers = {f"q{number}": str(number % 7) for number in range(QUESTIONS)}

    def seconds(act: Callable[[], object]) -> float:
        spent = []
        for _ in range(20):
            began = time.process_time()
            act()
            spent.append(time.process_time() - began)
        return min(spent)

    assert seconds(lambda: Filling(form, NOW)) < 0.005
    assert seconds(lambda: Filling(form, NOW).fill(answers)) < 0.010
