"""Every address of a node, asked by everybody: nobody, the PIN, each role, a token of each scope."""

import base64
from collections.abc import Generator, Iterator
from typing import Any

import httpx
import pytest

from collector import accounts, people
from collector.addresses import every_router
from collector.db import writing
from collector.rights import RIGHTS, ROLES, SCOPES, has_right
from tests.lab.conftest import PASSWORD, Lab
from tests.lab.rights_table import TABLE, guards
from tests.lab.staff import PLACE, address_of, browser_of, hire, session_of

NOBODY, PIN, NODE, DEVICE = "nobody", "pin", "node", "device"
TOKENS = {f"token {scope}": scope for scope in SCOPES}
# who may do least comes first: what somebody changes must not get in the way of the next
EVERYBODY = (NOBODY, *TOKENS, PIN, "municipality", "facilitator", "analyst", "lab", "admin")
# what says that an address is closed to whoever asks; other refusals come from inside
CLOSED = {"login_needed", "right_missing", "scope_missing", "municipality_missing", "token_invalid", "unknown_node"}
# what an address looks at before it looks at who asks
HEADERS = {"POST /sync/v1/batches": {"Content-Type": "application/x-ndjson"}}


def every_address() -> set[str]:
    """Return "METHOD /address" of every route, however its router was included."""
    return {address for router in every_router() for address in _addresses(router, "")}


def _addresses(router: Any, prefix: str) -> Iterator[str]:
    for route in router.routes:
        if hasattr(route, "path"):
            yield from (f"{method} {prefix}{route.path}" for method in set(route.methods or ()) - {"HEAD"})
        else:
            yield from _addresses(route.original_router, prefix + router.prefix)


def test_every_address_has_its_line_in_the_table() -> None:
    known = guards()
    assert every_address() - known.keys() == set(), "say in tests/lab/rights_table.py who may use it"
    assert known.keys() - every_address() == set(), "these addresses are gone"


def test_the_table_speaks_of_guards_that_there_are() -> None:
    known = {"open", "pin", "node", "device", "odk", "token", "token records", *RIGHTS}
    known |= {f"{way} {right}" for way in ("odk", "pin or") for right in RIGHTS}
    assert set(TABLE) <= known


def is_expected(guard: str, who: str) -> bool:
    """Tell whether the address is open to whoever asks."""
    if guard == "open":
        return True
    if who == PIN:
        return guard == PIN or guard.startswith("pin or ")
    if guard in (PIN, NODE, DEVICE):
        return who == guard
    if guard.startswith("token"):
        return who in TOKENS and (guard == "token" or TOKENS[who] != "aggregates")
    if guard == "odk":
        return who in (*TOKENS, *ROLES)
    role = SCOPES[TOKENS[who]] if who in TOKENS and guard.startswith("odk ") else who
    return role in ROLES and has_right(role, guard.removeprefix("odk ").removeprefix("pin or "))


@pytest.fixture
def staffed(lab: Lab) -> Lab:
    """Give a node with a record, a form and somebody of every role."""
    hire(lab.node, *ROLES)
    return lab


class ProgramsAuth(httpx.Auth):
    """Says who asks where programs are read: elsewhere another node's token stands in that header."""

    def __init__(self, given: str) -> None:
        self.given = given

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if request.url.path.startswith(("/api/", "/v1/")):
            request.headers["Authorization"] = self.given
        yield request


def client_of(lab: Lab, who: str) -> httpx.Client:
    """Give a client that says who it is in every way that its kind can."""
    client = httpx.Client(
        base_url=lab.node.url, headers={"Accept": "application/json", "X-Purpose": "prueba"}, timeout=30
    )
    if who in TOKENS:
        with writing(lab.node.app.state.engine) as session:
            token = people.make_token(session, who, TOKENS[who], purpose="prueba de la tabla")
        client.auth = ProgramsAuth(f"Bearer {token}")
    elif who in ROLES:
        secret = base64.b64encode(f"{address_of(who)}:{PASSWORD}".encode()).decode()
        client.auth = ProgramsAuth(f"Basic {secret}")
    return client


def ask(lab: Lab, client: httpx.Client, who: str, address: str, values: dict[str, str]) -> bool:
    """Tell whether the address let whoever asks in."""
    method, _, path = address.partition(" ")
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    client.cookies.clear()
    if who in (PIN, *ROLES):  # anew each time: some addresses sign people out
        cookie = "collector_pin" if who == PIN else "collector_session"
        client.cookies.set(cookie, session_of(lab.node, who if who == PIN else address_of(who)))
    with client.stream(method, path, headers=HEADERS.get(address)) as answer:
        assert answer.status_code < 500, (address, who, answer.read())
        if path.startswith("/v1/"):
            return answer.status_code not in (401, 403)
        if answer.status_code not in (401, 403) or "json" not in answer.headers["content-type"]:
            return True  # a page of log-in also says 401 to a wrong password
        answer.read()
        return answer.json().get("code") not in CLOSED


@pytest.mark.parametrize("who", EVERYBODY)
def test_every_address_is_open_to_exactly_those_whom_the_table_names(staffed: Lab, who: str) -> None:
    (record_id,) = staffed.put(staffed.answer(idea="más luz"))
    values = {
        "form_id": "barrio", "version": "1", "version:path": "1", "record_id": record_id, "code": PLACE,
        "session": record_id, "name": "x", "path:path": "x", "rest:path": "x", "sha256": "0" * 64, "project_id": "1",
    }  # fmt: skip
    names = {part.partition("}")[0] for address in guards() for part in address.split("{")[1:]}
    values = dict.fromkeys(names, "x") | values
    with client_of(staffed, who) as client:
        wrong = {
            address: f"{guard}: {'closed' if is_expected(guard, who) else 'open'} to {who}"
            for address, guard in guards().items()
            if ask(staffed, client, who, address, values) != is_expected(guard, who)
        }
    assert wrong == {}


# --- somebody else's things, by their address


def test_a_municipality_sees_its_own_page_and_no_other(staffed: Lab) -> None:
    staffed.put(staffed.answer(lugar__municipio="0401", idea="de Alanje"))
    with browser_of(staffed.node, "municipality") as client:
        assert client.get(f"/municipio/{PLACE}").status_code == 200
        assert client.get("/municipio").headers["location"] == f"/municipio/{PLACE}"
        for path in ("/municipio/0401", "/municipio/0401.csv?purpose=informe"):
            answer = client.get(path)
            assert answer.status_code == 403 and "Alanje" not in answer.text, path
        assert client.post("/municipio/0401", data={"text": "haremos algo"}).status_code == 403


def test_a_municipality_whose_role_is_taken_away_sees_nothing_from_the_next_page_on(staffed: Lab) -> None:
    with browser_of(staffed.node, "municipality") as client:
        assert client.get(f"/municipio/{PLACE}").status_code == 200
        with writing(staffed.node.app.state.engine) as session:
            accounts.change_role(session, address_of("municipality"), "facilitator")
        assert client.get(f"/municipio/{PLACE}").status_code == 403


def test_an_analyst_gets_no_bytes_that_say_who_answered(staffed: Lab) -> None:
    content = staffed.answer(nombre="Ana Ríos", idea="más luz")
    (record_id,) = staffed.put(content)
    with browser_of(staffed.node, "analyst") as client:
        for path in (f"/lab/records/{record_id}", f"/lab/records/{record_id}.xml?purpose=informe"):
            answer = client.get(path)
            assert answer.status_code == 200 and "más luz" in answer.text, path
            assert "Ana Ríos" not in answer.text, path
        assert "Ana Ríos" not in client.get("/lab/forms/barrio/export.csv?purpose=informe").text
        for path in (f"/lab/cuarentena/{record_id}", f"/lab/records/{record_id}/borrar", "/lab/personas"):
            assert client.get(path).status_code == 403, path


def test_a_token_for_one_form_learns_nothing_of_another(staffed: Lab) -> None:
    (record_id,) = staffed.put(staffed.answer(idea="más luz"))
    with writing(staffed.node.app.state.engine) as session:
        token = people.make_token(session, "otra", "identifiers", forms=["otro"], purpose="informe")
    with httpx.Client(base_url=staffed.node.url, headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/api/v1/forms").json()["forms"] == []
        assert client.get("/api/v1/records").json()["records"] == []
        hidden = ("forms/barrio", "forms/barrio/counts", "forms/barrio/questions", f"records/{record_id}")
        for path in (*hidden, "forms/barrio/1/definition"):
            answer = client.get(f"/api/v1/{path}")
            assert answer.status_code in (403, 404) and "luz" not in answer.text, path
            assert answer.status_code == client.get(f"/api/v1/{path.replace('barrio', 'nada')}").status_code, path


def test_a_token_of_counts_reads_no_record_and_one_of_records_no_name(staffed: Lab) -> None:
    staffed.put(staffed.answer(nombre="Ana Ríos", idea="más luz"))
    for who, status in (("token aggregates", 403), ("token records", 200)):
        with client_of(staffed, who) as client:
            answer = client.get("/api/v1/records")
            assert answer.status_code == status and "Ana Ríos" not in answer.text
            assert ("más luz" in answer.text) == (status == 200)
    with client_of(staffed, "token identifiers") as client:
        assert "Ana Ríos" in client.get("/api/v1/records").text
