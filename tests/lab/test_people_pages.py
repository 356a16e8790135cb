"""The people of the lab over real HTTP: accounts and roles, the second step, one's own account, tokens."""

import re
import time
from collections.abc import Iterator

import httpx
import pyotp
import pytest

from collector import people, second_step
from collector.clock import now_ms
from collector.db import reading, writing
from collector.problems import ProblemError
from collector.queries import people as people_queries
from collector.rights import HOMES, ROLES
from tests.lab.conftest import EMAIL, PASSWORD, Lab
from tests.lab.staff import PLACE, address_of, audited, browser_of, hire

NEW = "nueva@ejemplo.pa"
WHY = "entra al equipo"


def log_in(client: httpx.Client, email: str, password: str, next_path: str = "/lab") -> httpx.Response:
    return client.post("/lab/login", data={"email": email, "password": password, "next": next_path})


def add(lab: Lab, email: str = NEW, role: str = "analyst", **more: str) -> httpx.Response:
    return lab.browser.post("/lab/personas", data={"email": email, "role": role, "purpose": WHY} | more)


def change(lab: Lab, email: str, action: str, **more: str) -> httpx.Response:
    return lab.browser.post("/lab/personas/cambiar", data={"email": email, "action": action, "purpose": WHY} | more)


def told(answer: httpx.Response) -> str:
    found = re.search(r'id="one-time">([a-z0-9-]+)<', answer.text)
    assert found, answer.text
    return found[1]


@pytest.fixture
def stranger(lab: Lab) -> Iterator[httpx.Client]:
    """Give a second browser."""
    with httpx.Client(base_url=lab.node.url, headers={"Accept": "text/html"}, timeout=30) as client:
        yield client


# --- accounts


def test_a_password_from_an_admin_is_shown_once_and_opens_nothing_but_its_change(
    open_lab: Lab, stranger: httpx.Client
) -> None:
    password = told(add(open_lab))
    assert password not in open_lab.browser.get("/lab/personas").text
    assert log_in(stranger, NEW, password).headers["location"] == "/lab/cuenta"
    for path in ("/lab", "/lab/forms/barrio", "/lab/forms/barrio/export.csv?purpose=informe"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/lab/cuenta"), path
    assert "Ponga su propia contraseña" in stranger.get("/lab/cuenta").text

    mine = {"old": password, "new": "otra clave mía", "again": "otra clave mía"}
    assert stranger.post("/lab/cuenta/clave", data=mine).status_code == 303
    assert stranger.get("/lab").status_code == 200
    assert log_in(stranger, NEW, password).status_code == 401


@pytest.mark.parametrize("role", ROLES)
def test_each_role_begins_at_its_home_and_sees_only_what_it_may_open(lab: Lab, role: str) -> None:
    hire(lab.node, *ROLES)
    assert log_in(lab.browser, address_of(role), PASSWORD).headers["location"] == HOMES[role]
    page = lab.browser.get("/lab/cuenta").text
    for href in re.findall(r'<a href="(/lab/[a-z]+|/lab)"(?: aria-current="page")?>', page.partition("</nav>")[0]):
        assert lab.browser.get(href).status_code == 200, href
    assert ("/lab/personas" in page) == (role == "admin")


def test_whoever_was_on_the_way_to_a_page_arrives_there(lab: Lab) -> None:
    assert log_in(lab.browser, EMAIL, PASSWORD, "/lab/salas").headers["location"] == "/lab/salas"
    assert log_in(lab.browser, EMAIL, PASSWORD, "https://otro.sitio").headers["location"] == "/lab"


def test_a_role_is_changed_for_a_reason_and_counts_from_the_next_page_on(open_lab: Lab) -> None:
    hire(open_lab.node, "analyst")
    with browser_of(open_lab.node, "analyst") as analyst:
        assert analyst.get("/lab/cuarentena").status_code == 403
        assert change(open_lab, address_of("analyst"), "role", role="lab").status_code == 303
        assert analyst.get("/lab/cuarentena").status_code == 200
    entry = audited(open_lab.node, action="role")[0]
    assert (entry.who, entry.subject, entry.purpose) == (EMAIL, address_of("analyst"), WHY)
    assert '"before": {"role": "analyst"}' in entry.detail and '"role": "lab"' in entry.detail


@pytest.mark.parametrize("action", ["role", "close", "open", "reset"])
def test_nothing_changes_without_a_reason(open_lab: Lab, action: str) -> None:
    hire(open_lab.node, "analyst")
    before = audited(open_lab.node)
    answer = change(open_lab, address_of("analyst"), action, role="lab", purpose=" x ")
    assert answer.status_code == 422 and "para qué" in answer.text
    assert audited(open_lab.node) == before
    with reading(open_lab.node.app.state.engine) as session:
        user = people_queries.get_user(session, address_of("analyst"))
        assert user is not None and (user.role, user.closed_ms, user.must_change) == ("analyst", 0, 0)


def test_a_closed_account_is_out_at_once_and_an_open_one_may_come_back(open_lab: Lab, stranger: httpx.Client) -> None:
    hire(open_lab.node, "analyst")
    with browser_of(open_lab.node, "analyst") as analyst:
        assert analyst.get("/lab").status_code == 200
        change(open_lab, address_of("analyst"), "close")
        assert analyst.get("/lab").headers["location"].startswith("/lab/login")
    assert log_in(stranger, address_of("analyst"), PASSWORD).status_code == 401
    change(open_lab, address_of("analyst"), "open")
    assert log_in(stranger, address_of("analyst"), PASSWORD).status_code == 303
    assert [json_what(entry.detail) for entry in audited(open_lab.node, action="account")] == ["opened", "closed"]


def json_what(detail: str) -> str:
    import json

    return str(json.loads(detail)["what"])


def test_a_reset_ends_the_sessions_and_takes_the_second_step_away(open_lab: Lab, stranger: httpx.Client) -> None:
    hire(open_lab.node, "analyst")
    with writing(open_lab.node.app.state.engine) as session:
        user = people_queries.get_user(session, address_of("analyst"))
        assert user is not None
        user.totp_secret = second_step.new_secret()
    with browser_of(open_lab.node, "analyst") as analyst:
        password = told(change(open_lab, address_of("analyst"), "reset"))
        assert analyst.get("/lab").status_code == 303
    assert log_in(stranger, address_of("analyst"), PASSWORD).status_code == 401
    assert log_in(stranger, address_of("analyst"), password).headers["location"] == "/lab/cuenta"


@pytest.mark.parametrize("more", [{"action": "close"}, {"action": "role", "role": "lab"}])
def test_the_last_admin_can_be_neither_closed_nor_given_another_role(open_lab: Lab, more: dict[str, str]) -> None:
    answer = change(open_lab, EMAIL, **more)
    assert answer.status_code == 409 and EMAIL in answer.text
    assert open_lab.browser.get("/lab/personas").status_code == 200
    hire(open_lab.node, "admin")
    assert change(open_lab, EMAIL, **more).status_code == 303
    assert open_lab.browser.get("/lab/personas").status_code in (303, 403)
    with browser_of(open_lab.node, "admin") as other:
        again = {"email": address_of("admin"), "purpose": WHY} | more
        assert other.post("/lab/personas/cambiar", data=again).status_code == 409


def test_the_role_of_a_municipality_needs_one_that_there_is(open_lab: Lab) -> None:
    for place in ("", "9999", "Macondo", "Santa Fe"):  # there are two Santa Fe
        assert add(open_lab, role="municipality", municipality=place).status_code == 422
    assert add(open_lab, role="municipality", municipality=PLACE).status_code == 200
    assert place_of(open_lab, NEW) == ("municipality", PLACE)


def place_of(lab: Lab, email: str) -> tuple[str, str]:
    with reading(lab.node.app.state.engine) as session:
        user = people_queries.get_user(session, email)
        assert user is not None
        return user.role, user.municipality


@pytest.mark.parametrize(
    ("email", "role", "status"), [(EMAIL, "lab", 409), ("sin arroba", "lab", 400), (NEW, "rey", 400)]
)
def test_an_account_that_cannot_be_is_refused_and_leaves_no_trace(
    open_lab: Lab, email: str, role: str, status: int
) -> None:
    assert add(open_lab, email=email, role=role).status_code == status
    assert audited(open_lab.node, action="account") == []
    assert change(open_lab, "nadie@ejemplo.pa", "close").status_code == 404


# --- one's own account


def test_changing_ones_password_asks_for_the_old_one_and_signs_the_other_browsers_out(
    open_lab: Lab, stranger: httpx.Client
) -> None:
    log_in(stranger, EMAIL, PASSWORD)
    new = "otra clave larga"
    for fields, status in (
        ({"old": "no es esa", "new": new, "again": new}, 422),
        ({"old": PASSWORD, "new": new, "again": new + "x"}, 422),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, 422),
        ({"old": PASSWORD, "new": "corta", "again": "corta"}, 400),
    ):
        assert open_lab.browser.post("/lab/cuenta/clave", data=fields).status_code == status
    assert stranger.get("/lab").status_code == 200
    done = open_lab.browser.post("/lab/cuenta/clave", data={"old": PASSWORD, "new": new, "again": new})
    assert done.status_code == 303
    assert open_lab.browser.get("/lab").status_code == 200
    assert stranger.get("/lab").status_code == 303
    assert log_in(stranger, EMAIL, new).status_code == 303
    assert audited(open_lab.node, action="password")[0].subject == EMAIL


def test_guessing_the_old_password_from_inside_is_locked_out(open_lab: Lab) -> None:
    wrong = {"old": "no es esa", "new": "otra clave larga", "again": "otra clave larga"}
    codes = [open_lab.browser.post("/lab/cuenta/clave", data=wrong).status_code for _ in range(7)]
    assert codes[:5] == [422] * 5 and codes[-1] == 429


def test_ones_browsers_are_listed_and_each_can_be_signed_out(open_lab: Lab, stranger: httpx.Client) -> None:
    hire(open_lab.node, "lab")
    log_in(stranger, EMAIL, PASSWORD)
    page = open_lab.browser.get("/lab/cuenta").text
    names = re.findall(r'name="browser" value="([0-9a-f]{16})"', page)
    assert len(names) == 1
    with browser_of(open_lab.node, "lab") as other:
        other.post("/lab/cuenta/navegadores", data={"browser": names[0]})
        assert stranger.get("/lab").status_code == 200, "nobody signs another person's browser out"
    open_lab.browser.post("/lab/cuenta/navegadores", data={"browser": names[0]})
    assert stranger.get("/lab").status_code == 303
    log_in(stranger, EMAIL, PASSWORD)
    open_lab.browser.post("/lab/cuenta/navegadores", data={"browser": "others"})
    assert (stranger.get("/lab").status_code, open_lab.browser.get("/lab").status_code) == (303, 200)


# --- the second step


def begin(lab: Lab) -> pyotp.TOTP:
    page = lab.browser.get("/lab/cuenta/codigos")
    found = re.search(r'name="secret" value="([A-Z2-7]{32})"', page.text)
    assert found and "<svg" in page.text
    phone = pyotp.TOTP(found[1])
    wrong = {"secret": found[1], "password": PASSWORD, "code": "000000"}
    assert lab.browser.post("/lab/cuenta/codigos", data=wrong).status_code == 401
    unsure = {"secret": found[1], "password": "no es esa", "code": phone.now()}
    assert lab.browser.post("/lab/cuenta/codigos", data=unsure).status_code == 422
    assert log_in(lab.browser, EMAIL, PASSWORD).headers["location"] == "/lab", "nothing changed yet"
    right = {"secret": found[1], "password": PASSWORD, "code": phone.at(time.time() - 30)}
    assert lab.browser.post("/lab/cuenta/codigos", data=right).status_code == 303
    return phone


def test_with_the_second_step_a_password_alone_opens_nothing(open_lab: Lab, stranger: httpx.Client) -> None:
    phone = begin(open_lab)
    answer = log_in(stranger, EMAIL, PASSWORD, "/lab/salas")
    assert answer.headers["location"].startswith("/lab/login/codigo?next=%2Flab%2Fsalas")
    assert stranger.get("/lab").status_code == 303
    half = stranger.cookies["collector_code"]
    stranger.cookies.set("collector_session", half)
    assert stranger.get("/lab").status_code == 303, "the half-way token is no session"
    stranger.cookies.delete("collector_session")

    assert stranger.get("/lab/login/codigo").status_code == 200
    assert stranger.post("/lab/login/codigo", data={"code": "123"}).status_code == 401
    code = phone.now()
    spaced = f"{code[:3]} {code[3:]}"
    done = stranger.post("/lab/login/codigo", data={"code": spaced, "next": "/lab/salas"})
    assert (done.status_code, done.headers["location"]) == (303, "/lab/salas")
    assert stranger.get("/lab").status_code == 200
    entries = [json_what(entry.detail) for entry in audited(open_lab.node, action="code")]
    assert entries == ["on"]


def test_a_code_counts_once(open_lab: Lab, stranger: httpx.Client) -> None:
    phone = begin(open_lab)
    code = phone.now()
    log_in(stranger, EMAIL, PASSWORD)
    assert stranger.post("/lab/login/codigo", data={"code": code}).status_code == 303
    log_in(stranger, EMAIL, PASSWORD)
    assert stranger.post("/lab/login/codigo", data={"code": code}).status_code == 401


def test_codes_are_locked_out_like_passwords(open_lab: Lab, stranger: httpx.Client) -> None:
    begin(open_lab)
    log_in(stranger, EMAIL, PASSWORD)
    codes = [stranger.post("/lab/login/codigo", data={"code": "000000"}).status_code for _ in range(7)]
    assert codes[:5] == [401] * 5 and codes[-1] == 429


def test_a_code_without_a_password_begins_at_the_password(lab: Lab) -> None:
    answer = lab.browser.post("/lab/login/codigo", data={"code": "123456"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/lab/login?next=%2Flab")


def test_the_second_step_ends_with_the_password(open_lab: Lab, stranger: httpx.Client) -> None:
    begin(open_lab)
    assert open_lab.browser.post("/lab/cuenta/codigos/quitar", data={"password": "x"}).status_code == 422
    assert open_lab.browser.post("/lab/cuenta/codigos/quitar", data={"password": PASSWORD}).status_code == 303
    assert log_in(stranger, EMAIL, PASSWORD).headers["location"] == "/lab"


@pytest.mark.parametrize(("away", "is_right"), [(-30, True), (0, True), (30, True), (-60, False), (60, False)])
def test_a_phone_may_be_half_a_minute_away(lab: Lab, away: int, is_right: bool) -> None:
    secret, moment = second_step.new_secret(), 1_795_190_400.0
    code = pyotp.TOTP(secret).at(moment + away)
    assert (second_step.step_of(secret, code, moment) is not None) == is_right
    with writing(lab.node.app.state.engine) as session:
        if is_right:
            second_step.check_code(session, EMAIL, secret, code, moment)
        with pytest.raises(ProblemError):
            second_step.check_code(session, EMAIL, secret, code, moment)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "12345\n6x"])
def test_what_is_no_six_digits_is_no_code(code: str) -> None:
    assert second_step.step_of(second_step.new_secret(), code, 0.0) is None


# --- tokens


def make(lab: Lab, **more: str | list[str]) -> httpx.Response:
    fields: dict[str, str | list[str]] = {"name": "R de Luis", "scope": "records", "days": "30", "purpose": "informe"}
    return lab.browser.post("/lab/fichas", data=fields | more)


def shown(answer: httpx.Response) -> str:
    found = re.search(r'id="token">(col_[\w-]{43})<', answer.text)
    assert found, answer.text
    return found[1]


def test_a_token_is_shown_once_and_does_what_its_maker_said(open_lab: Lab) -> None:
    token = shown(make(open_lab, form=["barrio"]))
    page = open_lab.browser.get("/lab/fichas").text
    assert token not in page and "R de Luis" in page and "nadie lo ha usado" in page
    with reading(open_lab.node.app.state.engine) as session:
        known = people.check_token(session, token)
    assert known == people.KnownToken("R de Luis", "records", frozenset({"barrio"}), "informe")
    entry = audited(open_lab.node, action="token")[0]
    assert (entry.who, entry.subject, entry.purpose) == (EMAIL, "R de Luis", "informe")
    assert token not in entry.detail


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(open_lab: Lab) -> None:
    token = shown(make(open_lab, scope="identifiers"))
    bearer = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def used_ms() -> int:
        with reading(open_lab.node.app.state.engine) as session:
            return people_queries.list_tokens(session)[0].used_ms

    before = now_ms()
    open_lab.browser.get("/api/v1/forms", headers=bearer)
    first = used_ms()
    assert before <= first <= now_ms()
    open_lab.browser.get("/api/v1/forms", headers=bearer)
    assert used_ms() == first
    with writing(open_lab.node.app.state.engine) as session:
        people_queries.note_use(session, people.token_hash(token), first - people.USE_NOTED_MS)
    open_lab.browser.get("/api/v1/forms", headers=bearer)
    assert used_ms() >= first
    assert "último uso: ahora" in open_lab.browser.get("/lab/fichas").text


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"purpose": ""}, 422),
        ({"scope": "todo"}, 400),
        ({"days": "0"}, 400),
        ({"days": "36500"}, 400),
        ({"days": "mañana"}, 400),
        ({"name": "  "}, 400),
    ],
)
def test_a_token_without_purpose_scope_end_or_name_is_refused(open_lab: Lab, more: dict[str, str], status: int) -> None:
    assert make(open_lab, **more).status_code == status
    assert audited(open_lab.node, action="token") == []


def test_two_tokens_cannot_have_one_name_and_a_withdrawn_one_opens_nothing(open_lab: Lab) -> None:
    token = shown(make(open_lab))
    assert make(open_lab).status_code == 409
    withdrawn = open_lab.browser.post("/lab/fichas/retirar", data={"name": "R de Luis", "purpose": "ya no se usa"})
    assert withdrawn.status_code == 303
    with reading(open_lab.node.app.state.engine) as session:
        assert people.check_token(session, token) is None
    again = open_lab.browser.post("/lab/fichas/retirar", data={"name": "R de Luis", "purpose": "ya no se usa"})
    assert again.status_code == 404


def test_a_token_ends_with_its_last_day(open_lab: Lab) -> None:
    with writing(open_lab.node.app.state.engine) as session:
        over = people.make_token(session, "vieja", "records", expires_ms=now_ms() - 1)
        good = people.make_token(session, "buena", "records", expires_ms=now_ms() + 60_000)
    with reading(open_lab.node.app.state.engine) as session:
        assert people.check_token(session, over) is None
        assert people.check_token(session, good) is not None
    assert "Vencido" in open_lab.browser.get("/lab/fichas").text
