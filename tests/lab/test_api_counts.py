"""Counts for programs: n and intervals for those who may see records, small groups hidden for the others."""

import random
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, cast

import httpx
import pytest
from fastapi import Request
from starlette.applications import Starlette

from collector.lab.charts import wilson
from collector.lab.giveback import OTHERS
from collector.routes.given_out import handed_out
from tests.lab.conftest import Lab
from tests.lab.test_api import client_of as client_of  # the fixture
from tests.lab.test_repeats import ANSWERS
from tests.lab.visitas import visitas_xml


def question(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(it for it in told["questions"] if it["name"] == name)
    return found


def of_app(app: Starlette) -> Request:
    """Return a request as far as the store of what is handed out asks for it."""
    scope = {"type": "http", "app": app, "method": "GET", "path": "/", "headers": [], "query_string": b""}
    return Request(cast(Any, scope))


def counts(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {row["value"]: row["count"] for row in question(told, name)["values"]}


def test_whoever_may_see_records_gets_every_number_with_its_interval(
    lab: Lab, client_of: Callable[..., httpx.Client]
) -> None:
    lab.put(*(lab.answer(gusta="si", temas="agua luz", edad=str(20 + n)) for n in range(9)))
    lab.put(lab.answer(gusta="no", temas="luz"), lab.answer(gusta="ns"), lab.answer(gusta="otra cosa"))
    told = client_of("records").get("/api/v1/forms/barrio/counts").json()
    assert (told["records"], told["k"]) == (12, 1)
    assert counts(told, "gusta") == {"si": 9, "no": 1, "ns": 1, "nr": 0, "otra cosa": 1}
    gusta = question(told, "gusta")
    low, high = wilson(9, 11)
    first = gusta["values"][0]
    assert (gusta["n"], first["share"], first["low"], first["high"]) == (
        11,
        pytest.approx(9 / 11, abs=1e-6),
        pytest.approx(low, abs=1e-6),
        pytest.approx(high, abs=1e-6),
    )
    assert [row["is_opinion"] for row in gusta["values"]] == [True, True, False, False, True]
    assert counts(told, "temas") == {"agua": 9, "luz": 10} and question(told, "temas")["n"] == 10
    assert question(told, "edad")["numbers"]["median"] == 24.0


def test_a_token_for_counts_sees_no_small_group(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    lab.put(*(lab.answer(gusta="si", temas="agua", edad=str(20 + n), idea="x") for n in range(20)))
    lab.put(*(lab.answer(gusta="no", temas="agua") for _ in range(8)), lab.answer(gusta="ns", temas="luz"))
    lab.put(lab.answer(gusta="mi nombre es Ana", temas="luz"))
    answer = client_of("aggregates").get("/api/v1/forms/barrio/counts")
    told = answer.json()
    assert (told["records"], told["k"]) == (30, 5)
    assert "Ana" not in answer.text
    # "ns" and who gave none are few: they stand together with "no", and one that nobody took looks the same
    assert counts(told, "gusta") == {"si": 20, "no": None, "ns": None, "nr": None}
    assert question(told, "gusta")["n"] is None
    assert counts(told, "temas") == {"agua": None, "luz": None}  # two took the one, all but two the other
    numbers = question(told, "edad")["numbers"]
    assert set(numbers) == {"low", "median", "high", "mean"} and question(told, "edad")["n"] == 20
    assert question(told, "idea")["n"] == 20


def test_of_few_records_nothing_is_told(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    lab.put(*(lab.answer(gusta="si") for _ in range(4)))
    told = client_of("aggregates").get("/api/v1/forms/barrio/counts").json()
    assert (told["records"], told["questions"]) == (None, [])


def test_rows_of_a_repeat_are_counted_by_row_and_not_for_a_token_for_counts(
    lab: Lab, client_of: Callable[..., httpx.Client]
) -> None:
    lab.publish(visitas_xml())
    lab.put(*(lab.record("visitas", ANSWERS) for _ in range(6)))
    whole = client_of("records").get("/api/v1/forms/visitas/counts").json()
    works = question(whole, "casa/persona/trabaja")
    assert (works["repeat"], works["n"], counts(whole, "casa/persona/trabaja")["si"]) == ("casa/persona", 6, 6)
    protected = client_of("aggregates").get("/api/v1/forms/visitas/counts").json()
    assert protected["records"] == 6 and not [it for it in protected["questions"] if it["repeat"]]


COUNTS = "/api/v1/forms/barrio/counts"


def test_a_token_for_counts_does_not_see_one_answer_arrive(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    lab.put(*(lab.answer(gusta=gusta, idea="x") for gusta, _ in product(("si", "no"), range(20))))
    counting, reading = client_of("aggregates"), client_of("records")
    before = counting.get(COUNTS)
    assert counts(before.json(), "gusta") == {"si": 20, "no": 20, "ns": 0, "nr": 0}
    lab.put(lab.answer(gusta="si", idea="x"))
    again = counting.get(COUNTS, headers={"If-None-Match": before.headers["etag"]})
    assert again.status_code == 304
    assert counts(reading.get(COUNTS).json(), "gusta")["si"] == 21
    lab.put(*(lab.answer(gusta="no", idea="x") for _ in range(10)), *(lab.answer(gusta="si") for _ in range(11)))
    told = counting.get(COUNTS).json()
    assert counts(told, "gusta") == {"si": 32, "no": 30, "ns": 0, "nr": 0}
    assert (told["records"], question(told, "gusta")["n"], question(told, "idea")["n"]) == (62, 62, 51)


def test_a_node_that_starts_again_tells_the_same_numbers(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    lab.put(*(lab.answer(gusta="si", edad=str(30 + n % 4)) for n in range(40)))
    counting = client_of("aggregates")
    before = counting.get(COUNTS).json()
    lab.put(lab.answer(gusta="no", edad="99"))
    del lab.node.app.state.giveback  # what the process remembered
    assert counting.get(COUNTS).json() == before
    assert question(before, "edad")["numbers"]["median"] == 31.5


def test_the_program_and_the_page_side_by_side_tell_no_more_than_the_page(
    lab: Lab, client_of: Callable[..., httpx.Client]
) -> None:
    """What a program is told of choices is what the tables behind the pages tell, at any time while answers come in."""
    chance = random.Random(11)
    counting, app = client_of("aggregates"), lab.node.app
    compared = 0
    for _ in range(12):
        gusta = ["si"] * 9 + ["no"] * 3 + ["ns", "nr", ""]
        lab.put(
            *(
                lab.answer(lugar__municipio=chance.choice(["0810", "0810", "0401"]), gusta=chance.choice(gusta))
                for _ in range(chance.randint(1, 40))
            )
        )
        told = counting.get(COUNTS).json()
        lines = handed_out(of_app(app), "barrio").given.lines
        for line in (each for each in lines if each.column.key == "gusta"):
            totals = line.told.totals()
            for name, count in counts(told, "gusta").items():
                assert count == totals.get(name, None if OTHERS in totals else 0)
                compared += count is not None
        places = counts(told, "lugar/municipio")
        on_pages = {name: line.told.column_total(name) for line in lines if line.told.is_divided
                    for name in line.told.columns if name not in (OTHERS, "")}  # fmt: skip
        assert {name for name, count in places.items() if count is not None} == set(on_pages)
    assert compared > 10


def test_a_form_that_asks_for_larger_groups_gets_them(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    lab.put(*(lab.answer(gusta="si") for _ in range(40)), *(lab.answer(gusta="no") for _ in range(12)))
    lab.put(*(lab.answer(gusta="ns") for _ in range(20)))
    assert counts(client_of("aggregates").get(COUNTS).json(), "gusta")["no"] == 12
    careful = lab.xforms["1"].replace('version="1"', 'version="3" k_shared="15"')
    assert careful != lab.xforms["1"]
    lab.publish(careful)
    told = client_of("aggregates").get(COUNTS).json()
    assert told["k"] == 15 and counts(told, "gusta") == {"si": 40, "no": None, "ns": None, "nr": None}
