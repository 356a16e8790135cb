"""The disk of the simulation itself: what is synced survives, what is not may tear."""

import gc
import sys
from random import Random

import apsw
import pytest

from tests.simulation import apsw_dbapi
from tests.simulation.crash_vfs import TEARINGS, Disk, PowerCut, Tearing
from tests.simulation.machine import VFS


def make_disk(seed: int = 1) -> Disk:
    disk = Disk("prueba", Random(seed))
    disk.create("a")
    return disk


def after_cut(disk: Disk, tearing: Tearing) -> bytes:
    with pytest.raises(PowerCut):
        disk.cut()
    disk.recover(tearing)
    return bytes(disk.files["a"])


@pytest.mark.parametrize("tearing", TEARINGS)
def test_what_was_synced_survives_every_tearing(tearing: Tearing) -> None:
    disk = make_disk()
    disk.write("a", 0, b"x" * 2000)
    disk.sync("a")
    assert after_cut(disk, tearing) == b"x" * 2000


def test_what_was_not_synced_is_gone_torn_or_there_in_parts() -> None:
    found: dict[str, set[bytes]] = {tearing: set() for tearing in TEARINGS}
    for tearing in TEARINGS:
        for seed in range(60):
            disk = make_disk(seed)
            disk.write("a", 0, b"1" * 512)
            disk.write("a", 512, b"2" * 1024)
            found[tearing].add(after_cut(disk, tearing))
    assert found["nothing"] == {b""}
    assert b"1" * 512 + b"2" * 1024 in found["prefix"]
    assert any(0 < len(content) < 512 for content in found["prefix"])
    assert any(512 < len(content) < 1536 for content in found["prefix"])
    assert bytes(512) + b"2" * 1024 in found["sectors"]


def test_a_machine_without_power_changes_nothing() -> None:
    disk = make_disk()
    disk.arm("cut", 1)
    disk.write("a", 0, b"1")
    with pytest.raises(PowerCut):
        disk.write("a", 1, b"2")
    with pytest.raises(apsw.IOError, match="no power"):
        disk.write("a", 1, b"2")
    with pytest.raises(apsw.IOError, match="no power"):
        disk.sync("a")
    with pytest.raises(apsw.IOError, match="no power"):
        disk.delete("a")
    disk.recover("prefix")
    assert bytes(disk.files["a"]) in (b"", b"1")


def test_a_copy_that_is_put_back_is_what_the_disk_was() -> None:
    disk = make_disk()
    disk.write("a", 0, b"antes")
    image = disk.image()
    disk.write("a", 0, b"ahora")
    disk.put_back(image)
    assert after_cut(disk, "nothing") == b"antes"


@pytest.mark.parametrize("is_cut_while_writing", [True, False])
def test_a_connection_that_a_dead_machine_left_behind_goes_without_a_word(
    monkeypatch: pytest.MonkeyPatch, is_cut_while_writing: bool
) -> None:
    heard: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: heard.append(unraisable.exc_value))
    disk = Disk("prueba", Random(1))
    VFS.insert(disk)
    connection = apsw_dbapi.connect(disk)
    for statement in ("PRAGMA journal_mode=WAL", "CREATE TABLE kept (a)", "BEGIN", "INSERT INTO kept VALUES (1)"):
        connection.execute(statement)
    disk.is_cut = not is_cut_while_writing
    disk.arm("cut", 0)
    with pytest.raises(PowerCut):
        connection.execute("COMMIT")
    del connection
    gc.collect()
    assert heard == []
