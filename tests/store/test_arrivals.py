"""Counts kept at hand say what a full count says, whatever became of the records; and cost little to keep."""

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyxform.xls2xform import convert
from sqlalchemy import Engine, event

from collector.arrivals import Arrivals, by_place
from collector.clock import iso
from collector.db import open_engine, prepare_store, reading, writing
from collector.form_store import FormStore
from collector.lab.freshness import DAY_MS, answered_ms, day_of
from collector.queries import arrivals as queries
from collector.queries import lab as lab_queries
from collector.queries import store
from collector.queries.records import Arrival, ingest
from collector.queries.settling import object_of
from sync.records import new_salt, uuid7
from sync.statements import made, make_decision, make_review, make_tombstone
from tests.shared import put_empty_tables
from tests.stored import stored_records

MOMENT = 1_795_000_000_000
PLACES = ("0401", "0810", "0911", "Narnia")
FORM = """
| survey  |                     |           |        |
|         | type                | name      | label  |
|         | select_one lugares  | municipio | ¿Dónde? |
| choices |                     |           |        |
|         | list_name           | name      | label  |
|         | lugares             | 0401      | Alanje |
|         | lugares             | 0810      | San Miguelito |
|         | lugares             | 0911      | Soná   |
| settings |                    |           |        |
|         | form_id             | version   |        |
|         | {form}              | 1         |        |
"""


def xform(form: str) -> str:
    return str(convert(FORM.replace("{form}", form), validate=False, file_type=".md").xform)


XFORMS = {form: xform(form) for form in ("agua", "luz")}


def submission(number: int, form: str = "agua", place: str = "0810", **given: Any) -> dict[str, Any]:
    moment = MOMENT - number % 40 * DAY_MS - number
    return {
        "id": uuid7(MOMENT + number), "kind": "submission", "form": form, "version": "1", "form_sha": "0" * 16,
        "started": iso(moment), "finished": iso(moment), "lang": "es", "salt": new_salt(),
        "answers": {"municipio": place, "nota": str(number)},
    } | given  # fmt: skip


def keep(engine: Engine, *arrivals: Arrival, at: int = MOMENT) -> None:
    with writing(engine) as session:
        ingest(session, arrivals, at)


def begin(engine: Engine) -> FormStore:
    with writing(engine) as session:
        store.first_facts(session, "nodo")
    forms = FormStore(engine)
    for xml in XFORMS.values():
        forms.install(xml)
    return forms


def asserts_equal_counts(engine: Engine, arrivals: Arrivals) -> None:
    """Hold what is kept against what SQL counts, and the days against the records themselves."""
    with reading(engine) as session:
        forms, nodes = lab_queries.form_counts(session), lab_queries.node_counts(session)
        records = stored_records(session)
    kept = [one for one in arrivals.form_counts() if one.total or any(it.form == one.form for it in forms)]
    assert {one.form: one for one in kept} == {one.form: one for one in forms}
    assert {one.id: one for one in arrivals.node_counts({})} == {one.id: one for one in nodes}
    expected: Counter[tuple[str, str, int]] = Counter()
    for record in records:
        place = object_of(record.body).get("answers", {}).get("municipio", "")
        moment = answered_ms(record.device_ms, record.received_ms, record.skew_ms)
        known = place if place in PLACES[:3] and record.form in XFORMS else ""
        expected[record.form, known, day_of(moment, -300)] += 1
    days = by_place(arrivals.days(), {})
    assert {(*key, day): count for key, held in days.items() for day, count in held.items()} == dict(expected)


# --- any sequence of events

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(("new", "new", "edit", "erase", "rival", "use", "review", "moved", "count")),
        st.integers(0, 200),
        st.sampled_from(("agua", "luz", "sin publicar")),
        st.sampled_from(PLACES),
        st.sampled_from(("", "nodo-a", "nodo-b")),
    ),
    max_size=25,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS)
def test_counts_kept_at_hand_equal_a_full_recount_after_any_sequence(
    events: list[tuple[str, int, str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        put_empty_tables(Path(folder) / "collector.db")
        engine = open_engine(f"sqlite:///{folder}/collector.db")
        prepare_store(engine)
        arrivals = Arrivals(engine, begin(engine), None, lambda: -300)
        happen(engine, arrivals, events)
        asserts_equal_counts(engine, arrivals)
        asserts_equal_counts(engine, Arrivals(engine, FormStore(engine), None, lambda: -300))
        engine.dispose()


def happen(engine: Engine, arrivals: Arrivals, events: list[tuple[str, int, str, str, str]]) -> None:
    """Let each event happen to one of the records that are there."""
    held: list[dict[str, Any]] = []
    for number, (what, which, form, place, origin) in enumerate(events):
        of = held[which % len(held)] if held else None
        at = MOMENT + number * DAY_MS // 3
        if what == "new" or of is None:
            held.append(submission(which + number * 1000, form, place))
            keep(engine, made(held[-1])._replace(origin=origin), at=at)
        elif what == "count":
            arrivals.form_counts()
        else:
            keep(engine, said_of(what, of, place, number, held)._replace(origin=origin), at=at)


def said_of(what: str, of: dict[str, Any], place: str, number: int, held: list[dict[str, Any]]) -> Arrival:
    """Return the record by which something becomes of another one."""
    at_ms = MOMENT + number
    if what == "edit":
        held.append(submission(number, of["form"], place, kind="edit", replaces=of["id"]))
        return made(held[-1])
    if what == "rival":
        held.append(of | {"answers": {"municipio": place, "nota": f"otra {number}"}})
        return made(held[-1])
    if what in ("use", "moved"):
        form = "luz" if what == "moved" else ""
        return make_decision(of["id"], "use", made(of).sha256.hex(), "ana", form, "1" if form else "", at_ms)
    if what == "review":
        return make_review(of["id"], "approved", "ana@ejemplo.pa", at_ms=at_ms)
    return make_tombstone(of["id"], "lab", "prueba", at_ms)


# --- both databases


def test_an_erasure_an_edit_and_a_decision_lower_the_counts_again(make_store: Callable[..., Engine]) -> None:
    engine = make_store("central")
    arrivals = Arrivals(engine, begin(engine), None, lambda: -300)
    contents = [submission(number, "agua", PLACES[number % 3]) for number in range(30)]
    keep(engine, *map(made, contents))
    asserts_equal_counts(engine, arrivals)
    keep(engine, make_tombstone(contents[0]["id"], "lab", "prueba"))
    keep(engine, made(submission(3, "agua", "0911", kind="edit", replaces=contents[1]["id"])))
    rival = contents[2] | {"answers": {"municipio": "0911"}}
    keep(engine, made(rival))
    asserts_equal_counts(engine, arrivals)
    keep(engine, make_decision(rival["id"], "use", made(rival).sha256.hex(), "ana", "luz", "1"))
    asserts_equal_counts(engine, arrivals)
    count = arrivals.form_count("agua")
    assert count is not None
    assert (count.usable, count.erased) == (28, 1)


# --- restarts


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    put_empty_tables(tmp_path / "collector.db")
    engine = open_engine(f"sqlite:///{tmp_path}/collector.db")
    prepare_store(engine)
    return engine


def test_a_restart_reads_the_counts_from_the_file_and_only_the_rest_of_the_log(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.arrivals.SAVE_AFTER", 10)
    forms = begin(engine)
    keep(engine, *(made(submission(number)) for number in range(30)))
    Arrivals(engine, forms, tmp_path, lambda: -300).form_counts()
    keep(engine, made(submission(99, "luz", "0911")))
    read: list[int] = []
    pages = queries.changed_rows
    monkeypatch.delattr(queries, "rows_after")  # what reads the whole log

    def counted(*given: Any) -> Any:
        rows = pages(*given)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(queries, "changed_rows", counted)
    again = Arrivals(engine, forms, tmp_path, lambda: -300)
    asserts_equal_counts(engine, again)
    assert read == [1]


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"nada", b'{"mark": 3}\n12345678'])
def test_a_damaged_file_is_counted_anew(
    engine: Engine, tmp_path: Path, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.arrivals.SAVE_AFTER", 1)
    forms = begin(engine)
    keep(engine, *(made(submission(number)) for number in range(5)))
    Arrivals(engine, forms, tmp_path, lambda: -300).form_counts()
    file = tmp_path / "arrivals.bin"
    file.write_bytes(damage or file.read_bytes()[:-1])
    asserts_equal_counts(engine, Arrivals(engine, forms, tmp_path, lambda: -300))


def test_a_file_of_another_zone_or_of_another_epoch_is_not_read(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.arrivals.SAVE_AFTER", 1)
    forms = begin(engine)
    keep(engine, made(submission(1) | {"finished": iso(MOMENT - MOMENT % DAY_MS + 1000)}))
    days = [
        min(day for held in Arrivals(engine, forms, tmp_path, lambda o=offset: o).days().values() for day in held)  # type: ignore[misc]
        for offset in (-300, 0)
    ]
    assert days[1] == days[0] + 1
    with writing(engine) as session:
        store.set_fact(session, "epoch", "otra")
    asserts_equal_counts(engine, Arrivals(engine, forms, tmp_path, lambda: -300))


def test_what_was_erased_leaves_the_file_with_the_next_count(engine: Engine, tmp_path: Path) -> None:
    forms = begin(engine)
    content = submission(1, place="0911")
    keep(engine, made(content), made(submission(2, place="0401")))
    arrivals = Arrivals(engine, forms, tmp_path, lambda: -300)
    arrivals.form_counts()
    keep(engine, make_tombstone(content["id"], "lab", "prueba"))
    arrivals.form_counts()
    kept = Arrivals(engine, forms, tmp_path, lambda: -300)
    assert {place for _, _, place in kept.days()} == {"0401"}
    assert (tmp_path / "arrivals.bin").exists()


def test_a_form_that_is_published_later_brings_its_municipalities(engine: Engine) -> None:
    with writing(engine) as session:
        store.first_facts(session, "nodo")
    forms = FormStore(engine)
    arrivals = Arrivals(engine, forms, None, lambda: -300)
    keep(engine, made(submission(1, place="0911")))
    assert {place for _, _, place in arrivals.days()} == {""}
    forms.install(XFORMS["agua"])
    assert {place for _, _, place in arrivals.days()} == {"0911"}


def test_counting_beside_a_page_gives_the_same_in_the_end(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.arrivals.MOST_WAITED_FOR", 3)
    forms = begin(engine)
    keep(engine, *(made(submission(number)) for number in range(9)))
    arrivals = Arrivals(engine, forms, None, lambda: -300)
    first = arrivals.form_counts()
    assert arrivals._counting is not None
    arrivals._counting.join()
    assert first == arrivals.form_counts()
    asserts_equal_counts(engine, arrivals)


def test_what_was_long_on_its_way_is_told_from_what_was_not(engine: Engine) -> None:
    arrivals = Arrivals(engine, begin(engine), None, lambda: -300)
    day = day_of(MOMENT, -300)
    for took in (0, 7, 8, 20, 400):
        content = submission(took, place="0401") | {"finished": iso(MOMENT - took * DAY_MS)}
        keep(engine, made(content), at=MOMENT)
    (found,) = arrivals.lags().values()
    assert found == {(day - took) << 8 | took: 1 for took in (8, 20)}
    (days,) = arrivals.days().values()
    assert days == {day: 2, day - 7: 1, day - 8: 1, day - 20: 1}  # of 400 days ago no clock is believed


# --- what it costs


def test_nothing_new_costs_two_statements_and_something_new_a_handful(engine: Engine) -> None:
    arrivals = Arrivals(engine, begin(engine), None, lambda: -300)
    keep(engine, *(made(submission(number, ("agua", "luz")[number % 2])) for number in range(40)))
    arrivals.form_counts()
    assert statements(engine, arrivals.form_counts) == 2  # the log's number, and which forms are published
    keep(engine, *(made(submission(number)) for number in range(40, 80)))
    assert statements(engine, arrivals.form_counts) == 4  # which forms moved, and what changed in the one that did


def statements(engine: Engine, act: Callable[[], object]) -> int:
    """Return how many statements an act asks, also those that go past SQLAlchemy."""
    asked: list[str] = []
    engine.dispose()  # so that every connection is a new one, and tells what it is asked

    def listen(connection: Any, *_: Any) -> None:
        connection.set_trace_callback(asked.append)

    event.listen(engine, "connect", listen)
    act()
    event.remove(engine, "connect", listen)
    return len([one for one in asked if one.lstrip().upper().startswith(("SELECT", "WITH"))])


def test_what_changed_is_found_by_an_index(engine: Engine) -> None:
    begin(engine)
    with reading(engine) as session:
        for statement, values in ((queries.TOPS, ()), (queries.ROWS.format(place="NULL"), ("agua", 3, 10))):
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            told = " ".join(str(row[-1]) for row in plan)
            assert "ix_record_form_changed_n" in told
            assert "SCAN record" not in told.replace("SCAN record USING COVERING INDEX", "")
            assert "TEMP B-TREE" not in told
