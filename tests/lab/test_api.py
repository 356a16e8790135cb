"""The interface for programs: scopes, purposes, tags, problems, the cursor while others write."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyxform.xls2xform import convert
from sqlalchemy import event, text

from collector import people
from collector.addresses import router_of
from collector.db import reading, writing
from collector.lab.cursors import Place, cursor_of, place_of
from collector.queries import pulls
from collector.queries.audit import list_entries
from collector.queries.records import ingest
from collector.routes.api_common import Rate
from collector.settings import Settings
from sync.statements import made, make_review, make_tombstone
from tests.conftest import Node, serve
from tests.lab.conftest import MOMENT_MS, Lab

PEOPLE = """
| survey   |               |        |                 |
|          | type          | name   | label           |
|          | text          | nombre | ¿Cómo se llama? |
|          | select_one si | gusta  | ¿Le gusta?      |
|          | text          | idea   | ¿Qué cambiaría? |
| choices  |               |        |                 |
|          | list_name     | name   | label           |
|          | si            | si     | Sí              |
|          | si            | no     | No              |
| settings |               |        |                 |
|          | form_id       | version | form_title     |
|          | vecinos       | 1      | Vecinos         |
"""
GETS = (
    "/api/v1/openapi.json",
    "/api/v1/whoami",
    "/api/v1/forms",
    "/api/v1/forms/barrio",
    "/api/v1/forms/barrio/questions",
    "/api/v1/forms/barrio/1/definition",
    "/api/v1/forms/barrio/counts",
    "/api/v1/nodes",
    "/api/v1/records",
    "/api/v1/records/{id}",
)


@pytest.fixture(scope="session")
def vecinos() -> str:
    """Give the XForm of a form that asks a name."""
    return str(convert(PEOPLE, validate=False, file_type=".md").xform)


@pytest.fixture
def client_of(lab: Lab) -> Iterator[Callable[..., httpx.Client]]:
    """Give a function that makes a program's client: `client_of("records", forms=["barrio"])`."""
    made: list[httpx.Client] = []

    def make(scope: str = "identifiers", purpose: str = "informe de junio", **options: Any) -> httpx.Client:
        with writing(lab.node.app.state.engine) as session:
            token = people.make_token(session, f"t{len(made)}", scope, purpose=purpose, **options)
        made.append(httpx.Client(base_url=lab.node.url, headers={"Authorization": f"Bearer {token}"}, timeout=30))
        return made[-1]

    yield make
    for client in made:
        client.close()


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == answer.status_code and said["title"] and said["detail"]
    assert said["type"] == f"urn:collector:problem:{said['code']}"
    return answer.status_code, said["code"]


def acts(lab: Lab, action: str) -> list[tuple[str, str, str, int]]:
    with reading(lab.node.app.state.engine) as session:
        return [(it.who, it.subject, it.purpose, it.count) for it in list_entries(session, action=action)]


# --- tags


@pytest.mark.parametrize("path", GETS)
def test_every_answer_has_a_tag_and_who_has_it_gets_304(
    lab: Lab, client_of: Callable[..., httpx.Client], path: str
) -> None:
    (record,) = lab.put(lab.answer())
    client, path = client_of(), path.format(id=record)
    first = client.get(path)
    assert first.status_code == 200, first.text
    again = client.get(path, headers={"If-None-Match": f'"otra", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert client.get(path, headers={"If-None-Match": '"otra"'}).status_code == 200


def test_the_tag_of_the_feed_is_another_after_each_change(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    client, engine = client_of(), lab.node.app.state.engine
    seen = {client.get("/api/v1/records").headers["etag"]}
    (record,) = lab.put(lab.answer())
    seen.add(client.get("/api/v1/records").headers["etag"])
    with writing(engine) as session:
        ingest(session, [make_review(record, "approved", "ana@ejemplo.pa")], MOMENT_MS)
    seen.add(client.get("/api/v1/records").headers["etag"])
    lab.erase(record)
    seen.add(client.get("/api/v1/records").headers["etag"])
    lab.install("2")
    seen.add(client.get("/api/v1/records").headers["etag"])
    assert len(seen) == 5


def test_a_tag_of_one_token_is_none_of_a_token_that_reads_less(
    lab: Lab, client_of: Callable[..., httpx.Client]
) -> None:
    lab.put(lab.answer())
    tags = [
        client.get("/api/v1/records").headers["etag"]
        for client in (client_of(), client_of("records"), client_of("records", forms=["barrio"]))
    ]
    assert len(set(tags)) == 3


# --- problems


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        ("/api/v1/forms/nadie", 404, "form_not_found"),
        ("/api/v1/forms/nadie/counts", 404, "form_not_found"),
        ("/api/v1/forms/barrio/9/definition", 404, "form_not_found"),
        ("/api/v1/forms/a%00b/questions", 404, "form_not_found"),
        ("/api/v1/forms/barrio/1%00/definition", 404, "form_not_found"),
        ("/api/v1/records/nadie", 404, "record_not_found"),
        ("/api/v1/records/%00", 404, "record_not_found"),
        ("/api/v1/records?form=nadie", 404, "form_not_found"),
        ("/api/v1/records?form=%00", 404, "form_not_found"),
        ("/api/v1/records?cursor=zzz", 409, "cursor_unknown"),
        ("/api/v1/records?cursor=*", 400, "bad_request"),
        ("/api/v1/records?since=2026-02-30", 400, "bad_request"),
        ("/api/v1/records?fom=barrio", 400, "bad_request"),
        ("/api/v1/records?limit=1&limit=2", 400, "bad_request"),
        ("/api/v1/forms?x=1", 400, "bad_request"),
        ("/api/v1/nothing", 404, "not_found"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_every_problem_is_problem_json(
    client_of: Callable[..., httpx.Client], path: str, status: int, problem: str, accept: str
) -> None:
    assert code(client_of().get(path, headers={"Accept": accept})) == (status, problem)


def test_a_browser_that_asks_for_a_page_gets_the_problem_all_the_same(client_of: Callable[..., httpx.Client]) -> None:
    answer = client_of().get("/api/v1/records/nadie", headers={"Accept": "text/html"})
    assert code(answer) == (404, "record_not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "HEAD"])
def test_another_method_is_told_which_one_there_is(client_of: Callable[..., httpx.Client], method: str) -> None:
    answer = client_of().request(method, "/api/v1/records")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_without_a_token_the_answer_says_how_to_give_one(lab: Lab) -> None:
    answer = httpx.get(f"{lab.node.url}/api/v1/whoami")
    assert code(answer) == (401, "token_invalid")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_too_many_requests_wait_and_come_back() -> None:
    moment = [0.0]
    rate = Rate(lambda: moment[0], burst=3, a_second=2)
    assert [rate.wait("a") for _ in range(4)] == [0, 0, 0, 1]
    assert rate.wait("b") == 0  # another token has a count of its own
    moment[0] = 0.5
    assert [rate.wait("a"), rate.wait("a")] == [0, 1]
    moment[0] = 1000.0
    assert [rate.wait("a") for _ in range(4)] == [0, 0, 0, 1]


def test_who_asks_too_often_is_told_how_long_to_wait(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    lab.node.app.state.api_rate = Rate(lambda: 0.0, burst=2, a_second=0.25)
    client = client_of()
    assert [client.get("/api/v1/whoami").status_code for _ in range(2)] == [200, 200]
    answer = client.get("/api/v1/whoami")
    assert code(answer) == (429, "too_many_requests")
    assert answer.headers["retry-after"] == "4"


# --- who may read what


def test_a_token_for_counts_opens_no_record(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    (record,) = lab.put(lab.answer())
    client = client_of("aggregates")
    for path in ("/api/v1/records", f"/api/v1/records/{record}", "/api/v1/nodes"):
        assert code(client.get(path)) == (403, "scope_missing")
    assert client.get("/api/v1/forms/barrio/counts").status_code == 200
    assert client.get("/api/v1/whoami").json()["scope"] == "aggregates"


def test_a_token_without_identifiers_gets_no_names_and_is_told_so(
    lab: Lab, client_of: Callable[..., httpx.Client], vecinos: str
) -> None:
    lab.publish(vecinos)
    named, free = lab.record("vecinos", {"nombre": "Ana Ríos", "idea": "luz"}), lab.record("vecinos", {"idea": "agua"})
    lab.put(named, free, lab.record("nunca", {"nombre": "Eva Paz"}))
    lab.erase(lab.put(lab.answer())[0])
    body = client_of("records").get("/api/v1/records")
    assert "Ríos" not in body.text and "Paz" not in body.text and "R\\u00edos" not in body.text
    entries = body.json()["records"]
    assert [(it["kind"], it["hidden"], (it["record"] or {}).get("answers")) for it in entries] == [
        ("submission", "identifiers", {"idea": "luz"}),
        ("submission", "", {"idea": "agua"}),
        ("submission", "identifiers", {}),
        ("tombstone", "all", None),
        ("submission", "", None),
    ]
    whole = client_of("identifiers").get("/api/v1/records").json()["records"]
    assert [it["record"] for it in whole[:2]] == [named, free] and not any(it["hidden"] for it in whole)
    one = client_of("records").get(f"/api/v1/records/{named['id']}").json()
    assert one == entries[0]


def test_a_token_for_some_forms_learns_nothing_of_the_others(
    lab: Lab, client_of: Callable[..., httpx.Client], vecinos: str
) -> None:
    lab.publish(vecinos)
    other, own = lab.put(lab.record("vecinos", {"idea": "luz"}), lab.answer())
    client = client_of(forms=["barrio"])
    assert [form["form_id"] for form in client.get("/api/v1/forms").json()["forms"]] == ["barrio"]
    assert [it["id"] for it in client.get("/api/v1/records").json()["records"]] == [own]
    assert client.get(f"/api/v1/records/{own}").status_code == 200
    unknown = client.get("/api/v1/forms/nadie").json()
    for path in ("", "/questions", "/counts", "/1/definition"):
        answer = client.get(f"/api/v1/forms/vecinos{path}")
        assert code(answer) == (404, "form_not_found")
        assert answer.json()["detail"] == unknown["detail"].replace("nadie", "vecinos")
    assert code(client.get("/api/v1/records?form=vecinos")) == (404, "form_not_found")
    assert code(client.get(f"/api/v1/records/{other}")) == (404, "record_not_found")


def test_the_codebook_says_which_questions_identify_and_in_which_versions(
    lab: Lab, client_of: Callable[..., httpx.Client], vecinos: str
) -> None:
    lab.publish(vecinos)
    lab.install("2")
    client = client_of("aggregates")
    lines = {it["name"]: it for it in client.get("/api/v1/forms/vecinos/questions").json()["questions"]}
    assert [name for name, line in lines.items() if line["is_direct"]] == ["nombre"]
    barrio = {it["name"]: it for it in client.get("/api/v1/forms/barrio/questions").json()["questions"]}
    assert (barrio["hijos"]["versions"], barrio["edad"]["versions"]) == (["2"], ["1", "2"])
    assert barrio["edad"]["sql_type"] == "REAL"
    assert [choice["name"] for choice in barrio["temas"]["choices"]] == ["agua", "luz", "caminos"]
    assert barrio["gusta"]["label"]["English (en)"] == "Do you like it?"


# --- purpose and audit


def test_records_leave_for_a_purpose_alone(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    (record,) = lab.put(lab.answer())
    client = client_of(purpose="")
    assert code(client.get("/api/v1/records")) == (422, "purpose_missing")
    assert code(client.get(f"/api/v1/records/{record}")) == (422, "purpose_missing")
    assert acts(lab, "export") == []
    assert client.get("/api/v1/records", headers={"X-Purpose": "informe de mayo"}).status_code == 200
    assert client.get("/api/v1/records?purpose=informe+de+abril").status_code == 200
    assert [purpose for _, _, purpose, _ in acts(lab, "export")] == ["informe de abril", "informe de mayo"]


@pytest.mark.parametrize("said", ["Evaluación anual", "a la alcaldía", "Ñoño: ¿y el año?"])
def test_a_purpose_in_spanish_is_taken_as_it_is_written(
    lab: Lab, client_of: Callable[..., httpx.Client], said: str
) -> None:
    lab.put(lab.answer())
    answer = client_of(purpose="").get("/api/v1/records", headers=[(b"X-Purpose", said.encode())])
    assert answer.status_code == 200
    assert [purpose for _, _, purpose, _ in acts(lab, "export")] == [said]


def test_an_empty_form_is_not_every_form(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    lab.put(lab.answer())
    answer = client_of().get("/api/v1/records?form=")
    assert code(answer) == (400, "bad_request") and "«form» no se puede leer" in answer.json()["title"]


def test_lines_are_given_to_who_asks_for_them(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    lab.put(lab.answer())
    kinds = {
        accept: client_of().get("/api/v1/records", headers={"Accept": accept}).headers["content-type"]
        for accept in ("application/json, application/x-ndjson;q=0.9", "application/x-ndjson; q=0, */*", "*/*")
    }
    assert [kind.partition(";")[0] for kind in kinds.values()] == [
        "application/x-ndjson", "application/json", "application/json",
    ]  # fmt: skip


def test_a_page_of_records_is_one_line_of_the_audit_and_nothing_new_is_none(
    lab: Lab, client_of: Callable[..., httpx.Client]
) -> None:
    ids = lab.put(*(lab.answer() for _ in range(5)))
    client = client_of()
    page = client.get("/api/v1/records?limit=3")
    assert client.get("/api/v1/records?form=barrio&limit=3").status_code == 200
    end = client.get("/api/v1/records", params={"cursor": page.json()["cursor"]})
    client.get("/api/v1/records", params={"cursor": end.json()["cursor"]})
    client.get("/api/v1/records", headers={"If-None-Match": end.headers["etag"]})
    who = "token t0"
    assert acts(lab, "export") == [
        (who, "records", "informe de junio", 2),
        (who, "barrio", "informe de junio", 3),
        (who, "records", "informe de junio", 3),
    ]
    client.get(f"/api/v1/records/{ids[0]}")
    assert acts(lab, "read_record") == [(who, ids[0], "informe de junio", 1)]


# --- the cursor


def test_a_cursor_is_read_back_and_anything_else_is_none() -> None:
    assert place_of(cursor_of(Place("f5ca:78", 12))) == Place("f5ca:78", 12)
    for odd in ("", "zzz", "YzE6MTI", "ñ", "====", cursor_of(Place("", 3)), cursor_of(Place("e", -3)), "A" * 200):
        assert place_of(odd) is None


def test_a_cursor_of_another_log_or_from_the_future_is_refused(
    lab: Lab, client_of: Callable[..., httpx.Client]
) -> None:
    lab.put(lab.answer())
    client = client_of()
    epoch = client.get("/api/v1/records").json()["epoch"]
    for place in (Place("otra", 1), Place(epoch, 2)):
        assert code(client.get("/api/v1/records", params={"cursor": cursor_of(place)})) == (409, "cursor_unknown")


def test_since_gives_what_arrived_or_changed_from_that_moment_on(
    lab: Lab, client_of: Callable[..., httpx.Client]
) -> None:
    day = 24 * 3_600_000
    ids = [lab.put(lab.answer(), received_ms=MOMENT_MS + number * day)[0] for number in range(8)]
    client = client_of()

    def since(moment: str) -> list[str]:
        return [it["id"] for it in client.get("/api/v1/records", params={"since": moment}).json()["records"]]

    assert since("2026-11-20") == ids
    assert since("2026-11-23") == ids[3:]
    assert since("2026-11-23T16:00:00Z") == ids[3:] and since("2026-11-23T16:01Z") == ids[4:]
    assert since("2027-01-01") == []
    with writing(lab.node.app.state.engine) as session:
        ingest(session, [make_tombstone(ids[0], "lab", "prueba")], MOMENT_MS + 8 * day)
    assert since("2026-11-28")[1:] == [ids[0]]  # behind the tombstone that erased it


@pytest.fixture
def both(make_database_url: Callable[..., str], tmp_path: Path, barrio_xforms: dict[str, str]) -> Iterator[Lab]:
    """Give a node on each of the two databases."""
    folder = tmp_path / "ambas"
    folder.mkdir()
    node: Node = serve(
        Settings(data_dir=folder, database_url=make_database_url(folder), name="central", sync_seconds=0)
    )
    with httpx.Client(base_url=node.url, timeout=30) as browser:
        lab = Lab(node, browser, barrio_xforms)
        lab.install("1")
        yield lab
    node.stop()


def test_who_reads_while_others_write_misses_nothing_and_sees_twice_only_what_changed(both: Lab) -> None:
    engine = both.node.app.state.engine
    first = both.put(*(both.answer() for _ in range(60)))
    changed: set[str] = set()
    stop = threading.Event()

    def write() -> None:
        for number in range(40):
            both.put(both.answer(), both.record("otra", {"x": str(number)}))
            old = first[number]
            with writing(engine) as session:
                if number % 3 == 0:
                    ingest(session, [make_tombstone(old, "lab", "prueba")], MOMENT_MS)
                elif number % 3 == 1:
                    ingest(session, [make_review(old, "rejected", "ana@ejemplo.pa")], MOMENT_MS)
                else:
                    ingest(session, [made(both.answer() | {"kind": "edit", "replaces": old})], MOMENT_MS)
            changed.add(old)
        stop.set()

    with writing(engine) as session:
        headers = {"Authorization": f"Bearer {people.make_token(session, 't', purpose='pruebas')}"}
    writer = threading.Thread(target=write)
    writer.start()
    seen: dict[str, list[dict[str, Any]]] = {}
    cursor, is_over = "", False
    while not is_over:
        was_over = stop.is_set()
        query = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        page = both.browser.get("/api/v1/records", params=query, headers=headers).json()
        assert page["count"] == len(page["records"]) <= 7
        for entry in page["records"]:
            seen.setdefault(entry["id"], []).append(entry)
        cursor, is_over = page["cursor"], was_over and not page["more"]
    writer.join()
    with engine.connect() as connection:
        stored = {
            row.id: (row.changed_n, row.state, row.review) for row in connection.execute(text("SELECT * FROM record"))
        }
    assert set(seen) == set(stored)
    for record_id, entries in seen.items():
        last = entries[-1]
        review = last["review"] if last["review"] != "received" else ""
        assert (last["n"], last["state"], review) == stored[record_id]
    assert {record_id for record_id, entries in seen.items() if len(entries) > 1} <= changed


def test_forms_are_merged_in_order_of_change_on_both_databases(both: Lab) -> None:
    ids = both.put(*(both.record(f"f{number % 5}", {"x": "1"}) for number in range(30)))
    with reading(both.node.app.state.engine) as session:
        page, more = pulls.feed(session, 0, 100)
        assert ([it.id for it in page], [it.n for it in page], more) == (ids, list(range(1, 31)), False)
        page, more = pulls.feed(session, 4, 3, ["f1", "f2"])
        assert ([it.n for it in page], more) == ([7, 8, 12], True)
        assert pulls.changed_forms(session, 28) == ["f3", "f4"] and pulls.changed_forms(session, 30) == []
        assert pulls.feed(session, 0, 10, ["nadie"]) == ([], False)


@pytest.mark.sqlite_file
def test_a_page_of_the_feed_takes_few_statements_each_along_an_index(lab: Lab) -> None:
    lab.put(*(lab.record(f"f{number % 5}", {"x": "1"}) for number in range(60)))
    asked: list[tuple[str, Any]] = []
    engine = lab.node.app.state.engine

    def listen(_c: Any, _cursor: Any, statement: str, given: Any, _context: Any, _many: bool) -> None:
        asked.extend([(statement, given)] if statement != "BEGIN" else [])

    event.listen(engine, "before_cursor_execute", listen)
    with reading(engine) as session:
        pulls.feed(session, 20, 10)
        assert len(asked) == 1  # the forms are asked by the driver
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0][0]}", asked[0][1]).all()
        forms = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {pulls.CHANGED_FORMS}", (1,)).all()
    event.remove(engine, "before_cursor_execute", listen)
    steps = [row[-1] for row in [*plan, *forms]]
    parts = [step for step in steps if "INDEX ix_record_form_changed_n (form=? AND changed_n>?)" in step]
    assert len(parts) == 5  # a form each; which index tells the forms' names is SQLite's to choose
    assert not [step for step in steps if step.startswith("SCAN record") or "TEMP B-TREE" in step]


def test_a_review_stands_beside_its_record(lab: Lab, client_of: Callable[..., httpx.Client]) -> None:
    (record,) = lab.put(lab.answer())
    client = client_of()
    page = client.get("/api/v1/records").json()
    assert page["records"][0]["review"] == "received"
    with writing(lab.node.app.state.engine) as session:
        ingest(session, [make_review(record, "rejected", "ana@ejemplo.pa", "no es")], MOMENT_MS)
    after = client.get("/api/v1/records", params={"cursor": page["cursor"]}).json()["records"]
    assert [(it["kind"], it["review"]) for it in after if it["id"] == record] == [("submission", "rejected")]
    assert [it["first"] < it["n"] for it in after if it["id"] == record] == [True]


# --- the description


def test_the_description_names_every_address_and_needs_no_token(lab: Lab) -> None:
    said = httpx.get(f"{lab.node.url}/api/v1/openapi.json").json()
    inner = [route for part in router_of("api").routes for route in part.original_router.routes]  # type: ignore[attr-defined]
    assert set(said["paths"]) == {route.path for route in inner}
    for path, item in said["paths"].items():
        operation = item["get"]
        assert operation["security"] == ([] if path.endswith("openapi.json") else [{"token": []}])
        assert {"200", "304", "400", "500"} <= set(operation["responses"]) and "422" not in set(
            operation["responses"]
        ) - ({"422"} if "/records" in path else set())
        assert operation["responses"]["400"]["content"]["application/problem+json"]["schema"]
    assert json.dumps(said).count("HTTPValidationError") == 0
    assert httpx.get(f"{lab.node.url}/openapi.json", headers={"Accept": "application/json"}).status_code == 404
