"""What the store is asked for ODK's addresses, on both databases: the same answers, in few questions."""

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from collector.db import reading, writing
from collector.lab.odk_filter import EVERYTHING
from collector.odk_submissions import Shelf
from collector.queries import odk as odk_queries
from collector.queries.records import ingest
from collector.settings import Settings
from sync.statements import make_tombstone
from tests.conftest import serve
from tests.odk.conftest import Client, new_instance
from tests.odk.xforms import submission

FORM = [("a", "string"), ("temas", "select"), ("foto", "binary"), ("r*", [("n", "int")]), ("sitio", "geopoint")]


@pytest.fixture
def both(make_database_url: Callable[..., str], tmp_path: Path, make_client: Callable[..., Client]) -> Iterator[Client]:
    """Give a client of a node on each of the two databases."""
    folder = tmp_path / "ambas"
    folder.mkdir()
    node = serve(Settings(data_dir=folder, database_url=make_database_url(folder), name="central", sync_seconds=0))
    client = make_client(node)
    client.add_device()
    yield client
    node.stop()


def shelf(client: Client, form_id: str) -> Shelf:
    state = client.node.app.state
    return Shelf(state.engine, state.forms, form_id, True, str(state.node_id))


def test_both_databases_give_the_same_files(both: Client) -> None:
    both.publish("visita", FORM)
    photo = base64.b64decode("/9j/4AAQSkZJRg==")
    first = both.send("visita", "<a>1</a><temas>ñame agua</temas><foto>f.jpg</foto>", {"f.jpg": photo})
    second = both.send("visita", "<a>2</a><r><n>1</n></r><r/><sitio>8 -80</sitio>")
    third = both.send("visita", "<a>3</a>")
    both.edit("visita", second, "<a>2b</a><r><n>7</n></r><sitio>9 -81</sitio>")
    both.review("visita", first, "hasIssues")
    both.good(both.http.delete(both.one("visita", third)))
    rows = both.csv("visita", splitSelectMultiples="true")
    assert [(row["KEY"], row["a"], row["ReviewState"]) for row in rows] == [
        (second, "2b", "edited"), (first, "1", "hasIssues"),
    ]  # fmt: skip
    assert [(row["temas/agua"], row["temas/ñame"]) for row in rows] == [("0", "0"), ("1", "1")]
    assert both.table("visita", "visita-r.csv")[1:] == [["7", second, f"{second}/r[1]"]]
    assert both.zip("visita")["media/f.jpg"] == photo
    assert [feature["geometry"]["coordinates"] for feature in both.features("visita")] == [[-81, 9]]


def test_what_was_erased_leaves_nothing_and_what_is_contested_waits(both: Client) -> None:
    both.publish("visita", FORM)
    kept, erased = both.send("visita", "<a>1</a>"), both.send("visita", "<a>2</a>")
    both.edit("visita", erased, "<a>3</a>")
    with writing(both.node.app.state.engine) as session:
        ingest(session, [make_tombstone(erased.removeprefix("uuid:"), "lab", "prueba")], 1)
    assert [row["KEY"] for row in both.csv("visita")] == [kept]
    answer = both.http.get(both.one("visita", erased))
    assert answer.status_code == 404


def test_an_edit_that_came_before_what_it_corrects_stands_for_itself(both: Client) -> None:
    both.publish("visita", FORM)
    root = both.send("visita", "<a>1</a>")
    edited = both.edit("visita", root, "<a>2</a>")
    with reading(both.node.app.state.engine) as session:
        numbers = odk_queries.numbers_of(session, "visita")
        assert [seen.head.id for seen in odk_queries.page_of(session, numbers)] == [edited.removeprefix("uuid:")]
    with writing(both.node.app.state.engine) as session:
        held = odk_queries.one_of(session, "visita", root.removeprefix("uuid:"))
        assert held is not None
        session.delete(held.root)
    assert [(row["KEY"], row["a"]) for row in both.csv("visita")] == [(edited, "2")]


def test_a_page_of_submissions_asks_few_questions_however_many_they_are(odk: Client) -> None:
    odk.publish("visita", FORM)

    def questions() -> int:
        asked: list[str] = []

        def note(*told: Any) -> None:
            asked.append(told[2])

        engine = odk.node.app.state.engine
        list(shelf(odk, "visita").each(EVERYTHING))  # what is noted once of new records, and the form read
        event.listen(engine, "before_cursor_execute", note)
        found = list(shelf(odk, "visita").each(EVERYTHING))
        event.remove(engine, "before_cursor_execute", note)
        assert found
        return sum(statement.lstrip().startswith("SELECT") for statement in asked)

    root = odk.send("visita", "<a>1</a>")
    odk.edit("visita", root, "<a>2</a>")
    odk.review("visita", root, "approved")
    few = questions()
    for number in range(6):
        another = odk.send("visita", f"<a>{number}</a>")
        odk.edit("visita", another, "<a>x</a>")
        odk.review("visita", another, "rejected")
    assert max(few, questions()) <= 16


def test_two_devices_that_send_one_submission_at_once_leave_one(odk: Client) -> None:
    odk.publish("visita", FORM)
    xml = submission("visita", new_instance(), "<a>1</a>")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: odk.post(xml).status_code, range(4)))
    assert set(answers) <= {201, 409} and 201 in answers
    rows = odk.csv("visita")
    assert [row["a"] for row in rows] == ["1"]
