"""docs/protocol.md speaks of the program as it is, and its client works."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from collector.problems import PROBLEMS
from collector.routes.sync import router
from sync import limits
from sync.records import read_record
from tests.sync.conftest import Node

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text()


def test_every_address_and_limit_stands_in_the_text() -> None:
    app = FastAPI()
    app.include_router(router)
    paths = app.openapi()["paths"]
    assert len(paths) >= 14
    for path in paths:
        assert path.partition("/{")[0] in TEXT
    for number in (limits.MAX_BODY_BYTES, limits.MAX_INFLATED_BYTES, limits.MAX_BATCH_RECORDS, limits.MAX_ASKED_IDS):
        assert str(number) in TEXT


def test_every_error_of_the_text_is_in_the_catalogue_with_its_status() -> None:
    rows = re.findall(r"^\| ([45]\d\d(?: \d+)*) \| (.*?) \|", TEXT, re.MULTILINE)
    assert len(rows) >= 10
    for statuses, codes in rows:
        for code in re.findall(r"`(\w+)`", codes):
            assert str(PROBLEMS[code].status) in statuses.split()


def test_the_record_of_the_text_is_canonical() -> None:
    [example] = re.findall(r"^```json\n(.*)\n```", TEXT, re.MULTILINE)
    assert read_record(example).why is None


def test_the_client_of_the_text_delivers(make_node: Callable[..., Node], make_body: Callable[..., str]) -> None:
    central = make_node("central")
    token = central.http.post(
        central.url + "/sync/v1/enroll", json={"code": central.code(), "name": "otro", "node_id": "a" * 32}
    ).json()["token"]
    [source] = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    client: dict[str, Any] = {"UPSTREAM": central.url, "TOKEN": token}
    exec(source, client)
    records = [make_body().encode() for _ in range(3)]
    assert client["push"](records, "e1", "a" * 32) == 3
    records.append(make_body().encode())
    assert client["push"](records, "e1", "a" * 32) == 4
    assert client["push"](records, "e1", "a" * 32) == 4
    assert len(central.ids()) == 4
