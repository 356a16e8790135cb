"""What is given back: a municipality's page and one for everybody, and that nobody can be picked out of them."""

import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector import giveback_store
from collector.clock import now_ms
from collector.db import open_engine, prepare_store, reading, writing
from collector.form_plan import Plan
from collector.forms.readability import fernandez_huerta
from collector.giveback_store import GivebackStore
from collector.lab.giveback import NO_PLACE, OTHERS, Counts, Told, advance, public_totals, tell
from collector.lab.small_groups import SmallGroups
from collector.lab.tables import tables_of
from collector.queries import plans, store
from collector.queries.audit import list_entries
from collector.queries.people import get_user, put_user
from collector.queries.records import Arrival, ingest
from collector.rooms.sense.suppression import Policy, Published, audit, recoverable
from collector.routes.giveback import day_of
from sync.records import canonical_bytes, read_record
from tests.lab.conftest import MOMENT_MS, PASSWORD, Lab, hashed

K = 5
MAYOR = "alcaldia@ejemplo.pa"


def answers_by_chance(chance: random.Random, times: int) -> Iterator[dict[str, dict[str, int]]]:
    """Give the counts of a question again and again while answers come in, in places and choices of all sizes."""
    places = {f"{number:04d}": chance.choice([0.1, 1, 3]) for number in range(chance.randint(1, 10))} | {NO_PLACE: 0.5}
    choices = {name: chance.choice([0.05, 1, 2]) for name in ["si", "no", "a_veces", "ns", ""][: chance.randint(2, 5)]}
    held: dict[str, Counter[str]] = {place: Counter() for place in places}
    for _ in range(times):
        for _ in range(chance.randint(1, 150)):
            place = chance.choices(list(places), list(places.values()))[0]
            held[place][chance.choices(list(choices), list(choices.values()))[0]] += 1
        yield {place: dict(counts) for place, counts in held.items()}


def as_published(told: Told) -> Published:
    return Published(tuple(told.rows), tuple(told.columns), told.counts, Policy(K, keeps_totals=True))


def each_told(times: int = 1) -> Iterator[tuple[Counts, Told]]:
    for seed in range(120):
        for counts in answers_by_chance(random.Random(seed), times):
            told = tell(counts, K)
            if told is not None:
                yield counts, told


def test_no_small_cell_of_any_table_can_be_worked_out() -> None:
    hidden = 0
    for _, told in each_told(2):
        if told.is_divided:
            hidden += sum(1 for _ in as_published(told).hidden())
            assert audit(as_published(told)) == []
    assert hidden > 300  # what is audited hides something


def test_hiding_the_small_cells_alone_is_not_enough() -> None:
    """The measure measures: with nothing but the small cells hidden the sums give some of them back."""
    found = 0
    for counts, told in each_told():
        cells = [
            [sum(counts[place].get(c, 0) for place in places for c in rows) for places in told.columns.values()]
            for rows in told.rows.values()
        ]
        shown = [[None if 0 < cell < K else cell for cell in line] + [sum(line)] for line in cells]
        sums = [sum(line[at] for line in cells) for at in range(len(told.columns))]
        naive = Published(
            tuple(told.rows), tuple(told.columns), (*map(tuple, shown), (*sums, sum(sums))), Policy(K)
        )  # fmt: skip
        found += len(recoverable(naive))
    assert found > 50


def test_every_number_that_is_told_speaks_of_enough_people() -> None:
    for counts, told in each_told():
        everybody = sum(sum(choices.values()) for choices in counts.values())
        assert told.n == everybody >= K
        for line in told.counts:
            assert all(count is None or count == 0 or count >= K for count in line)
        assert all(count >= 10 for count in public_totals(told).values())
        assert sum(public_totals(told).values()) in (0, everybody)


def test_two_releases_side_by_side_tell_of_no_few_people() -> None:
    """What changes between two releases, where both tell it, is nobody or at least k."""
    moved = stayed = 0
    for seed in range(60):
        told: Counts | None = None
        for counts in answers_by_chance(random.Random(seed), 6):
            following = advance(told, counts, K)
            before, after = tell(told or {}, K), tell(following, K)
            if before and after and told != following:
                moved += 1
                for change in shared_changes(before, after):
                    assert change == 0 or abs(change) >= K
            stayed += told == following
            told = following
    assert moved > 60 and stayed > 10


def shared_changes(before: Told, after: Told) -> Iterator[int]:
    for row, names in before.rows.items():
        if after.rows.get(row) != names:
            continue
        for column, places in before.columns.items():
            if after.columns.get(column) == places:
                old, new = before.column(column)[row], after.column(column)[row]
                if old is not None and new is not None:
                    yield new - old


def test_one_more_answer_changes_nothing_until_enough_came() -> None:
    first = {"0810": {"si": 40, "no": 30}, "0401": {"si": 20, "no": 25}}
    told = advance(None, first, K)
    assert told == first
    one_more = {"0810": {"si": 41, "no": 30}, "0401": {"si": 20, "no": 25}}
    assert advance(told, one_more, K) == first
    many_more = {"0810": {"si": 52, "no": 41}, "0401": {"si": 20, "no": 26}}
    assert advance(told, many_more, K) == {"0810": {"si": 52, "no": 41}, "0401": {"si": 20, "no": 25}}


def test_nothing_is_told_of_the_first_few_answers() -> None:
    assert advance(None, {"0810": {"si": 14, "no": 15}}, K) == {}
    assert tell({"0810": {"si": 2, "no": 1}}, K) is None


def test_small_municipalities_stand_together() -> None:
    told = tell({"0810": {"si": 40, "no": 30}, "0401": {"si": 2}, "0402": {"no": 4}, NO_PLACE: {"no": 9}}, K)
    assert told is not None
    assert told.column_of("0401") is None and told.column_of(NO_PLACE) is None
    assert told.columns[OTHERS] == ("", "0401", "0402")
    assert told.column_total(OTHERS) == 15


# --- on both databases


def test_both_databases_hand_out_the_same(make_database_url: Callable[..., str], tmp_path: Path, lab: Lab) -> None:
    engine = open_engine(make_database_url(tmp_path))
    prepare_store(engine)
    contents = [
        lab.answer(gusta="si" if n % 3 else "no", temas="agua", edad=str(20 + n % 7), lugar__municipio=place)
        for n in range(45)
        for place in ("0810", "0401")
    ]
    with writing(engine) as session:
        store.first_facts(session, "central")
        read = [read_record(canonical_bytes(each).decode()) for each in contents]
        ingest(session, [Arrival(r.id, r.sha256, r.body, r.kind, r.form, r.version) for r in read], MOMENT_MS)
    form = lab.node.app.state.forms.get("barrio", "1")
    assert form is not None
    columns = {column.key: column for column in tables_of([form]).columns}
    asked_for = [columns["gusta"]], [columns["lugar/municipio"]]
    told, groups = GivebackStore(engine), SmallGroups()
    given = told.given("barrio", *asked_for, MOMENT_MS, groups)
    assert given.lines[0].told.column("0810") == {"no": 15, "si": 30}
    numbers = told.numbers("barrio", [columns["edad"]], groups.shared, (), given)
    assert (numbers.records, numbers.entries["edad"]["n"]) == (90, 90)
    assert numbers.entries["edad"]["numbers"]["median"] == 23.0
    again = GivebackStore(engine)  # another process
    assert again.given("barrio", *asked_for, MOMENT_MS, groups) == given
    assert again.numbers("barrio", [columns["edad"]], groups.shared, (), given) == numbers
    engine.dispose()


def test_of_a_large_form_nobody_waits_for_new_counts(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    form = lab.node.app.state.forms.get("barrio", "1")
    assert form is not None
    columns = {column.key: column for column in tables_of([form]).columns}
    asked_for = [columns["gusta"]], [columns["lugar/municipio"]]
    told, groups = GivebackStore(lab.node.app.state.engine), SmallGroups()
    lab.put(*(lab.answer(gusta="si", lugar__municipio="0810") for _ in range(40)))
    first = told.given("barrio", *asked_for, MOMENT_MS, groups)
    monkeypatch.setattr("collector.giveback_store.AT_ONCE", 0)
    monkeypatch.setattr("collector.giveback_store.REST", 0)
    go_on, count = threading.Event(), giveback_store._count

    def slow_count(*given: Any) -> Any:
        assert go_on.wait(30)
        return count(*given)

    monkeypatch.setattr("collector.giveback_store._count", slow_count)
    lab.put(*(lab.answer(gusta="no", lugar__municipio="0810") for _ in range(40)))
    for _ in range(3):  # the thread is at it, once
        assert told.given("barrio", *asked_for, MOMENT_MS + 1, groups) == first
    assert [each.name for each in threading.enumerate()].count("giveback") == 1
    after_a_start = GivebackStore(lab.node.app.state.engine)
    assert after_a_start.given("barrio", *asked_for, MOMENT_MS + 1, groups).lines == first.lines
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "giveback":
            thread.join(30)
    last = told.given("barrio", *asked_for, MOMENT_MS + 2, groups)
    assert last.lines[0].told.column("0810") == {"no": 40, "si": 40}


# --- the pages


def test_the_first_count_of_a_large_form_is_waited_for_by_files_and_by_no_page(
    asked: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(asked, "gusta")
    monkeypatch.setattr("collector.giveback_store.AT_ONCE", 100)
    go_on, count = threading.Event(), giveback_store._count

    def slow_count(*given: Any) -> Any:
        assert go_on.wait(30)
        return count(*given)

    monkeypatch.setattr("collector.giveback_store._count", slow_count)
    for address in ("/publico/barrio", "/municipio", "/municipio/0810"):
        text = asked.browser.get(address).text
        assert "Se están contando las respuestas: Mi barrio" in text and "Todavía no hay" not in text
    threading.Timer(0.2, go_on.set).start()
    assert "barrio,gusta" in asked.browser.get("/municipio/0810.csv").text
    for address, said in (("/publico/barrio", "180 personas"), ("/municipio", "Alanje"), ("/municipio/0810", "120")):
        text = asked.browser.get(address).text
        assert said in text and "Se están contando" not in text


@pytest.fixture
def asked(open_lab: Lab) -> Lab:
    """Give a node where 120 people of San Miguelito and 60 of Alanje answered, and a mayor's account."""
    chance = random.Random(4)
    places = ["0810"] * 120 + ["0401"] * 60
    open_lab.put(
        *(
            open_lab.answer(
                lugar__municipio=place,
                gusta=chance.choice(["si", "no", "ns"]),
                temas=chance.choice(["agua", "luz agua"]),
                idea="Me llamo Ana y quiero agua",
            )
            for place in places
        )
    )
    with writing(open_lab.node.app.state.engine) as session:
        put_user(session, MAYOR, hashed(PASSWORD), MOMENT_MS, "municipality")
    return open_lab


@contextmanager
def mayor_of(lab: Lab, code: str) -> Iterator[httpx.Client]:
    with writing(lab.node.app.state.engine) as session:
        account = get_user(session, MAYOR)
        assert account is not None
        account.municipality = code
        session.add(account)
    with httpx.Client(base_url=lab.node.url, headers={"Accept": "text/html"}, timeout=30) as browser:
        assert browser.post("/lab/login", data={"email": MAYOR, "password": PASSWORD}).status_code == 303
        yield browser


def publish(lab: Lab, *questions: str) -> None:
    with writing(lab.node.app.state.engine) as session:
        plans.put_plan(session, "barrio", Plan(is_public=True, public=questions), now_ms())


def test_a_municipality_opens_its_page_and_takes_its_table_and_no_other(asked: Lab) -> None:
    with mayor_of(asked, "0810") as mayor:
        assert mayor.get("/municipio").headers["location"] == "/municipio/0810"
        own = mayor.get("/municipio/0810")
        assert own.status_code == 200 and "Lo que nos dijeron en San Miguelito" in own.text and "120" in own.text
        assert "¿Le gusta su barrio?" in own.text and "Me llamo Ana" not in own.text
        table = mayor.get("/municipio/0810.csv")
        assert table.status_code == 200 and "barrio,gusta" in table.text
        for address in ("/municipio/0401", "/municipio/0401.csv", "/lab", "/lab/forms/barrio", "/lab/records/x"):
            assert mayor.get(address).status_code == 403, address


def test_the_lab_sees_which_municipalities_have_a_page(asked: Lab) -> None:
    listed = asked.browser.get("/municipio")
    assert "San Miguelito" in listed.text and "Alanje" in listed.text
    assert asked.browser.get("/municipio/0000").status_code == 404


def test_taking_the_table_stands_in_the_audit(asked: Lab) -> None:
    asked.browser.get("/municipio/0810.csv")
    with reading(asked.node.app.state.engine) as session:
        assert [entry.subject for entry in list_entries(session, action="release")] == ["/municipio/0810"]


def test_the_municipality_says_what_it_will_do(asked: Lab) -> None:
    with mayor_of(asked, "0810") as mayor:
        assert mayor.post("/municipio/0810", data={"text": "  "}).status_code == 422
        assert mayor.post("/municipio/0810", data={"text": "Arreglar el parque en mayo"}).status_code == 303
        assert mayor.post("/municipio/0401", data={"text": "Otra cosa"}).status_code == 403
    assert "Arreglar el parque en mayo" in asked.browser.get("/municipio/0810").text


def test_a_second_tap_promises_it_once(asked: Lab) -> None:
    for text in ("Arreglar el parque", "Arreglar el parque", "Pintar la escuela"):
        assert asked.browser.post("/municipio/0810", data={"text": text}).status_code == 303
    assert asked.browser.get("/municipio/0810").text.count("Arreglar el parque") == 1


def test_a_form_that_asks_for_larger_groups_is_told_in_larger_groups(asked: Lab) -> None:
    publish(asked, "gusta", "temas")
    assert "menos de 10 personas" in asked.browser.get("/publico/barrio").text
    asked.publish(asked.xforms["1"].replace('version="1"', 'version="9" k_shared="70" k_public="200"'))
    page = asked.browser.get("/publico/barrio").text
    assert "¿Le gusta su barrio?" not in page  # 180 people in all
    assert "Todavía no hay nada que mostrar" in asked.browser.get("/municipio/0401").text  # 60 people


def test_the_day_of_the_numbers_is_that_of_the_clock_here() -> None:
    evening = 1_795_228_200_000  # 2026-11-21T02:30:00Z
    assert day_of(evening, timezone(timedelta(hours=-5))) == "2026-11-20"


def test_a_form_is_public_only_when_the_lab_says_so(asked: Lab) -> None:
    with httpx.Client(base_url=asked.node.url, headers={"Accept": "text/html"}) as anybody:
        assert anybody.get("/publico/barrio").status_code == 404
        assert "Mi barrio" not in anybody.get("/publico").text and "/publico" not in anybody.get("/").text
        publish(asked, "gusta", "temas")
        assert 'href="/publico"' in anybody.get("/").text
        assert "Mi barrio" in anybody.get("/publico").text
        shown = anybody.get("/publico/barrio").text
        assert "Contestaron 180 personas" in shown and "¿Le gusta su barrio?" in shown
        assert "Me llamo Ana" not in shown and "San Miguelito" not in shown
        publish(asked, "temas")
        assert "¿Le gusta su barrio?" not in anybody.get("/publico/barrio").text


def test_a_page_for_everybody_waits_for_enough_answers(asked: Lab) -> None:
    publish(asked, "gusta", "temas")
    before = asked.browser.get("/publico/barrio").text
    asked.put(asked.answer(gusta="si"))
    after = asked.browser.get("/publico/barrio").text
    assert "Contestaron 180 personas" in before and "Contestaron 180 personas" in after
    assert "Llegó 1 respuesta más" in after


def test_what_is_no_choice_of_the_form_is_never_shown(asked: Lab) -> None:
    asked.put(*(asked.answer(gusta="8-123-456") for _ in range(60)))
    publish(asked, "gusta", "temas")
    assert "8-123-456" not in asked.browser.get("/publico/barrio").text
    assert "8-123-456" not in asked.browser.get("/municipio/0810").text


def test_the_sheet_is_plain_spanish(asked: Lab) -> None:
    publish(asked, "gusta", "temas")
    for address in ("/municipio/0810", "/publico/barrio"):
        text = asked.browser.get(address).text.partition("<main")[2]
        said = re.findall(r"<p[^>]*>(.*?)</p>", text, re.DOTALL)
        plain = "\n".join(re.sub(r"<[^>]+>", " ", each) for each in said)
        score = fernandez_huerta(plain)
        assert score is not None and score >= 60, (address, score)
