"""A node of rooms for each file of tests, and a browser that has given its PIN."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import Node
from tests.rooms_web.furnished_room import node_with_pin, signed_in


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with a PIN; the tests of a file only add rooms to it."""
    found = node_with_pin(Path(tmp_path_factory.mktemp("salas")))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def host(node: Node) -> Iterator[httpx.Client]:
    """A browser-like client that has given the PIN."""
    with signed_in(node) as client:
        yield client
