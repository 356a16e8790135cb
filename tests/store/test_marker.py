"""A store that is an old copy, or a clone, begins a new epoch by itself when a server opens it; any other does not."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from collector.backups import marker
from collector.backups.backup import backup
from collector.backups.marker import Turn, begin_turn, read_marker
from collector.db import open_engine, prepare_store, reading, writing
from collector.problems import ProblemError
from collector.queries import store
from collector.settings import Settings
from tests.store.conftest import body_of, keep


@dataclass
class Place:
    """A data folder and where its database is."""

    folder: Path
    url: str

    def start(self) -> tuple[Engine, Turn]:
        engine = open_engine(self.url)
        prepare_store(engine)
        with writing(engine) as session:
            store.first_facts(session, "nodo")
        try:
            return engine, begin_turn(engine, self.folder)
        except BaseException:
            engine.dispose()
            raise

    def run(self) -> tuple[str, str]:
        """Start and stop, collecting in between; return the epoch and why it began."""
        engine, turn = self.start()
        keep(engine, body_of())
        with reading(engine) as session:
            found = store.fact(session, "epoch"), store.fact(session, "epoch_reason")
        turn.end()
        engine.dispose()
        return found

    def crash(self) -> None:
        """Start, and end as a killed process does: nothing is noted."""
        engine, turn = self.start()
        turn._lock.release()
        engine.dispose()


@pytest.fixture
def place(make_database_url: Callable[..., str], tmp_path: Path) -> Place:
    folder = tmp_path / "datos"
    return Place(folder, make_database_url(folder))


def test_starts_stops_and_crashes_leave_the_epoch_alone(place: Place) -> None:
    epoch, reason = place.run()
    assert reason == ""
    assert place.run() == (epoch, "")
    place.crash()
    place.crash()
    assert place.run() == (epoch, "")


def test_a_store_of_an_earlier_release_keeps_its_epoch(place: Place) -> None:
    engine = open_engine(place.url)
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, "nodo")
        epoch = store.fact(session, "epoch")
    engine.dispose()
    assert place.run() == (epoch, "")


@pytest.mark.parametrize("content", [None, "", "{}", '{"id":"x"}', "[]", "\x00"])
def test_a_marker_that_is_missing_or_unreadable_begins_a_new_epoch_once(place: Place, content: str | None) -> None:
    epoch, _ = place.run()
    file = place.folder / marker.NAME
    file.unlink() if content is None else file.write_text(content)
    after, reason = place.run()
    assert after != epoch and reason == "no_marker"
    assert place.run() == (after, "no_marker")


def test_a_folder_that_came_to_another_machine_begins_a_new_epoch(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch, _ = place.run()
    other = tmp_path / "machine-id"
    other.write_text("f00d" * 8)
    monkeypatch.setattr(marker, "MACHINE_ID", other)
    assert place.run()[0] != epoch


@pytest.mark.sqlite_file
def test_a_database_put_back_from_a_plain_copy_begins_a_new_epoch(place: Place) -> None:
    epoch, _ = place.run()
    database = place.folder / "collector.db"
    shutil.copy(database, place.folder / "copia.db")
    assert place.run() == (epoch, "")
    with database.open("r+b") as written:  # over the old bytes, so that even the file's number is the same
        written.write((place.folder / "copia.db").read_bytes())
        written.truncate()
    after, reason = place.run()
    assert after != epoch and reason == "older_copy"


@pytest.mark.sqlite_file
def test_a_cloned_folder_begins_a_new_epoch_and_the_original_does_not(place: Place, tmp_path: Path) -> None:
    epoch, _ = place.run()
    clone = Place(tmp_path / "clon", f"sqlite:///{tmp_path / 'clon' / 'collector.db'}")
    shutil.copytree(place.folder, clone.folder)
    cloned, reason = clone.run()
    assert cloned != epoch and reason == "other_file"
    assert place.run() == (epoch, "")
    assert clone.run() == (cloned, "other_file")


@pytest.mark.sqlite_file
def test_a_backup_put_in_place_by_hand_begins_a_new_epoch_even_after_a_crash(place: Place, tmp_path: Path) -> None:
    epoch, _ = place.run()
    place.crash()
    copy, _ = backup(Settings(data_dir=place.folder), tmp_path / "copia.db")
    database = place.folder / "collector.db"
    with database.open("r+b") as written:
        written.write(copy.read_bytes())
        written.truncate()
    assert place.run()[0] != epoch
    alone = Place(tmp_path / "nuevo", f"sqlite:///{tmp_path / 'nuevo' / 'collector.db'}")
    alone.folder.mkdir()
    shutil.copy(copy, alone.folder / "collector.db")
    assert alone.run()[0] != epoch


def test_a_crash_between_database_and_marker_costs_an_epoch_and_nothing_else(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch, _ = place.run()
    with monkeypatch.context() as patch:
        patch.setattr(marker, "_write_marker", _fail)
        with pytest.raises(OSError, match="cut"):
            place.start()
    after, reason = place.run()
    assert after != epoch and reason == "older_copy"
    assert place.run() == (after, "older_copy")


def _fail(*_given: object) -> None:
    raise OSError("cut")


def test_a_stop_that_cannot_be_noted_still_ends(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, turn = place.start()
    monkeypatch.setattr(marker, "_write_marker", _fail)
    turn.end()
    marker.take_lock(place.folder, alone=True).release()
    engine.dispose()


def test_the_marker_knows_whether_the_last_stop_was_clean(place: Place) -> None:
    place.run()
    held = read_marker(place.folder)
    assert held is not None and held.clean and held.turn == 2
    place.crash()
    held = read_marker(place.folder)
    assert held is not None and not held.clean and held.turn == 3
    assert set(json.loads((place.folder / marker.NAME).read_text())) == {"id", "turn", "machine", "file", "clean"}


@pytest.mark.sqlite_file
@pytest.mark.parametrize("was_clean", [True, False])
def test_a_damaged_file_is_noticed_after_a_crash_and_said_with_what_to_do(place: Place, was_clean: bool) -> None:
    engine, turn = place.start()
    keep(engine, *(body_of(answers={"agua": "x" * 3000}) for _ in range(60)))
    turn.end() if was_clean else turn._lock.release()
    engine.dispose()
    _damage(place.folder / "collector.db")
    if was_clean:  # not looked at: a start must be quick
        place.crash()
    with pytest.raises(ProblemError) as caught:
        place.start()
    said = caught.value.sentence("es")
    assert "está dañado" in said and "collector restore" in said and str(place.folder) in said


def _damage(database: Path) -> None:
    size = database.stat().st_size
    with database.open("r+b") as written:
        for place in range(size // 8192 * 4096, size - 4096, 4096):  # the head of each page
            written.seek(place)
            written.write(b"\xa5" * 64)
