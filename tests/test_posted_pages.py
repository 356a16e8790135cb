"""What anybody may post to a form's page: never an error of ours, and nothing that was not asked is kept."""

import html
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from pyxform.xls2xform import convert

from collector.clock import now_ms
from collector.db import reading
from tests.browser.rich_form import marked_xform, small_xform
from tests.conftest import Node
from tests.forms.household import household_xml
from tests.stored import stored_records

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
        (record,) = stored_records(session)
    content = json.loads(record.body or "")
    assert content["answers"]["nota"] == "sí" and "blobs" not in content


DAY_MS = 86_400_000
VISIT = """
| survey  |         |        |             |          |            |                |               |
|         | type    | name   | label       | default  | appearance | calculation    | repeat_count  |
|         | start   | inicio |             |          |            |                |               |
|         | date    | dia    | ¿Qué día?   | today()  |            |                |               |
|         | date    | otro   | ¿Otro día?  | today()  |            |                |               |
|         | text    | nota   | Nota        | sin nota |            |                |               |
|         | calculate | azar |             |          |            | once(random()) |               |
|         | begin_repeat | visita | Visita |          |            |                | 1             |
|         | date    | cuando | ¿Cuándo?    | today()  |            |                |               |
|         | end_repeat |     |             |          |            |                |               |
| settings |         |        |            |
|          | form_title | form_id | version |
|          | Visita  | visita | 1          |
"""


def fields_of(page: str) -> dict[str, str]:
    """Return what a browser without scripts would post of the page's text fields."""
    tags = [dict(re.findall(r' ([a-z]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page)]
    return {tag["name"]: html.unescape(tag.get("value", "")) for tag in tags if tag.get("name")}


def day(ago: int = 0) -> str:
    return (datetime.now().astimezone() - timedelta(days=ago)).date().isoformat()


@pytest.fixture
def old_page(node: Node, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give the fields of a page that was drawn, for everybody, five days ago."""
    node.app.state.forms.install(str(convert(VISIT, validate=False, file_type=".md").xform))
    with monkeypatch.context() as patched:
        patched.setattr("collector.routes.citizen.now_ms", lambda: now_ms() - 5 * DAY_MS)
        fields = fields_of(httpx.get(f"{node.url}/f/visita/1").text)
    assert fields["_id"] == "" and fields["dia"] in (day(4), day(5), day(6))
    return fields


def sent(node: Node, fields: dict[str, str]) -> dict[str, Any]:
    """Post page after page until the record is stored; return its answers."""
    for _ in range(6):
        answer = httpx.post(f"{node.url}/f/visita/1", data=fields | {"_go": "next"})
        if answer.status_code == 303:
            break
        fields = fields_of(answer.text)
    with reading(node.app.state.engine) as session:
        found = stored_records(session)
    answers: dict[str, Any] = json.loads(found[-1].body or "")["answers"]
    return answers


def test_a_page_kept_for_days_asks_for_the_day_of_today(node: Node, old_page: dict[str, str]) -> None:
    answers = sent(node, old_page)
    assert (answers["dia"], answers["otro"], answers["visita"]) == (day(), day(), [{"cuando": day()}])
    assert answers["inicio"][:10] in (day(), day(1)) and answers["nota"] == "sin nota"


def test_what_people_wrote_in_a_kept_page_stays_as_they_wrote_it(node: Node, old_page: dict[str, str]) -> None:
    written = {"dia": "2001-02-03", "otro": "", "nota": "algo", "visita[1]/cuando": "1999-12-31"}
    answers = sent(node, old_page | written)
    assert (answers["dia"], answers["nota"], answers["visita"]) == ("2001-02-03", "algo", [{"cuando": "1999-12-31"}])
    assert "otro" not in answers


def test_a_day_that_a_person_was_shown_is_not_changed_later(node: Node, old_page: dict[str, str]) -> None:
    first = fields_of(httpx.post(f"{node.url}/f/visita/1", data=old_page | {"_go": "next"}).text)
    assert first["_id"] and first["otro"] == day()
    was = json.loads(first["_was"])
    was["v"] = {number: text.replace(day(), day(3)) for number, text in was["v"].items()}
    answers = sent(node, first | {"_was": json.dumps(was), "otro": day(3)})
    assert (answers["dia"], answers["otro"]) == (day(), day(3))


def test_each_record_of_a_kept_page_has_chances_of_its_own(node: Node, old_page: dict[str, str]) -> None:
    assert sent(node, old_page)["azar"] != sent(node, old_page)["azar"]


@pytest.fixture
def marked(node: Node) -> str:
    """Give the address of a form whose lists are drawn by the scripts, with marks in their labels."""
    node.app.state.forms.install(marked_xform())
    return f"{node.url}/f/marcas/1"


def test_lists_of_every_kind_are_drawn_without_the_marks_of_other_tools(marked: str) -> None:
    fields = {"quien": "**Ana**", "_go": "find", "_find/gran": "sitio 29"}
    page = httpx.post(marked, data=fields).text
    shown = [html.unescape(text) for text in re.findall(r"<span>([^<]*)</span></label>", page)]
    assert sorted(shown[:2]) == ["Pozo de **Ana**", "Río"]  # what people typed is theirs
    assert "Alto" in shown and not [text for text in shown if text.startswith(("#", "__"))]
    assert "Sitio 299" in shown and "Sitio 30" not in shown


def test_the_scripts_get_labels_without_marks_and_expressions_those_with_them(marked: str) -> None:
    data = httpx.get(f"{marked}/form.json").json()
    assert sorted(data["shown"]) == ["agua", "gran", "zona"]
    assert data["shown"]["zona"] == [{"": "Alto"}, {"": "Bajo"}]
    assert data["labels"]["zona"] == [{"": "# Alto"}, {"": "*Bajo*"}]
    fields = {"quien": "Ana", "agua": "rio", "_id": "", "_go": "next"}
    was = json.loads(fields_of(httpx.post(marked, data=fields).text)["_was"])
    assert "<b>Río</b>" in was["v"].values()
