"""Who gets what at the addresses of ODK, and what stays written of it."""

import base64
import json
from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from collector import people
from collector.db import reading, writing
from collector.queries.people import get_user
from collector.tables.lab import AuditEntry
from tests.odk.conftest import EMAIL, PASSWORD, Client

FORM = [
    ("cedula", "string"),
    ("opinion", "string"),
    ("foto", "binary"),
    ("persona*", [("telefono", "string"), ("edad", "int")]),
]
BODY = (
    "<cedula>8-123-456</cedula><opinion>bien</opinion><foto>f.jpg</foto>"
    "<persona><telefono>6000-0000</telefono><edad>30</edad></persona>"
)


def entries(session: Session, action: str) -> list[AuditEntry]:
    return list(session.exec(select(AuditEntry).where(AuditEntry.action == action)))


def written(client: Client, action: str = "export") -> list[AuditEntry]:
    with reading(client.node.app.state.engine) as session:
        return entries(session, action)


def test_an_analyst_gets_everything_but_who_it_was(odk: Client, make_client: Callable[..., Client]) -> None:
    odk.publish("censo", FORM)
    odk.send("censo", BODY, {"f.jpg": b"foto"})
    whole, analyst = odk.csv("censo")[0], make_client(odk.node, "analista@example.org", "analyst")
    row = analyst.csv("censo")[0]
    assert (whole["cedula"], whole["opinion"]) == ("8-123-456", "bien")
    assert list(row) == list(whole)
    assert (row["cedula"], row["opinion"], row["DeviceID"]) == ("", "bien", "")
    assert analyst.table("censo", "censo-persona.csv")[1][:2] == ["", "30"]
    assert "8-123-456" not in str(analyst.zip("censo")) and "6000-0000" not in str(analyst.zip("censo"))


def test_what_people_took_back_is_not_for_an_analyst_either(odk: Client, make_client: Callable[..., Client]) -> None:
    odk.publish("censo", FORM, meta=("meta", [("instanceID", "string"), ("audit", "binary")]))
    audit = b"event,node,old-value\nquestion,/data/cedula,8-123-456\n"
    odk.send("censo", BODY, {"audit.csv": audit}, meta="<audit>audit.csv</audit>")
    assert b"8-123-456" in odk.zip("censo")["censo - audit.csv"]
    analyst = make_client(odk.node, "analista@example.org", "analyst").zip("censo")
    assert list(analyst) == ["censo.csv", "censo-persona.csv"]


@pytest.mark.parametrize("role", ["facilitator", "municipality"])
def test_others_get_nothing_and_are_told_as_odk_does(
    odk: Client, make_client: Callable[..., Client], role: str
) -> None:
    odk.publish("censo", FORM)
    other = make_client(odk.node, f"{role}@example.org", role)
    for rest in ("/submissions.csv", "/submissions.csv.zip", "/submissions.geojson", "/submissions"):
        answer = other.http.get(odk.form("censo", rest))
        assert (answer.status_code, answer.json()["code"]) == (403, 403.1)
    assert written(odk) == []


def test_an_analyst_neither_reviews_nor_publishes(odk: Client, make_client: Callable[..., Client]) -> None:
    odk.publish("censo", FORM)
    key = odk.send("censo", BODY)
    analyst = make_client(odk.node, "analista@example.org", "analyst").http
    refused = [
        analyst.patch(odk.one("censo", key), json={"reviewState": "approved"}),
        analyst.delete(odk.one("censo", key)),
        analyst.post("/v1/projects/1/forms", content=b"<x/>"),
        analyst.post("/v1/projects/1/app-users", json={"displayName": "x"}),
    ]
    assert [answer.json()["code"] for answer in refused] == [403.1] * 4


def test_every_export_is_written_down_with_what_it_is_for(odk: Client) -> None:
    odk.publish("censo", FORM)
    odk.send("censo", BODY)
    odk.csv("censo")
    odk.http.get(odk.form("censo", "/submissions.csv.zip"), headers={"X-Purpose": "informe de marzo"})
    odk.features("censo", limit="3")
    found = sorted(written(odk), key=lambda entry: entry.id)
    assert [(entry.who, entry.subject, entry.purpose) for entry in found] == [
        (EMAIL, "censo", "cliente ODK: prueba/1"),
        (EMAIL, "censo", "informe de marzo"),
        (EMAIL, "censo", "cliente ODK: prueba/1"),
    ]
    assert [entry.count for entry in found] == [1, 1, 1]
    assert json.loads(found[2].detail) == {"format": "odk geojson", "query": "limit=3"}


def test_who_has_it_already_gets_nothing_and_a_new_answer_is_another_file(odk: Client) -> None:
    odk.publish("censo", FORM)
    key = odk.send("censo", BODY)
    address = odk.form("censo", "/submissions.csv")
    tag = odk.http.get(address).headers["etag"]
    count = len(written(odk))
    again = odk.http.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, len(written(odk))) == (304, b"", count)
    assert odk.http.get(address + "?groupPaths=false", headers={"If-None-Match": tag}).status_code == 200
    odk.review("censo", key, "approved")
    assert odk.http.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_a_password_opens_by_itself_as_power_bi_and_r_send_it(odk: Client) -> None:
    odk.publish("censo", FORM)
    address = odk.form("censo", "/submissions.csv")
    for given, status in ((f"{EMAIL}:{PASSWORD}", 200), (f"{EMAIL}:{PASSWORD}", 200), (f"{EMAIL}:otra clave", 401)):
        basic = {"Authorization": f"Basic {base64.b64encode(given.encode()).decode()}"}
        assert odk.http.get(address, headers=basic).status_code == status
    for header in ("Basic ???", "Basic " + base64.b64encode(b"sin").decode(), "Bearer " + "a" * 64, "Bearer corto"):
        answer = odk.http.get(address, headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, 401.2)
    del odk.http.headers["Authorization"]
    nobody = odk.http.get(address)
    assert (nobody.status_code, nobody.json()["code"]) == (403, 403.1)


def test_a_second_step_and_a_password_of_an_admin_keep_programs_out(odk: Client) -> None:
    with writing(odk.node.app.state.engine) as session:
        user = get_user(session, EMAIL)
        assert user is not None
        user.must_change = 1
    assert odk.http.get("/v1/projects").json()["code"] == 403.1
    with writing(odk.node.app.state.engine) as session:
        user = get_user(session, EMAIL)
        assert user is not None
        user.must_change, user.totp_secret = 0, "A" * 32
    answer = odk.http.post("/v1/sessions", json={"email": EMAIL, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, 401.2)


def test_a_token_of_ours_opens_the_forms_it_was_made_for(odk: Client) -> None:
    odk.publish("censo", FORM)
    odk.publish("otro", FORM)
    odk.send("censo", BODY)
    with writing(odk.node.app.state.engine) as session:
        token = people.make_token(session, "tablero", "records", forms=["censo"], purpose="tablero del lab")
    bearer = {"Authorization": f"Bearer {token}"}
    text = odk.http.get(odk.form("censo", "/submissions.csv"), headers=bearer).text
    assert "bien" in text and "8-123-456" not in text
    assert odk.http.get(odk.form("otro", "/submissions.csv"), headers=bearer).json()["code"] == 403.1
    assert written(odk)[-1].purpose == "tablero del lab"


def test_what_is_not_here_is_told_by_number(odk: Client) -> None:
    for path in ("/v1/projects/2", "/v1/projects/1/forms/nada/submissions.csv", "/v1/nada", "/v1/projects/1/nada/nada"):
        answer = odk.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, 404.1)
    broken = odk.http.post("/v1/sessions", content=b"{")
    assert (broken.status_code, broken.json()["code"]) == (400, 400.1)
    assert odk.http.post("/v1/sessions", json={"email": 5}).json()["code"] == 400.2


def test_the_project_is_this_node(odk: Client) -> None:
    [project] = odk.http.get("/v1/projects").json()
    assert (project["id"], project["name"]) == (1, "central")
    assert odk.http.get("/v1/users/current").json()["email"] == EMAIL
    odk.publish("censo", FORM)
    [form] = odk.http.get("/v1/projects/1/forms").json()
    assert (form["xmlFormId"], form["version"], form["state"]) == ("censo", "1", "open")
