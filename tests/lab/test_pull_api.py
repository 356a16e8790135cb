"""The pull API: tokens, forms, and the log in order with nothing cut off silently."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from collector.db import writing
from collector.forms.model import form_from_json, form_to_json
from collector.queries import pulls, store
from sync.records import canonical_bytes
from tests.lab.conftest import Lab


def headers_of(lab: Lab) -> dict[str, str]:
    return {"Authorization": f"Bearer {lab.token()}", "X-Purpose": "pruebas del laboratorio"}


@pytest.fixture
def api(lab: Lab) -> Iterator[httpx.Client]:
    """Give a program's client with a token."""
    with httpx.Client(base_url=lab.node.url, headers=headers_of(lab), timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", ["/api/v1/forms", "/api/v1/records", "/api/v1/forms/barrio/1/definition"])
@pytest.mark.parametrize("header", ["", "Bearer col_no", "Basic YTpi", "Bearer"])
def test_without_a_token_nothing_is_given(lab: Lab, path: str, header: str) -> None:
    answer = httpx.get(lab.node.url + path, headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_a_signed_in_browser_is_no_token(open_lab: Lab) -> None:
    assert open_lab.browser.get("/api/v1/records", headers={"Accept": "application/json"}).status_code == 401


def test_forms_are_listed_with_their_versions_newest_first(lab: Lab, api: httpx.Client) -> None:
    lab.install("2")
    listed = api.get("/api/v1/forms").json()["forms"]
    assert [(form["form_id"], [version["version"] for version in form["versions"]]) for form in listed] == [
        ("barrio", ["2", "1"])
    ]
    assert listed[0]["versions"][1]["sha256"] == hashlib.sha256(lab.xforms["1"].encode()).hexdigest()


def test_a_definition_gives_back_the_form(lab: Lab, api: httpx.Client) -> None:
    data = api.get("/api/v1/forms/barrio/1/definition").json()
    form = lab.node.app.state.forms.get("barrio", "1")
    assert form_from_json(data) == form or form_to_json(form_from_json(data)) == json.loads(
        json.dumps(form_to_json(form))
    )
    assert api.get("/api/v1/forms/barrio/7/definition").status_code == 404


def test_records_come_in_log_order_with_their_very_bytes(lab: Lab, api: httpx.Client) -> None:
    content = lab.answer(idea='"ñ" }], "more": true \u2028')
    lab.put(content, lab.answer(), origin="c3" * 16)
    answer = api.get("/api/v1/records")
    page = answer.json()
    assert [entry["n"] for entry in page["records"]] == [1, 2]
    assert (page["next"], page["last"], page["more"]) == (2, 2, False)
    assert page["records"][0]["record"] == content
    assert canonical_bytes(content) in answer.content
    assert page["records"][0]["via_origin"] == "c3" * 16


def test_the_cursor_reaches_every_record_once_whatever_the_page(lab: Lab, api: httpx.Client) -> None:
    ids = lab.put(*(lab.answer() for _ in range(23)))
    seen: list[str] = []
    after, more = 0, True
    while more:
        page = api.get("/api/v1/records", params={"after": after, "limit": 5}).json()
        seen += [entry["id"] for entry in page["records"]]
        assert len(page["records"]) == 5 or not page["more"]
        after, more = page["next"], page["more"]
    assert seen == ids
    assert api.get("/api/v1/records", params={"after": after}).json()["next"] == after


def test_long_records_make_shorter_pages_and_more_says_so(lab: Lab) -> None:
    lab.put(*(lab.answer(idea="x" * 50_000) for _ in range(20)))
    with writing(lab.node.app.state.engine) as session:
        page, more = pulls.feed(session, 0, 100, most_chars=200_000)
        assert len(page) == 4 and more
        assert pulls.feed(session, 0, 100, most_chars=1)[1]
        assert len(pulls.feed(session, 0, 100, most_chars=1)[0]) == 1
        assert pulls.feed(session, 0, 20) == (pulls.feed(session, 0, 100)[0], False)


def test_ndjson_says_the_same_a_line_each(lab: Lab, api: httpx.Client) -> None:
    lab.put(*(lab.answer() for _ in range(3)))
    whole = api.get("/api/v1/records?limit=2").json()
    lines = api.get("/api/v1/records?limit=2", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    head, *records = [json.loads(line) for line in lines]
    assert records == whole.pop("records") and head == whole


def test_records_that_are_not_usable_say_their_state(lab: Lab, api: httpx.Client) -> None:
    content = lab.answer()
    (contested,) = lab.put(content)
    lab.put(content | {"lang": "en"})
    (erased,) = lab.put(lab.answer())
    lab.erase(erased)
    records: list[dict[str, Any]] = api.get("/api/v1/records").json()["records"]
    found = {entry["id"]: (entry["kind"], entry["state"], entry["record"] is None) for entry in records}
    assert found.pop(contested) == ("submission", "contested", False)
    assert found.pop(erased) == ("submission", "erased", True)
    assert list(found.values()) == [("tombstone", "usable", False)]


def test_a_record_that_changes_after_it_was_read_comes_again(lab: Lab, api: httpx.Client) -> None:
    (first,) = lab.put(lab.answer())
    lab.put(lab.answer())
    cursor = api.get("/api/v1/records").json()["next"]
    lab.erase(first)
    records: list[dict[str, Any]] = api.get(f"/api/v1/records?after={cursor}").json()["records"]
    assert [entry["state"] for entry in records if entry["id"] == first] == ["erased"]


def test_a_restored_node_says_that_its_log_is_another(lab: Lab, api: httpx.Client) -> None:
    epoch = api.get("/api/v1/records").json()["epoch"]
    assert api.get("/api/v1/records", params={"epoch": epoch}).status_code == 200
    with writing(lab.node.app.state.engine) as session:
        store.set_fact(session, "epoch", "otra")
    answer = api.get("/api/v1/records", params={"epoch": epoch})
    assert (answer.status_code, answer.json()["code"], answer.json()["epoch"]) == (410, "feed_changed", "otra")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=-1", "after=x"])
def test_a_question_out_of_bounds_is_refused_not_bent(api: httpx.Client, query: str) -> None:
    assert api.get(f"/api/v1/records?{query}").status_code == 400
