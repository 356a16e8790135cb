"""The session of scene.py, made once: rooms are frozen."""

import pytest

from collector.rooms.room import Room
from collector.rooms.sense.codebook import Codebook
from collector.rooms.sense.coding import Coded, coded, read_codebook, read_codings
from tests.rooms_sense import scene


@pytest.fixture(scope="session")
def room() -> Room:
    return scene.room()


@pytest.fixture(scope="session")
def book(room: Room) -> Codebook:
    return read_codebook(room.items)


@pytest.fixture(scope="session")
def found(room: Room, book: Codebook) -> Coded:
    return coded(read_codings(room.items), book)
