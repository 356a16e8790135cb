"""What looks odd in records is found on the node, said with its reason, and goes away with what it spoke of."""

import random
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pyxform.xls2xform import convert
from sqlalchemy import Engine

from collector.arrivals import Arrivals
from collector.clock import iso
from collector.db import open_engine, prepare_store, reading, writing
from collector.form_store import FormStore
from collector.lab.quality_profile import distance_km
from collector.quality_watch import QualityWatch
from collector.queries import quality as queries
from collector.queries import store
from collector.queries.records import ingest
from sync.records import new_salt, uuid7
from sync.statements import made, make_review, make_tombstone
from tests.lab.conftest import Lab
from tests.shared import put_empty_tables

MOMENT = 1_795_000_000_000
SOMEBODY = (8.98, -79.52)
FORM = """
| survey   |                    |           |               |
|          | type               | name      | label         |
|          | select_one lugares | municipio | ¿Dónde?       |
|          | integer            | edad      | ¿Cuántos años tiene? |
|          | integer            | telefono  | Su número de teléfono |
|          | geopoint           | punto     | El lugar      |
|          | select_one escala  | confia_1  | ¿En la junta? |
|          | select_one escala  | confia_2  | ¿En la alcaldía? |
|          | select_one escala  | confia_3  | ¿En la policía? |
|          | select_one escala  | confia_4  | ¿En la iglesia? |
|          | select_one escala  | confia_5  | ¿En la escuela? |
|          | select_one escala  | otra      | ¿Y en otra?   |
|          | text               | idea      | ¿Qué cambiaría? |
|          | begin repeat       | persona   | Persona       |
|          | text               | nombre    | ¿Cómo se llama? |
|          | end repeat         |           |               |
| choices  |                    |           |               |
|          | list_name          | name      | label         |
|          | lugares            | 0401      | Alanje        |
|          | lugares            | 0810      | San Miguelito |
|          | escala             | 1         | Nada          |
|          | escala             | 2         | Poco          |
|          | escala             | 3         | Mucho         |
| settings |                    |           |               |
|          | form_id            | version   |               |
|          | vida               | 1         |               |
"""
Found = dict[str, list[dict[str, str]]]


class Desk:
    """A store with the form, what looks at it, and a hand that gives answers."""

    def __init__(self, engine: Engine, xform: str) -> None:
        with writing(engine) as session:
            store.first_facts(session, "nodo")
        self.engine, self.chance, self.given = engine, random.Random(7), 0
        self.forms = FormStore(engine)
        self.forms.install(xform)
        self.watch = self.new_watch()

    def new_watch(self) -> QualityWatch:
        return QualityWatch(self.engine, self.forms, Arrivals(self.engine, self.forms))

    def put(self, seconds: int | None = None, minute: int | None = None, origin: str = "", **answers: Any) -> str:
        """Let somebody answer as people do, but for what is said; minutes apart unless `minute` says when."""
        self.given += 1
        end = MOMENT + (minute if minute is not None else self.given * 60) * 60_000
        length = self.chance.randint(150, 220) if seconds is None else seconds
        content = {
            "id": uuid7(MOMENT + self.given), "kind": "submission", "form": "vida", "version": "1",
            "form_sha": "0" * 16, "started": iso(end - length * 1000), "finished": iso(end), "lang": "es",
            "salt": new_salt(), "answers": self.usual() | answers,
        }  # fmt: skip
        with writing(self.engine) as session:
            ingest(session, [made(content)._replace(origin=origin)], end)
        return str(content["id"])

    def usual(self) -> dict[str, Any]:
        pick = self.chance.choice
        point = " ".join(f"{part + self.chance.uniform(-0.02, 0.02):.5f}" for part in SOMEBODY)
        return {
            "municipio": "0810", "edad": str(self.chance.randint(20, 60)), "punto": f"{point} 0 5",
            "telefono": str(60_000_000 + self.chance.randint(0, 999_999)),
            **{f"confia_{n}": pick("123") for n in range(1, 5)}, "confia_5": str(self.given % 3 + 1),
            "otra": pick("123"), "idea": f"Más luz en la calle {self.given}",
        }  # fmt: skip

    def look(self) -> Found:
        self.watch.finish()
        return self.kept()

    def kept(self) -> Found:
        with reading(self.engine) as session:
            noticed = queries.list_noticed(session, "", "", "", 1000)
        return {one.record_id: one.found for one in noticed}

    def say(self, *arrivals: Any) -> None:
        with writing(self.engine) as session:
            ingest(session, list(arrivals), MOMENT)


@cache
def vida() -> str:
    """Return the XForm."""
    return str(convert(FORM, validate=False, file_type=".md").xform)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    put_empty_tables(tmp_path / "collector.db")
    engine = open_engine(f"sqlite:///{tmp_path}/collector.db")
    prepare_store(engine)
    yield Desk(engine, vida())
    engine.dispose()


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """A form with forty usual answers."""
    for _ in range(40):
        desk.put()
    return desk


def kinds(found: Found, record_id: str) -> list[str]:
    return sorted(one["what"] for one in found.get(record_id, []))


# --- each rule


def test_usual_answers_are_not_odd(busy: Desk) -> None:
    assert {what for found in busy.look().values() for what in (one["what"] for one in found)} <= {"straight"}


def test_the_same_answers_twice_are_said_of_the_later_one(busy: Desk) -> None:
    answers = busy.usual()
    first, second = busy.put(**answers), busy.put(**answers)
    found = busy.look()
    assert {"what": "duplicate", "of": first} in found[second]
    assert "duplicate" not in kinds(found, first)


def test_another_point_or_municipality_does_not_hide_a_repetition(busy: Desk) -> None:
    answers = busy.usual()
    first = busy.put(**answers)
    second = busy.put(**answers | {"municipio": "0401", "punto": "8.99 -79.51 0 4"})
    assert {"what": "duplicate", "of": first} in busy.look()[second]


def test_rows_of_a_repeat_tell_records_apart(busy: Desk) -> None:
    answers = busy.usual()
    busy.put(**answers, persona=[{"nombre": "Ana"}])
    second = busy.put(**answers, persona=[{"nombre": "Luis"}])
    assert "duplicate" not in kinds(busy.look(), second)


def test_a_few_choices_alone_repeat_without_anybodys_doing(desk: Desk) -> None:
    few: dict[str, Any] = dict.fromkeys(desk.usual(), "") | {"otra": "1", "confia_1": "2", "edad": "30"}
    ids = [desk.put(**few) for _ in range(25)]
    found = desk.look()
    assert all("duplicate" not in kinds(found, record_id) for record_id in ids)


def test_almost_the_same_within_minutes_on_one_node_is_near(busy: Desk) -> None:
    answers = busy.usual() | {"otra": "1"}
    first = busy.put(minute=9000, origin="tableta", **answers)
    second = busy.put(minute=9004, origin="tableta", **answers | {"otra": "3"})
    unlike = busy.put(minute=9006, origin="tableta", **answers | {"otra": "2", "edad": "33", "idea": "Nada de eso"})
    elsewhere = busy.put(minute=9004, origin="otra", **answers | {"idea": "Otra"})
    later = busy.put(minute=9100, origin="tableta", **answers | {"idea": "Y otra"})
    found = busy.look()
    assert {"what": "near", "of": first, "minutes": "4"} in found[second]
    assert "near" not in [kind for one in (first, unlike, elsewhere, later) for kind in kinds(found, one)]


def test_a_third_of_the_usual_time_is_the_limit_of_a_speeder(busy: Desk) -> None:
    fast, slow = busy.put(seconds=40), busy.put(seconds=80)
    found = busy.look()
    (said,) = [one for one in found[fast] if one["what"] == "speeder"]
    assert said["seconds"] == "40"
    assert 150 <= int(said["median"]) <= 220
    assert "speeder" not in kinds(found, slow)


def test_fewer_than_twenty_answers_say_nothing_of_what_is_usual(desk: Desk) -> None:
    for _ in range(17):
        desk.put()
    odd = desk.put(seconds=3, edad="400")
    assert set(kinds(desk.look(), odd)) <= {"straight"}
    desk.put()
    desk.put()
    assert {"speeder", "outlier"} <= set(kinds(desk.look(), odd))  # the twentieth has everything looked at again


def test_one_choice_for_a_whole_block_is_said_with_its_length(busy: Desk) -> None:
    same: dict[str, Any] = dict.fromkeys((f"confia_{n}" for n in range(1, 6)), "2")
    straight, broken = busy.put(**same, otra="2"), busy.put(**same | {"confia_3": "1"})
    found = busy.look()
    assert {"what": "straight", "question": "confia_1", "questions": "6"} in found[straight]
    assert "straight" not in kinds(found, broken)


def test_a_point_far_from_the_others_of_its_municipality_is_said_in_tens_of_km(busy: Desk) -> None:
    far, close = busy.put(punto="8.43 -82.43 0 5"), busy.put(punto="9.2 -79.6 0 5")
    found = busy.look()
    (said,) = [one for one in found[far] if one["what"] == "far"]
    assert said == {"what": "far", "km": "330", "place": "0810"}
    assert "far" not in kinds(found, close)


def test_a_number_far_from_the_others_is_said_without_repeating_it(busy: Desk) -> None:
    odd, old = busy.put(edad="432"), busy.put(edad="70")
    found = busy.look()
    (said,) = [one for one in found[odd] if one["what"] == "outlier"]
    assert said["question"] == "edad"
    assert "432" not in str(found)
    assert "outlier" not in kinds(found, old)


def test_of_telephone_numbers_nobody_learns_what_is_usual(busy: Desk) -> None:
    assert "outlier" not in kinds(busy.look(), busy.put(telefono="1"))


def test_the_way_between_two_places_is_measured_over_the_ground() -> None:
    assert round(distance_km((8.98, -79.52), (8.43, -82.43))) == 326


# --- kept current


def test_looked_at_again_nothing_changes_and_nothing_is_written(busy: Desk) -> None:
    busy.put(edad="432")
    first = busy.look()
    assert busy.look() == first
    assert busy.watch.catch_up() == 0
    again = busy.new_watch()
    again.finish()
    assert busy.kept() == first


def test_a_reviewed_record_keeps_what_was_found(busy: Desk) -> None:
    answers = busy.usual()
    first, second = busy.put(**answers), busy.put(**answers)
    before = busy.look()
    busy.say(make_review(first, "approved", "ana@ejemplo.pa"), make_review(second, "approved", "ana@ejemplo.pa"))
    assert busy.look() == before


def test_what_was_found_leaves_with_an_erased_record_and_with_what_repeats_it(busy: Desk) -> None:
    answers = busy.usual()
    first, second = busy.put(**answers, seconds=5), busy.put(**answers)
    assert kinds(busy.look(), second) == ["duplicate"]
    busy.say(make_tombstone(first, "lab", "prueba"))
    found = busy.look()
    with reading(busy.engine) as session:
        assert queries.findings(session, first) == []
    assert kinds(found, second) == []


def test_a_piece_of_work_is_bounded_and_says_what_is_left(busy: Desk) -> None:
    assert busy.watch.catch_up(15) == 25
    assert busy.watch.catch_up(15) == 10
    assert busy.watch.catch_up(15) == 0


def test_somebody_who_comes_while_it_looks_does_not_wait(busy: Desk) -> None:
    with busy.watch._lock:
        assert busy.watch.catch_up() == 0
    assert busy.kept() == {}


def test_what_comes_through_the_sync_is_marked_before_anybody_asks(busy: Desk) -> None:
    answers = busy.usual()
    busy.put(**answers, origin="tableta")
    again = busy.put(**answers, origin="tableta")
    busy.watch.tick()
    until(lambda: kinds(busy.kept(), again) == ["duplicate"])


def test_a_tick_looks_only_where_something_came(busy: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    busy.watch.tick()
    until(lambda: not busy.watch._is_beside())
    begun: list[int] = []
    monkeypatch.setattr(busy.watch, "go_on", lambda: begun.append(1))
    busy.watch.tick()
    assert begun == []
    busy.put()
    busy.watch.tick()
    busy.watch.tick()
    assert begun == [1]


def test_a_tick_while_a_look_is_under_way_is_made_up_for(busy: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy.watch, "_is_beside", lambda: True)
    busy.watch.tick()
    monkeypatch.undo()
    assert busy.kept() == {} and busy.watch.catch_up(1) == 39
    busy.watch.tick()
    until(lambda: not busy.watch._is_beside())
    assert busy.watch.catch_up() == 0


# --- pages


def until(holds: Callable[[], bool]) -> None:
    """Wait for what a thread does beside."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_page_that_comes_while_it_looks_says_so_and_a_filter_says_what_it_hides(open_lab: Lab) -> None:
    get = open_lab.browser.get
    assert "desde las 20 respuestas" in get("/lab/calidad").text
    with open_lab.node.app.state.quality._lock:
        assert "Todavía se está mirando" in get("/lab/calidad").text
    page = get("/lab/calidad?tipo=speeder").text
    assert "No hay nada con ese filtro" in page and "Nada que mirar" not in page


def test_the_list_says_why_and_is_filtered(open_lab: Lab) -> None:
    chance = random.Random(3)
    for number in range(30):
        open_lab.put(open_lab.answer(edad=str(chance.randint(20, 60)), idea=f"Luces para la calle {number}"))
    (odd,) = open_lab.put(open_lab.answer(edad="500", idea="Luces para todas las calles"))
    page = open_lab.browser.get("/lab/calidad")
    assert page.status_code == 200
    assert f'href="/lab/records/{odd}"' in page.text
    assert "«¿Cuántos años tiene?» está muy lejos de lo usual" in page.text
    assert odd in open_lab.browser.get("/lab/calidad", params={"form": "barrio", "tipo": "outlier"}).text
    assert odd not in open_lab.browser.get("/lab/calidad", params={"tipo": "speeder"}).text
    assert odd not in open_lab.browser.get("/lab/calidad", params={"antes": odd}).text
    english = open_lab.browser.get("/lab/calidad", params={"lang": "en"}).text
    assert "is very far from what is usual" in english


def test_a_record_shows_what_is_odd_in_it_and_still_counts(open_lab: Lab) -> None:
    for number in range(30):
        open_lab.put(open_lab.answer(edad=str(20 + number), idea=f"Luces para la calle {number}"))
    (odd,) = open_lab.put(open_lab.answer(edad="500", idea="Luces para todas las calles"))
    assert "Número raro" in open_lab.browser.get(f"/lab/records/{odd}").text
    count = open_lab.node.app.state.arrivals.form_count("barrio")
    assert count is not None
    assert count.usable == 31
