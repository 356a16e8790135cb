"""Submissions that come in: from devices in pieces, from programs, once, twice, corrected, removed."""

import json

import httpx
import pytest

from collector.db import reading
from collector.queries.records import record_by_id
from tests.odk.conftest import XML, Client, new_instance
from tests.odk.xforms import submission, xform

FORM = [("a", "string"), ("foto", "binary"), ("r*", [("otra_foto", "binary")])]
PICTURE, OTHER = b"\xff\xd8\xff una foto", b"\xff\xd8\xff otra foto"


@pytest.fixture
def visits(odk: Client) -> Client:
    """Give a client with a form that asks for photos."""
    odk.publish("visita", FORM)
    return odk


def files(odk: Client, instance: str) -> list[tuple[str, bool]]:
    answer = odk.good(odk.http.get(odk.one("visita", instance, "/attachments"))).json()
    return [(each["name"], each["exists"]) for each in answer]


def code(answer: httpx.Response) -> tuple[int, float]:
    return answer.status_code, answer.json()["code"]


def test_a_submission_becomes_a_record_like_any_other(visits: Client) -> None:
    instance = visits.send("visita", "<a> dos  blancos </a><r/><r><otra_foto>b.jpg</otra_foto></r>", {"b.jpg": OTHER})
    with reading(visits.node.app.state.engine) as session:
        record = record_by_id(session, instance.removeprefix("uuid:"))
    assert record is not None and record.body is not None
    content = json.loads(record.body)
    assert content["answers"] == {"a": " dos  blancos ", "r": [{}, {"otra_foto": "b.jpg"}]}
    assert (record.kind, record.form, record.version, record.state) == ("submission", "visita", "1", "usable")
    assert content["odk"]["submitter"] == visits.actor
    assert [blob["name"] for blob in content["blobs"]] == ["odk:submission.xml", "b.jpg"]


def test_a_submission_sent_twice_is_stored_once_and_its_files_may_come_later(visits: Client) -> None:
    instance = new_instance()
    xml = submission("visita", instance, "<foto>a.jpg</foto><r><otra_foto>b.jpg</otra_foto></r>")
    assert visits.post(xml, {"a.jpg": PICTURE}).status_code == 201
    assert files(visits, instance) == [("a.jpg", True), ("b.jpg", False)]
    row = visits.csv("visita")[0]
    assert (row["AttachmentsPresent"], row["AttachmentsExpected"]) == ("1", "2")
    for _ in range(2):
        assert visits.post(xml, {"b.jpg": OTHER, "nadie.jpg": OTHER}).status_code == 201
    assert files(visits, instance) == [("a.jpg", True), ("b.jpg", True)]
    assert len(visits.csv("visita")) == 1
    names = visits.zip("visita")
    assert (names["media/a.jpg"], names["media/b.jpg"]) == (PICTURE, OTHER)
    assert "media/nadie.jpg" not in names


def test_other_words_under_a_known_id_change_nothing(visits: Client) -> None:
    instance = visits.send("visita", "<a>1</a>")
    answer = visits.post(submission("visita", instance, "<a>2</a>"))
    assert answer.status_code == 409 and 'nature="error"' in answer.text
    assert [row["a"] for row in visits.csv("visita")] == ["1"]


def test_an_edit_keeps_the_photos_that_it_still_names(visits: Client) -> None:
    root = visits.send("visita", "<a>1</a><foto>a.jpg</foto><r><otra_foto>b.jpg</otra_foto></r>",
                       {"a.jpg": PICTURE, "b.jpg": OTHER})  # fmt: skip
    visits.edit("visita", root, "<a>2</a><foto>a.jpg</foto>")
    assert files(visits, root) == [("a.jpg", True)]
    assert list(visits.zip("visita")) == ["visita.csv", "visita-r.csv", "media/a.jpg"]


def test_collect_corrects_by_sending_again_with_the_id_it_replaces(visits: Client) -> None:
    root = visits.send("visita", "<a>1</a><foto>a.jpg</foto>", {"a.jpg": PICTURE})
    second = new_instance()
    xml = submission("visita", second, "<a>2</a><foto>a.jpg</foto>", replaces=root)
    assert visits.post(xml).status_code == visits.post(xml).status_code == 201
    row = visits.csv("visita")[0]
    assert (row["KEY"], row["meta-instanceID"], row["a"], row["Edits"]) == (root, second, "2", "1")
    assert (row["ReviewState"], row["AttachmentsPresent"]) == ("edited", "1")
    late = visits.post(submission("visita", new_instance(), "<a>3</a>", replaces=root))
    assert late.status_code == 409
    strange = visits.post(submission("visita", new_instance(), "<a>3</a>", replaces=new_instance()))
    assert strange.status_code == 404


def test_a_program_that_corrects_an_old_copy_is_told_so(visits: Client) -> None:
    root = visits.send("visita", "<a>1</a>")
    visits.edit("visita", root, "<a>2</a>")
    address = visits.one("visita", root)

    def put(xml: str) -> tuple[int, float]:
        return code(visits.http.put(address, content=xml.encode(), headers=XML))

    assert put(submission("visita", new_instance(), "<a>3</a>", replaces=root)) == (409, 409.9)
    assert put(submission("visita", new_instance(), "<a>3</a>")) == (400, 400.19)
    assert put(submission("otra", new_instance(), "<a>3</a>", replaces=root)) == (400, 400.8)
    strange = visits.one("visita", new_instance())
    xml = submission("visita", new_instance(), "<a>3</a>", replaces=root)
    assert code(visits.http.put(strange, content=xml.encode(), headers=XML)) == (404, 404.1)


def test_a_program_sends_a_submission_and_then_its_files(visits: Client) -> None:
    instance = new_instance()
    xml = submission("visita", instance, "<foto>año ñ.jpg</foto>").encode()
    told = visits.good(visits.http.post(visits.form("visita", "/submissions"), content=xml, headers=XML)).json()
    assert (told["instanceId"], told["reviewState"], told["updatedAt"]) == (instance, None, None)
    address = visits.one("visita", instance, "/attachments/a%C3%B1o%20%C3%B1.jpg")
    assert visits.good(visits.http.post(address, content=PICTURE)).json() == {"success": True}
    assert files(visits, instance) == [("año ñ.jpg", True)]
    assert visits.zip("visita")["media/año ñ.jpg"] == PICTURE
    assert code(visits.http.post(visits.one("visita", instance, "/attachments/x.jpg"), content=PICTURE)) == (404, 404.1)
    again = visits.http.post(visits.form("visita", "/submissions"), content=xml, headers=XML)
    assert code(again) == (409, 409.3)


def test_photos_of_one_name_in_two_submissions_stand_apart_in_the_zip(visits: Client) -> None:
    older = visits.send("visita", "<foto>foto.jpg</foto>", {"foto.jpg": PICTURE})
    for _ in range(2):
        visits.send("visita", "<foto>foto.jpg</foto>", {"foto.jpg": OTHER})
    found = visits.zip("visita")
    assert len([name for name in found if name.startswith("media/")]) == 2
    assert found["media/foto.jpg"] == OTHER
    assert found[f"media/foto-{older.removeprefix('uuid:')}.jpg"] == PICTURE
    assert list(visits.zip("visita", attachments="false")) == ["visita.csv", "visita-r.csv"]


def test_the_audits_of_collect_become_one_file(odk: Client) -> None:
    odk.publish("uno", [("a", "string")], meta=("meta", [("instanceID", "string"), ("audit", "binary")]))
    head = "event,node,start,end,old-value\n"
    one = odk.send("uno", "<a>1</a>", {"audit.csv": f"{head}question,/data/a,1,2,\"x,y\"\n".encode()},
                   meta="<audit>audit.csv</audit>")  # fmt: skip
    odk.send("uno", "<a>2</a>", {"audit.csv": b"event,raro\nform exit,z\n\n"}, meta="<audit>audit.csv</audit>")
    found = odk.zip("uno")
    assert list(found) == ["uno.csv", "uno - audit.csv"]
    lines = found["uno - audit.csv"].decode().split("\n")
    assert lines[0].startswith("instance ID,event,node,start,end,latitude,longitude,accuracy,old-value,new-value")
    assert lines[1] == f'{one},question,/data/a,1,2,,,,"x,y",,,'
    assert lines[2].endswith(",form exit,,,,,,,,,,")
    assert odk.csv("uno")[0]["meta-audit"] == "audit.csv"


def test_reviews_take_the_names_of_odk_and_the_last_word_counts(visits: Client) -> None:
    root = visits.send("visita", "<a>1</a>")
    for state in ("approved", "hasIssues", "rejected", "edited", None, "approved"):
        told = visits.review("visita", root, state)
        assert told["reviewState"] == state
        assert visits.csv("visita")[0]["ReviewState"] == (state or "")
    visits.edit("visita", root, "<a>2</a>")
    assert visits.csv("visita")[0]["ReviewState"] == "edited"
    assert visits.review("visita", root, None)["reviewState"] is None
    bad = visits.http.patch(visits.one("visita", root), json={"reviewState": "bueno"})
    assert code(bad) == (400, 400.8)


def test_a_removed_submission_is_gone_until_it_is_brought_back(visits: Client) -> None:
    kept, removed = visits.send("visita", "<a>1</a>"), visits.send("visita", "<a>2</a><r/>")
    visits.good(visits.http.delete(visits.one("visita", removed)))
    assert [row["KEY"] for row in visits.csv("visita")] == [kept]
    assert len(visits.table("visita", "visita-r.csv")) == 1
    assert code(visits.http.get(visits.one("visita", removed))) == (404, 404.1)
    named = visits.csv("visita", **{"$filter": "__system/deletedAt ne null"})
    assert [row["KEY"] for row in named] == [removed]
    visits.good(visits.http.post(visits.one("visita", removed, "/restore")))
    assert [row["KEY"] for row in visits.csv("visita")] == [removed, kept]


def test_comments_are_kept_and_told_newest_first(visits: Client) -> None:
    root = visits.send("visita", "<a>1</a>")
    for body in ("Falta la foto", "Ya llegó"):
        visits.good(visits.http.post(visits.one("visita", root, "/comments"), json={"body": body}))
    told = visits.http.get(visits.one("visita", root, "/comments")).json()
    assert [each["body"] for each in told] == ["Ya llegó", "Falta la foto"]
    assert visits.csv("visita")[0]["ReviewState"] == ""


def test_keys_open_what_they_were_given_and_nothing_else(visits: Client) -> None:
    xml = submission("visita", new_instance(), "<a>1</a>")
    assert visits.post(xml, key="corta").status_code == 401
    assert visits.post(xml, key="A" * 64).status_code == 403
    head = visits.http.head(f"/v1/key/{visits.key}/projects/1/submission")
    assert (head.status_code, head.headers["x-openrosa-version"]) == (204, "1.0")
    assert visits.http.delete(visits.form("visita", f"/assignments/app-user/{visits.actor}")).status_code == 200
    assert visits.post(xml).status_code == 401
    visits.http.delete(f"/v1/projects/1/app-users/{visits.actor}")
    assert visits.post(xml).status_code == 403
    assert visits.csv("visita") == []


@pytest.mark.parametrize(
    ("xml", "status"),
    [
        ("<data", 400),
        ("<data id='visita' version='1'><a>1</a></data>", 400),
        ("<data id='visita' version='9'><meta><instanceID>uuid:1</instanceID></meta></data>", 404),
        ("<data id='nada' version='1'><meta><instanceID>uuid:1</instanceID></meta></data>", 404),
        ("<!DOCTYPE d [<!ENTITY x 'y'>]><data id='visita'><a>&x;</a></data>", 400),
        (submission("visita", "uuid:1", "<a>" + "x" * 300_000 + "</a>"), 400),
    ],
)  # fmt: skip
def test_what_cannot_be_a_submission_is_refused_and_leaves_nothing(visits: Client, xml: str, status: int) -> None:
    answer = visits.post(xml)
    assert answer.status_code == status and 'nature="error"' in answer.text
    assert visits.csv("visita") == []


XML_PART = "xml_submission_file"


def test_a_request_without_the_xml_is_refused(visits: Client) -> None:
    answer = visits.http.post(f"/v1/key/{visits.key}/projects/1/submission", files={"a.jpg": ("a.jpg", PICTURE)})
    assert answer.status_code == 400 and XML_PART in answer.text


def test_a_form_gets_its_files_as_a_draft_and_another_version_on_demand(odk: Client) -> None:
    text = xform("conlista", [("a", "string")])
    made = odk.good(odk.http.post("/v1/projects/1/forms", content=text.encode(), headers=XML)).json()
    assert (made["publishedAt"], made["version"]) == (None, "1")
    assert code(odk.http.get(odk.form("conlista"))) == (404, 404.1)
    told = odk.good(odk.http.post(odk.form("conlista", "/draft/attachments/plano.jpg"), content=PICTURE)).json()
    assert (told["exists"], told["type"]) == (True, "image")
    odk.good(odk.http.post(odk.form("conlista", "/draft/publish")))
    assert odk.http.get(odk.form("conlista")).json()["version"] == "1"
    assert code(odk.http.post(odk.form("conlista", "/draft/publish"))) == (404, 404.1)
    odk.good(odk.http.post(odk.form("conlista", "/draft")))
    assert code(odk.http.post(odk.form("conlista", "/draft/publish"))) == (409, 409.6)
    odk.good(odk.http.post(odk.form("conlista", "/draft/publish"), params={"version": 'dos & "tres"'}))
    assert odk.http.get(odk.form("conlista")).json()["version"] == 'dos & "tres"'
    assert code(odk.http.post("/v1/projects/1/forms", content=text.encode(), headers=XML)) == (409, 409.3)
    bad = odk.http.post("/v1/projects/1/forms?publish=true", content=b"<nada/>", headers=XML)
    assert code(bad) == (400, 400.1)


SEALED = (
    '<data id="uno" version="1" encrypted="yes" xmlns="http://www.opendatakit.org/xforms/encrypted">'
    "<base64EncryptedKey>bGxhdmU=</base64EncryptedKey>"
    '<orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:instanceID>{instance}</orx:instanceID></orx:meta>'
    "<media><file>a.jpg.enc</file></media><encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
)


def test_an_encrypted_submission_is_kept_whole_though_nobody_here_can_read_it(odk: Client) -> None:
    odk.publish("uno", [("a", "string"), ("temas", "select"), ("foto", "binary")])
    odk.send("uno", "<a>claro</a><temas>agua</temas>")
    instance = new_instance()
    xml = SEALED.format(instance=instance)
    assert odk.post(xml, {"a.jpg.enc": b"foto"}).status_code == 201
    row = odk.csv("uno", splitSelectMultiples="true")[0]
    assert (row["KEY"], row["Status"]) == (instance, "missing encrypted form data")
    assert odk.post(xml, {"submission.xml.enc": b"respuestas", "ajena.jpg": b"x"}).status_code == 201
    row, plain = odk.csv("uno", splitSelectMultiples="true")
    assert (row["Status"], row["AttachmentsPresent"], row["AttachmentsExpected"]) == ("not decrypted", "2", "2")
    assert [row[name] for name in ("a", "temas", "temas/agua", "meta-instanceID")] == ["", "", "", ""]
    assert (plain["Status"], plain["a"]) == ("", "claro")
    files = odk.zip("uno")
    assert (files["media/a.jpg.enc"], files["media/submission.xml.enc"]) == (b"foto", b"respuestas")
