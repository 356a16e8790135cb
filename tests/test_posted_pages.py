"""What anybody may post to a form's page: never an error of ours, and nothing that was not asked is kept."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collector.db import reading
from collector.queries import records
from tests.browser.rich_form import small_xform
from tests.conftest import Node
from tests.forms.household import household_xml

DEEP = '{"r":{"5":[' * 900 + "]}" * 900
ODD: list[dict[str, Any]] = [
    {"_was": "no es json"},
    {"_was": "[1, 2]"},
    {"_was": '{"v": [], "r": 3}'},
    {"_was": '{"v": {"1": 5, "999": "x", "0": null}, "r": {"2": {"a": 1}, "3": [1, null, "x", {"v": 4}]}}'},
    {"_was": DEEP},
    {"_was": json.dumps({"r": {str(number): [{}] * 5_000 for number in range(20)}})},
    {"_files": "{}x"},
    {"_files": '{"a.jpg": {"name": "a.jpg", "sha256": "zz", "bytes": -1, "type": 3}}'},
    {"_page": "99999"},
    {"_page": "-1"},
    {"_go": "add:"},
    {"_go": "add:persona"},
    {"_go": "remove:persona[0]"},
    {"_go": "remove:persona[1]/visita[99999999999999999999]"},
    {"_go": "find"},
    {"_find/x": "y", "_go": "send"},
    {"_lang": "klingon"},
    {"persona[1]/nombre": "a\x00b\ud800"},
    {"persona[1]/edad": "9" * 5000},
    {"_id": "no", "_started": "ayer", "_language": "x"},
]


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    one = make_node("campo")
    one.app.state.forms.install(household_xml())
    one.app.state.forms.install(small_xform())
    return one


def addresses(node: Node) -> list[str]:
    return [f"{node.url}/f/{row.form_id}/{row.version}" for row in node.app.state.forms.current()]


def test_odd_posts_are_answered_with_a_page(node: Node) -> None:
    for address in addresses(node):
        for odd in ODD:
            fields = {name: text.encode("utf-8", "replace") for name, text in odd.items()}
            answer = httpx.post(address, data=fields, timeout=60)
            assert answer.status_code in (200, 303, 413, 422), (address, list(odd))


def test_a_file_for_a_question_that_asks_none_is_not_kept(node: Node) -> None:
    address = next(address for address in addresses(node) if "/paso/" in address)
    posted = {"_file/nota": ("a.txt", b"hola", "text/plain"), "_file/": ("b", b"x", "")}
    answer = httpx.post(address, data={"nota": "sí", "_go": "send"}, files=posted)
    assert answer.status_code == 303
    with reading(node.app.state.engine) as session:
        (record,) = records.records_after(session, 0, 10)
    content = json.loads(record.body or "")
    assert content["answers"]["nota"] == "sí" and "blobs" not in content
