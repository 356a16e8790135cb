"""What a form says that nobody keeps longer goes by itself: direct answers at one day, all of a record at another."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pyxform.xls2xform import convert
from sqlalchemy import Engine
from sqlmodel import select

from collector.arrivals import Arrivals
from collector.clock import iso
from collector.db import reading, writing
from collector.form_store import FormStore
from collector.queries import audit, blobs, feed, nodes, receipts, term_counts
from collector.queries import lab as lab_queries
from collector.queries import retention as queries
from collector.queries.copies import find_wrong
from collector.queries.erasures import wipe_traces
from collector.queries.records import Arrival, ingest, log_after, record_by_id
from collector.queries.term_counts import Cell
from collector.retention import Removed, Retention
from collector.retention_clock import DAY_MS, look_at_clock, note_upstream_clock
from collector.tables.files import Blob, BlobChunk
from collector.tables.lab import Quality
from collector.tables.log import Quarantine, Record
from sync.chain import head_at
from sync.records import new_salt, uuid7
from sync.statements import made, make_decision, make_tombstone
from tests.store.conftest import MOMENT, MakeStore, rows

DIRECT_DAYS, RAW_DAYS = 30, 90
NAME, PHONE = "Yamileth Him", "6677-0101"
PHOTO = b"a photo of somebody" * 10
DISTRICT, ELSEWHERE = "0808", "0810"


def publish(engine: Engine, version: str = "1", **terms: str) -> FormStore:
    """Publish a form whose name, photo and telephone are direct; `terms`: its settings."""
    settings = {"form_id": "quejas", "version": version, **{f"attribute::{key}": days for key, days in terms.items()}}
    one = {"list_name": "distrito", "name": DISTRICT, "label": "Panamá"}
    two = {"list_name": "distrito", "name": ELSEWHERE, "label": "San Miguelito"}
    kinds = [{"list_name": "tema", "name": name, "label": name} for name in ("agua", "luz")]
    survey: list[dict[str, str]] = [
        {"type": "text", "name": "nombre", "label": "¿Cómo se llama?", "bind::privacy": "direct"},
        {"type": "image", "name": "foto", "label": "Una foto", "bind::privacy": "direct"},
        {"type": "calculate", "name": "saludo", "calculation": "concat('Hola ', ${nombre})"},
        {"type": "select_one distrito", "name": "distrito", "label": "¿Dónde vive?"},
        {"type": "select_multiple tema", "name": "temas", "label": "¿De qué trata?"},
        {"type": "text", "name": "queja", "label": "¿Qué pasó?"},
        {"type": "begin_repeat", "name": "vecinos", "label": "Vecinos"},
        {"type": "text", "name": "celular", "label": "Su teléfono", "bind::privacy": "direct"},
        {"type": "select_one tema", "name": "sufre", "label": "¿Qué le falta?"},
        {"type": "end_repeat"},
    ]
    xform = convert({"survey": survey, "choices": [one, two, *kinds], "settings": [settings]}).xform
    forms = FormStore(engine)
    assert forms.install(xform, "quejas.xlsx")
    return forms


def answered(**given: Any) -> dict[str, Any]:
    """Return the content of a submission that says who somebody is in four places."""
    answers = {
        "nombre": NAME, "saludo": f"Hola {NAME}", "distrito": DISTRICT, "temas": "agua luz", "queja": "no hay agua",
        "vecinos": [{"celular": PHONE, "sufre": "luz"}],
    }  # fmt: skip
    content = {
        "id": uuid7(), "kind": "submission", "form": "quejas", "version": "1", "form_sha": "0" * 16, "lang": "es",
        "started": iso(MOMENT), "finished": iso(MOMENT), "salt": new_salt(), "answers": answers,
    }  # fmt: skip
    return content | given


def with_photo() -> dict[str, Any]:
    """Return a submission with a photo, and the file's entry."""
    sha256 = hashlib.sha256(PHOTO).hexdigest()
    content = answered()
    content["answers"] = content["answers"] | {"foto": "foto-1.jpg"}
    entry = {"name": "foto-1.jpg", "sha256": sha256, "bytes": len(PHOTO), "type": "image/jpeg"}
    return content | {"blobs": [entry]}


def on_day(day: float) -> int:
    return int(MOMENT + day * DAY_MS)


def keep(engine: Engine, *arrivals: Arrival, day: float = 0) -> list[str]:
    with writing(engine) as session:
        return list(ingest(session, arrivals, on_day(day)))


def live(retention: Retention, first: int, last: int) -> list[Removed]:
    """Let a node live from one day to another, and return what it removed by itself."""
    return [removed for day in range(first, last + 1) for removed in retention.run(on_day(day))]


def record_of(engine: Engine, arrival: Arrival) -> Record:
    with reading(engine) as session:
        record = record_by_id(session, arrival.id)
        assert record is not None
        session.expunge(record)
        return record


def answers_left(engine: Engine, arrival: Arrival) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(record_of(engine, arrival).body or "{}").get("answers", {})
    return found


def confirm(engine: Engine, *, upto: int = 1_000) -> None:
    """Note that central holds everything up to a number."""
    with writing(engine) as session:
        receipts.add_receipts_upto(session, 0, upto, on_day(1))


@pytest.fixture
def engine(make_store: MakeStore) -> Engine:
    return make_store()


@pytest.fixture
def retention(engine: Engine) -> Retention:
    """The terms of a node that holds the form: thirty days for direct answers, ninety for all."""
    return Retention(engine, publish(engine, retain_days_direct=str(DIRECT_DAYS), retain_days_raw=str(RAW_DAYS)))


# --- by the clock


def test_direct_answers_go_on_their_day_and_the_others_stay(engine: Engine, retention: Retention) -> None:
    record = made(answered())
    keep(engine, record)
    assert live(retention, 1, DIRECT_DAYS - 1) == []
    assert answers_left(engine, record)["nombre"] == NAME
    assert live(retention, DIRECT_DAYS, DIRECT_DAYS) == [Removed("quejas", "direct", 1)]
    left = answers_left(engine, record)
    assert left == {
        "distrito": DISTRICT, "temas": "agua luz", "queja": "no hay agua", "vecinos": [{"sufre": "luz"}],
    }  # fmt: skip
    stored = record_of(engine, record)
    assert (stored.state, stored.term, stored.term_ms) == ("usable", "direct", on_day(DIRECT_DAYS))
    assert NAME not in (stored.body or "") and PHONE not in (stored.body or "")


def test_all_of_a_record_goes_on_its_day_and_its_row_stays(engine: Engine, retention: Retention) -> None:
    record = made(answered())
    keep(engine, record)
    live(retention, 1, RAW_DAYS - 1)
    assert record_of(engine, record).body is not None
    assert live(retention, RAW_DAYS, RAW_DAYS) == [Removed("quejas", "raw", 1)]
    stored = record_of(engine, record)
    assert (stored.body, stored.state, stored.term, stored.term_place) == (None, "erased", "raw", DISTRICT)
    assert (stored.id, bytes(stored.sha256), stored.received_ms) == (record.id, record.sha256, MOMENT)


def test_what_was_done_is_not_done_again_and_stands_once_in_the_audit(engine: Engine, retention: Retention) -> None:
    keep(engine, made(answered()), made(answered()))
    live(retention, 1, DIRECT_DAYS)
    before = rows(engine, "SELECT n, changed_n, body FROM record ORDER BY n")
    assert live(retention, DIRECT_DAYS + 1, RAW_DAYS - 1) == []
    assert retention.run(on_day(RAW_DAYS - 1)) == []
    assert rows(engine, "SELECT n, changed_n, body FROM record ORDER BY n") == before
    with reading(engine) as session:
        entries = audit.list_entries(session, action="retention")
        assert [(entry.who, entry.role, entry.subject, entry.count) for entry in entries] == [
            ("Collector", "node", "quejas", 2)
        ]
        assert json.loads(entries[0].detail) == {"term": "direct", "days": [DIRECT_DAYS]}


def test_a_run_that_was_cut_is_ended_by_the_next(
    engine: Engine, retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [made(answered()) for _ in range(7)]
    keep(engine, *records)
    live(retention, 1, DIRECT_DAYS - 1)
    monkeypatch.setattr("collector.retention.PAGE", 2)
    taken: list[int] = []
    take = queries.take_direct

    def cut(*given: Any) -> Any:
        if len(taken) == 2:
            raise OSError("the power went")
        taken.append(1)
        return take(*given)

    monkeypatch.setattr("collector.queries.retention.take_direct", cut)
    with pytest.raises(OSError, match="the power went"):
        retention.run(on_day(DIRECT_DAYS))
    assert sum("nombre" not in answers_left(engine, record) for record in records) == 4
    monkeypatch.undo()
    assert retention.run(on_day(DIRECT_DAYS)) == [Removed("quejas", "direct", 3)]


def test_a_form_without_terms_keeps_everything(engine: Engine) -> None:
    record = made(answered())
    keep(engine, record)
    assert live(Retention(engine, publish(engine)), 1, 200) == []
    assert answers_left(engine, record)["nombre"] == NAME


def test_only_what_the_author_marked_is_taken_away_for_good(engine: Engine) -> None:
    forms = publish(engine, retain_days_direct="2")
    record = made(answered(answers={"nombre": NAME, "queja": "mi cédula es 8-1-1", "apellido": "Him"}))
    keep(engine, record)
    live(Retention(engine, forms), 1, 2)
    assert answers_left(engine, record) == {"queja": "mi cédula es 8-1-1", "apellido": "Him"}


def test_nobody_keeps_longer_than_what_the_version_said_that_people_answered(engine: Engine) -> None:
    publish(engine, "1", retain_days_direct="5")
    forms = publish(engine, "2", retain_days_direct="20")
    early, late = made(answered()), made(answered(version="2"))
    keep(engine, early, late)
    retention = Retention(engine, forms)
    live(retention, 1, 5)
    assert ("nombre" in answers_left(engine, early), "nombre" in answers_left(engine, late)) == (False, True)
    live(retention, 6, 20)
    assert "nombre" not in answers_left(engine, late)


def test_a_later_version_shortens_what_is_kept_of_earlier_ones(engine: Engine) -> None:
    forms = publish(engine, "1")
    record = made(answered())
    keep(engine, record)
    retention = Retention(engine, forms)
    assert live(retention, 1, 12) == []
    publish(engine, "2", retain_days_direct="10")
    assert live(retention, 13, 13) == [Removed("quejas", "direct", 1)]


# --- which clock


def test_the_devices_own_time_counts_for_nothing(engine: Engine, retention: Retention) -> None:
    old, new = (made(answered(finished=moment)) for moment in ("1999-01-01T00:00:00Z", "2040-01-01T00:00:00Z"))
    keep(engine, old, new)
    assert live(retention, 1, DIRECT_DAYS - 1) == []
    assert live(retention, DIRECT_DAYS, DIRECT_DAYS) == [Removed("quejas", "direct", 2)]


def test_a_clock_that_stands_before_the_newest_receipt_erases_nothing(engine: Engine, retention: Retention) -> None:
    keep(engine, made(answered()))
    live(retention, 1, 25)
    keep(engine, made(answered()), day=60)
    assert retention.run(on_day(40)) == []
    with writing(engine) as session:
        assert look_at_clock(session, on_day(40)) == "behind"


def test_a_clock_that_jumps_ahead_erases_nothing_until_a_week_of_it_has_passed(
    engine: Engine, retention: Retention
) -> None:
    keep(engine, made(answered()))
    live(retention, 1, 3)
    assert live(retention, 400, 406) == []
    assert [removed.stage for removed in live(retention, 407, 407)] == ["raw"]


def test_a_clock_that_jumped_and_was_put_right_has_erased_nothing(engine: Engine, retention: Retention) -> None:
    record = made(answered())
    keep(engine, record)
    live(retention, 1, 3)
    live(retention, 400, 402)
    live(retention, 6, 20)
    assert answers_left(engine, record)["nombre"] == NAME


def test_a_node_that_was_off_for_long_believes_its_clock_once_the_upstream_agrees(
    engine: Engine, retention: Retention
) -> None:
    keep(engine, made(answered()))
    live(retention, 1, 3)
    assert live(retention, 50, 51) == []
    with writing(engine) as session:
        note_upstream_clock(session, on_day(51), on_day(51) + 3_000)
    assert live(retention, 51, 51) == [Removed("quejas", "direct", 1)]


def test_an_upstream_whose_clock_says_something_else_stops_everything(engine: Engine, retention: Retention) -> None:
    keep(engine, made(answered()))
    live(retention, 1, 29)
    with writing(engine) as session:
        note_upstream_clock(session, on_day(29), on_day(12))
    assert live(retention, 30, 40) == []


def test_what_an_upstream_told_to_a_clock_that_was_set_since_says_nothing(engine: Engine, retention: Retention) -> None:
    keep(engine, made(answered()))
    with writing(engine) as session:
        note_upstream_clock(session, on_day(500), on_day(20))
        assert look_at_clock(session, on_day(500)) == "differs"
        assert look_at_clock(session, on_day(20)) == "jumped"
        assert look_at_clock(session, on_day(27)) == ""


@pytest.mark.parametrize("wrong_ms", [0, 946_684_800_000, MOMENT + 9_000 * DAY_MS])
def test_a_time_of_receipt_that_cannot_be_is_that_of_its_neighbours(
    engine: Engine, retention: Retention, wrong_ms: int
) -> None:
    first, wrong, last = made(answered()), made(answered()), made(answered())
    keep(engine, first)
    with writing(engine) as session:
        ingest(session, [wrong], wrong_ms)
    keep(engine, last, day=10)
    live(retention, 11, DIRECT_DAYS + 9)
    assert ["nombre" in answers_left(engine, it) for it in (first, wrong, last)] == [False, True, True]
    live(retention, DIRECT_DAYS + 10, DIRECT_DAYS + 10)
    assert ["nombre" in answers_left(engine, it) for it in (first, wrong, last)] == [False, False, False]


# --- a node below central


def under_central(engine: Engine) -> None:
    with writing(engine) as session:
        nodes.set_upstream(session, "http://127.0.0.1:1", "c" * 32, "token")


def test_a_tablet_erases_only_what_central_has_confirmed_however_long_it_is_offline(
    engine: Engine, retention: Retention
) -> None:
    under_central(engine)
    sent, unsent = made(answered()), made(answered())
    keep(engine, sent)
    confirm(engine)
    keep(engine, unsent)
    live(retention, 1, 2 * RAW_DAYS)
    assert record_of(engine, sent).term == "raw"
    assert answers_left(engine, unsent)["nombre"] == NAME
    confirm(engine)
    assert [(it.stage, it.contents) for it in live(retention, 181, 181)] == [("raw", 1)]


def test_a_photo_that_central_does_not_hold_keeps_its_record_on_the_tablet(
    engine: Engine, retention: Retention
) -> None:
    under_central(engine)
    record = made(with_photo())
    keep(engine, record)
    put_photo(engine)
    confirm(engine)
    assert live(retention, 1, DIRECT_DAYS) == []
    with writing(engine) as session:
        file = session.exec(select(Blob)).one()
        file.central_life = blobs.life(session)
    assert live(retention, DIRECT_DAYS + 1, DIRECT_DAYS + 1) == [Removed("quejas", "direct", 1)]


def put_photo(engine: Engine) -> None:
    with writing(engine) as session:
        while blobs.index_records(session):
            pass
        blobs.add_blob(session, PHOTO, "image/jpeg")


def test_what_was_erased_here_goes_up_as_a_line_of_what_is_gone_and_the_chain_holds(
    engine: Engine, retention: Retention
) -> None:
    keep(engine, made(answered()), made(answered()))
    before = head_at(engine, 2)
    live(retention, 1, DIRECT_DAYS)
    with reading(engine) as session:
        assert [entry.body for entry in log_after(session, 0, 10)] == [None, None]
        assert find_wrong(session) == ""
    assert head_at(engine, 2) == before


def test_a_record_that_comes_again_does_not_bring_back_what_its_term_took(engine: Engine, retention: Retention) -> None:
    record = made(answered())
    keep(engine, record)
    live(retention, 1, DIRECT_DAYS)
    assert keep(engine, record, day=DIRECT_DAYS) == ["duplicate"]
    assert "nombre" not in answers_left(engine, record)
    live(retention, DIRECT_DAYS + 1, RAW_DAYS)
    assert keep(engine, record, day=RAW_DAYS) == ["duplicate"]
    assert record_of(engine, record).body is None


# --- what hangs on a record


def test_a_correction_that_comes_later_brings_nothing_back_and_counts_nothing_twice(
    engine: Engine, retention: Retention
) -> None:
    record = made(answered())
    keep(engine, record)
    live(retention, 1, DIRECT_DAYS)
    edit = made(answered(kind="edit", replaces=record.id))
    keep(engine, edit, day=DIRECT_DAYS)
    live(retention, DIRECT_DAYS + 1, DIRECT_DAYS + 1)
    assert "nombre" not in answers_left(engine, edit)
    live(retention, DIRECT_DAYS + 2, RAW_DAYS)
    assert record_of(engine, edit).term == "raw"
    late = made(answered(kind="edit", replaces=edit.id))
    keep(engine, late, day=RAW_DAYS)
    live(retention, RAW_DAYS + 1, RAW_DAYS + 1)
    assert record_of(engine, late).body is None
    with reading(engine) as session:
        assert term_counts.counts_of(session, "quejas")[""] == {"": 1}


def test_what_quarantine_holds_goes_by_the_same_terms(engine: Engine, retention: Retention) -> None:
    record = made(answered())
    rival = made(answered(id=record.id, salt="another"))
    apart = made(answered())._replace(why="revoked_node")
    assert keep(engine, record, rival, apart) == ["stored", "quarantined", "quarantined"]
    live(retention, 1, DIRECT_DAYS)
    with reading(engine) as session:
        held = session.exec(select(Quarantine)).all()
        assert [NAME in (it.body or "") for it in held] == [False, False]
        assert [it.term for it in held] == ["direct", "direct"]
    keep(engine, make_decision(record.id, "use", rival.sha256.hex(), "lab"), day=DIRECT_DAYS)
    used = record_of(engine, record)
    assert (bytes(used.sha256), used.term) == (rival.sha256, "direct")
    with reading(engine) as session:
        assert find_wrong(session) == ""
        assert [entry.body for entry in log_after(session, 0, 3)] == [None, None, None]
    live(retention, DIRECT_DAYS + 1, RAW_DAYS)
    with reading(engine) as session:
        assert [it.body for it in session.exec(select(Quarantine))] == [None, None]


def test_the_files_of_direct_answers_go_with_them_and_others_stay(engine: Engine, retention: Retention) -> None:
    record = made(with_photo())
    keep(engine, record)
    put_photo(engine)
    live(retention, 1, DIRECT_DAYS)
    with reading(engine) as session:
        assert session.exec(select(Blob)).all() == []
        assert session.exec(select(BlobChunk)).all() == []
        assert blobs.files_of_record(session, record.id) == []
    assert json.loads(record_of(engine, record).body or "{}")["blobs"] == []


def test_a_file_that_another_answer_names_too_stays(engine: Engine, retention: Retention) -> None:
    record = made(with_photo())
    other = made(answered(form="otro", blobs=with_photo()["blobs"]))
    keep(engine, record, other)
    put_photo(engine)
    live(retention, 1, DIRECT_DAYS)
    with reading(engine) as session:
        assert [file.name for file in blobs.files_of_record(session, other.id)] == ["foto-1.jpg"]


def test_what_people_said_of_a_record_goes_with_all_of_it(engine: Engine, retention: Retention) -> None:
    record = made(answered())
    comment = made({
        "id": uuid7(), "kind": "annotation", "finished": iso(MOMENT), "salt": new_salt(), "about": record.id,
        "by": "ana@lab", "comment": f"llamé a {NAME}",
    })  # fmt: skip
    keep(engine, record, comment)
    live(retention, 1, RAW_DAYS - 1)
    assert record_of(engine, comment).body is not None
    live(retention, RAW_DAYS, RAW_DAYS)
    assert record_of(engine, comment).body is None
    with reading(engine) as session:
        assert feed.feed_after(session, 0, 10, 10_000) == []


def test_what_a_flag_repeats_of_a_direct_answer_goes_with_it(engine: Engine, retention: Retention) -> None:
    flags = json.dumps([{"key": "nombre", "what": "constraint", "text": NAME}, {"key": "queja", "what": "type"}])
    record = made(answered())._replace(flags=flags)
    keep(engine, record)
    live(retention, 1, DIRECT_DAYS)
    left = json.loads(record_of(engine, record).flags)
    assert [(flag["key"], flag["what"]) for flag in left] == [("nombre", "constraint"), ("queja", "type")]
    assert NAME not in record_of(engine, record).flags


def test_a_record_that_a_person_erased_stays_erased_by_that_person(engine: Engine, retention: Retention) -> None:
    record = made(answered())
    keep(engine, record, make_tombstone(record.id, "person", ""))
    assert live(retention, 1, RAW_DAYS) == []
    assert record_of(engine, record).term == ""


def test_a_record_that_its_term_erased_may_still_be_erased_by_a_person(engine: Engine, retention: Retention) -> None:
    record = made(answered())
    keep(engine, record)
    live(retention, 1, RAW_DAYS)
    keep(engine, make_tombstone(record.id, "person", ""), day=RAW_DAYS)
    assert record_of(engine, record).term_place is None


@pytest.mark.sqlite_file
def test_no_byte_of_the_store_says_what_a_term_took(engine: Engine, retention: Retention) -> None:
    keep(engine, *(made(answered()) for _ in range(30)))
    with writing(engine) as session:
        session.add(Quality(record_id=rows(engine, "SELECT id FROM record")[0][0], form="quejas", found=f'["{NAME}"]'))
    live(retention, 1, DIRECT_DAYS)
    assert wipe_traces(engine, at_leisure=True)
    folder = Path(str(engine.url.database)).parent
    content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    assert NAME.encode() not in content and PHONE.encode() not in content
    assert b"no hay agua" in content


def test_files_made_for_the_lab_go_when_something_went(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "a1").write_text(NAME)
    (folder / "a1.json").write_text(json.dumps({"state": "done"}))
    (folder / "b2.json").write_text(json.dumps({"state": "working"}))
    retention = Retention(engine, publish(engine, retain_days_direct="1"), folder)
    assert retention.run(on_day(0)) == []
    assert (folder / "a1").exists()
    keep(engine, made(answered()))
    live(retention, 1, 1)
    assert [path.name for path in folder.iterdir()] == ["b2.json"]


# --- what stays


def test_counts_that_were_told_stay_told(engine: Engine, retention: Retention) -> None:
    keep(engine, made(answered()), made(answered(answers={"distrito": ELSEWHERE, "temas": "luz"})))
    forms = FormStore(engine)
    before = Arrivals(engine, forms).days()
    live(retention, 1, RAW_DAYS)
    assert Arrivals(engine, forms).days() == before
    with reading(engine) as session:
        assert [(count.usable, count.erased) for count in lab_queries.form_counts(session)] == [(2, 0)]
    counts = Arrivals(engine, forms).form_count("quejas")
    assert counts is not None and (counts.usable, counts.erased) == (2, 0)


def test_an_arrivals_count_that_was_running_does_not_move(engine: Engine, retention: Retention) -> None:
    keep(engine, made(answered()))
    arrivals = Arrivals(engine, FormStore(engine))
    before = arrivals.days()
    live(retention, 1, RAW_DAYS)
    assert arrivals.days() == before


def test_how_often_what_was_answered_stays_by_question_municipality_and_month(
    engine: Engine, retention: Retention
) -> None:
    keep(engine, *(made(answered()) for _ in range(6)))
    live(retention, 1, RAW_DAYS)
    with reading(engine) as session:
        assert term_counts.counts_of(session, "quejas") == {
            "": {"": 6}, "distrito": {DISTRICT: 6}, "temas": {"agua": 6, "luz": 6}, "queja": {"": 6},
            "vecinos/sufre": {"luz": 6},
        }  # fmt: skip
        cells = dict(term_counts.cells_of(session, "quejas"))
    assert cells[Cell("temas", "agua", DISTRICT, iso(MOMENT)[:7])] == 6
    assert not any(NAME in cell or PHONE in cell for cell in cells)


def test_a_month_in_which_few_answered_in_a_municipality_is_put_with_others(
    engine: Engine, retention: Retention
) -> None:
    keep(engine, made(answered()))
    live(retention, 1, RAW_DAYS)
    with reading(engine) as session:
        assert {(cell.place, cell.month) for cell, _ in term_counts.cells_of(session, "quejas")} == {("", "")}
        assert term_counts.counts_of(session, "quejas")["temas"] == {"agua": 1, "luz": 1}
