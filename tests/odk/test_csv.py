"""The CSV and the ZIP of submissions as clients of ODK read them."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, func, select

from collector.db import reading
from collector.lab.odk_names import MediaNames, sanitized
from collector.lab.odk_zip import audit_lines
from collector.tables.lab import AuditEntry
from tests.conftest import submission as record
from tests.odk.conftest import DEVICE, Client

TAIL = (
    "KEY,SubmitterID,SubmitterName,AttachmentsPresent,AttachmentsExpected,Status,ReviewState,DeviceID,Edits,FormVersion"
)
HOUSE = [
    ("barrio", "string"),
    ("casa", [
        ("persona*", [
            ("nombre_corto", "string"),
            ("visita*", [("dia", "date"), ("gasto*", [("monto", "decimal"), ("temas", "select")])]),
        ]),
        ("sitio", "geopoint"),
    ]),
    ("temas", "select"),
]  # fmt: skip


def exports_noted(session: Session) -> int:
    """Return how many exports stand in the audit."""
    return session.exec(select(func.count()).where(AuditEntry.action == "export")).one()


def test_the_file_has_the_columns_the_line_ends_and_the_quotes_of_central(odk: Client) -> None:
    odk.publish("uno", [("texto", "string"), ("g", [("n", "int")])])
    instance = odk.send("uno", '<texto>con "comillas", coma\ny línea</texto><g><n>007</n></g>')
    lines = odk.text("uno").split("\n")
    assert lines[0] == f"SubmissionDate,texto,g-n,meta-instanceID,{TAIL}"
    assert lines[1].endswith(',"con ""comillas"", coma')
    assert lines[2] == f'y línea",007,{instance},{instance},{odk.actor},tableta,0,0,,,{DEVICE},0,1'
    assert lines[3:] == [""]


def test_submissions_come_newest_first_and_an_edit_keeps_its_place_its_date_and_its_first_version(odk: Client) -> None:
    odk.publish("uno", [("texto", "string")])
    first, second = odk.send("uno", "<texto>a</texto>"), odk.send("uno", "<texto>b</texto>")
    before = odk.csv("uno")
    odk.publish("uno", [("texto", "string"), ("otro", "string")], version="2")
    edited = odk.edit("uno", first, "<texto>a2</texto><otro>x</otro>", version="2")
    again = odk.edit("uno", first, "<texto>a3</texto>", replaces=edited, version="2")
    rows = odk.csv("uno")
    assert [row["KEY"] for row in rows] == [second, first] == [row["KEY"] for row in before]
    assert (rows[1]["texto"], rows[1]["otro"], rows[1]["meta-instanceID"]) == ("a3", "", again)
    assert (rows[1]["Edits"], rows[1]["FormVersion"], rows[1]["ReviewState"]) == ("2", "1", "edited")
    assert rows[1]["SubmissionDate"] == before[1]["SubmissionDate"]


def test_repeats_three_deep_are_tables_joined_by_the_keys_of_their_rows(odk: Client) -> None:
    odk.publish("hogar", HOUSE)
    key = odk.send(
        "hogar",
        "<barrio>b</barrio><casa><persona><nombre_corto>A</nombre_corto>"
        "<visita><dia>2026-01-01</dia><gasto><monto>1.50</monto></gasto><gasto/></visita><visita/></persona>"
        "<persona><visita><gasto><monto>9</monto></gasto></visita></persona></casa>",
    )
    assert odk.table("hogar", "hogar-persona.csv") == [
        ["nombre_corto", "PARENT_KEY", "KEY"],
        ["A", key, f"{key}/casa/persona[1]"],
        ["", key, f"{key}/casa/persona[2]"],
    ]
    assert [row[1:] for row in odk.table("hogar", "hogar-visita.csv")[1:]] == [
        [f"{key}/casa/persona[1]", f"{key}/casa/persona[1]/visita[1]"],
        [f"{key}/casa/persona[1]", f"{key}/casa/persona[1]/visita[2]"],
        [f"{key}/casa/persona[2]", f"{key}/casa/persona[2]/visita[1]"],
    ]
    assert odk.table("hogar", "hogar-gasto.csv") == [
        ["monto", "temas", "PARENT_KEY", "KEY"],
        ["1.50", "", f"{key}/casa/persona[1]/visita[1]", f"{key}/casa/persona[1]/visita[1]/gasto[1]"],
        ["", "", f"{key}/casa/persona[1]/visita[1]", f"{key}/casa/persona[1]/visita[1]/gasto[2]"],
        ["9", "", f"{key}/casa/persona[2]/visita[1]", f"{key}/casa/persona[2]/visita[1]/gasto[1]"],
    ]
    assert odk.header("hogar") == [
        "barrio", "casa-sitio-Latitude", "casa-sitio-Longitude", "casa-sitio-Altitude", "casa-sitio-Accuracy",
        "temas", "meta-instanceID",
    ]  # fmt: skip


def test_an_edit_of_repeats_takes_the_old_rows_away(odk: Client) -> None:
    odk.publish("hogar", HOUSE)
    key = odk.send("hogar", "<casa><persona><nombre_corto>A</nombre_corto></persona><persona/></casa>")
    odk.edit("hogar", key, "<casa><persona><nombre_corto>B</nombre_corto></persona></casa>")
    assert odk.table("hogar", "hogar-persona.csv")[1:] == [["B", key, f"{key}/casa/persona[1]"]]


def test_choices_get_columns_by_code_point_only_when_somebody_chose_them(odk: Client) -> None:
    odk.publish("hogar", HOUSE)
    odk.send("hogar", "<temas>ñame parque</temas>")
    odk.send("hogar", "<temas>agua  parque</temas><casa><persona><visita><gasto/></visita></persona></casa>")
    odk.send("hogar", "<barrio>b</barrio>")
    split = {"splitSelectMultiples": "true"}
    assert [name for name in odk.header("hogar", **split) if "temas" in name] == [
        "temas", "temas/agua", "temas/parque", "temas/ñame",
    ]  # fmt: skip
    assert [[row[f"temas/{name}"] for name in ("agua", "parque", "ñame")] for row in odk.csv("hogar", **split)] == [
        ["0", "0", "0"], ["1", "1", "0"], ["0", "1", "1"],
    ]  # fmt: skip
    assert odk.table("hogar", "hogar-gasto.csv", **split)[0] == ["monto", "temas", "PARENT_KEY", "KEY"]


def test_choices_are_those_of_versions_that_let_people_choose_several(odk: Client) -> None:
    odk.publish("v", [("temas", "string")])
    odk.send("v", "<temas>luz agua</temas>")
    odk.publish("v", [("temas", "select")], version="2")
    odk.send("v", "<temas>agua</temas>", version="2")
    gone = odk.send("v", "<temas>calle</temas>", version="2")
    odk.good(odk.http.delete(odk.one("v", gone)))
    rows = odk.csv("v", splitSelectMultiples="true", **{"$filter": "__id ne null or __system/deletedAt ne null"})
    assert [(row["temas"], [row[name] for name in row if "/" in name]) for row in rows] == [
        ("calle", ["0"]), ("agua", ["1"]), ("luz agua", ["1"]),
    ]  # fmt: skip


def test_choices_are_those_of_what_is_asked_for_and_of_the_versions_that_count(odk: Client) -> None:
    odk.publish("hogar", HOUSE)
    gone, changed = odk.send("hogar", "<temas>agua</temas>"), odk.send("hogar", "<temas>luz</temas>")
    kept = odk.send("hogar", "<temas>calle</temas>")
    odk.edit("hogar", changed, "<temas>parque</temas>")
    odk.good(odk.http.delete(odk.one("hogar", gone)))
    split = {"splitSelectMultiples": "true"}
    assert [name for name in odk.header("hogar", **split) if "/" in name] == ["temas/calle", "temas/parque"]
    only = {"$filter": f"__id eq '{kept}'"}
    assert [name for name in odk.header("hogar", **split, **only) if "/" in name] == ["temas/calle"]


def test_names_without_their_groups_on_demand(odk: Client) -> None:
    odk.publish("hogar", HOUSE)
    assert odk.header("hogar", groupPaths="false") == [
        "barrio", "sitio-Latitude", "sitio-Longitude", "sitio-Altitude", "sitio-Accuracy", "temas", "instanceID",
    ]  # fmt: skip


def test_a_question_called_key_and_names_in_any_script_are_columns_like_others(odk: Client) -> None:
    odk.publish(
        "raro", [("KEY", "string"), ("año", "int"), ("Ñame_2", "string"), ("a.b-c", "string"), ("東京", "string")]
    )
    body = "<KEY>k</KEY><año>1</año><Ñame_2>dos</Ñame_2><a.b-c>tres</a.b-c><東京>cuatro</東京>"
    instance = odk.send("raro", body)
    lines = odk.text("raro").split("\n")
    assert lines[0].startswith("SubmissionDate,KEY,año,Ñame_2,a.b-c,東京,meta-instanceID,KEY,")
    assert lines[1].split(",")[1:8] == ["k", "1", "dos", "tres", "cuatro", instance, instance]


def test_repeats_of_one_name_are_numbered_from_the_first(odk: Client) -> None:
    odk.publish(
        "dos", [("a", [("fila*", [("x", "string")])]), ("b", [("fila*", [("y", "string")])]), ("c*", [("z", "int")])]
    )
    odk.send("dos", "<a><fila><x>1</x></fila></a><b><fila><y>2</y></fila></b>")
    assert list(odk.zip("dos")) == ["dos.csv", "dos-fila~1.csv", "dos-fila~2.csv", "dos-c.csv"]
    assert odk.table("dos", "dos-fila~2.csv")[1][0] == "2"


@pytest.mark.parametrize(
    ("given", "cells"),
    [
        ("8.98 -79.52 20 5", ["8.98", "-79.52", "20", "5"]),
        ("8.98 -79.52", ["8.98", "-79.52", "", ""]),
        ("no sé", ["no", "sé", "", ""]),
        ("8 -79 1 2 3", ["8", "-79", "1", "2"]),
        ("", ["", "", "", ""]),
    ],
)
def test_a_place_is_four_columns_whatever_it_says(odk: Client, given: str, cells: list[str]) -> None:
    odk.publish("sitios", [("sitio", "geopoint")])
    odk.send("sitios", f"<sitio>{given}</sitio>")
    row = odk.csv("sitios")[0]
    assert [row[f"sitio-{name}"] for name in ("Latitude", "Longitude", "Altitude", "Accuracy")] == cells


def test_what_the_newest_version_does_not_ask_comes_back_on_demand_at_the_end_of_its_group(odk: Client) -> None:
    odk.publish(
        "v", [("a", "string"), ("g", [("b", "string"), ("c", "string")]), ("r*", [("d", "string")]), ("e", "int")]
    )
    key = odk.send("v", "<a>1</a><g><b>2</b><c>3</c></g><r><d>4</d></r><e>5</e>")
    odk.publish("v", [("a", "string"), ("g", [("c", "string")])], version="2")
    assert odk.header("v") == ["a", "g-c", "meta-instanceID"]
    assert list(odk.zip("v")) == ["v.csv"]
    everything = {"deletedFields": "true"}
    assert odk.header("v", **everything) == ["a", "g-c", "g-b", "meta-instanceID", "e"]
    row = odk.csv("v", **everything)[0]
    assert (row["g-b"], row["e"], row["g-c"]) == ("2", "5", "3")
    assert odk.table("v", "v-r.csv", **everything) == [["d", "PARENT_KEY", "KEY"], ["4", key, f"{key}/r[1]"]]


def test_what_comes_back_stands_where_central_puts_it_after_whatever_begins_like_its_group(odk: Client) -> None:
    odk.publish("v", [("casa", [("a", "string"), ("b", "string")]), ("casado", "string"), ("z", "string")])
    odk.publish("v", [("casa", [("a", "string")]), ("casado", "string"), ("z", "string")], version="2")
    assert odk.header("v", deletedFields="true") == ["casa-a", "casado", "casa-b", "z", "meta-instanceID"]


def test_a_file_shows_what_a_submission_says_even_when_its_own_version_does_not_ask_it(odk: Client) -> None:
    odk.publish("v", [("a", "string"), ("viejo", "string"), ("r*", [("x", "string"), ("y", "string")])])
    early = odk.send("v", "<a>1</a><nuevo>ya</nuevo><r><x>1</x><y>2</y></r>")
    odk.publish("v", [("a", "string"), ("nuevo", "string"), ("r*", [("x", "string")])], version="2")
    late = odk.send("v", "<a>n\u0303o</a><viejo>sigue</viejo><r><x>3</x><y>4</y></r><r><y>5</y></r>", version="2")
    everything = {"deletedFields": "true"}
    assert [[row[name] for name in ("a", "nuevo", "viejo")] for row in odk.csv("v", **everything)] == [
        ["n\u0303o", "", "sigue"], ["1", "ya", ""],
    ]  # fmt: skip
    assert odk.table("v", "v-r.csv", **everything)[1:] == [
        ["3", "4", late, f"{late}/r[1]"], ["", "5", late, f"{late}/r[2]"], ["1", "2", early, f"{early}/r[1]"],
    ]  # fmt: skip


def test_who_may_not_see_everything_gets_no_more_than_the_version_asks(
    odk: Client, make_client: Callable[..., Client]
) -> None:
    odk.publish("v", [("a", "string"), ("viejo", "string")])
    odk.publish("v", [("a", "string")], version="2")
    odk.send("v", "<a>1</a><viejo>sigue</viejo>", version="2")
    analyst = make_client(odk.node, "analista@example.org", "analyst")
    assert [row["viejo"] for row in analyst.csv("v", deletedFields="true")] == [""]
    assert [row["viejo"] for row in odk.csv("v", deletedFields="true")] == ["sigue"]


def test_an_entity_is_a_group_even_when_it_is_empty(odk: Client) -> None:
    odk.publish("arbol", [("a", "string")], meta=("meta", [("instanceID", "string"), ("entity", [])]))
    odk.send("arbol", "<a>1</a>", meta='<entity dataset="arboles" id="x" create="1"/>')
    assert odk.header("arbol") == ["a", "meta-instanceID"]


def test_headers_alone_are_no_export(odk: Client) -> None:
    odk.publish("uno", [("a", "string")])
    odk.send("uno", "<a>1</a>")
    with reading(odk.node.app.state.engine) as session:
        before = exports_noted(session)
    for kind in ("csv", "csv.zip", "geojson"):
        answer = odk.http.head(odk.form("uno", f"/submissions.{kind}"))
        assert (answer.status_code, answer.content) == (200, b"")
        tag = {"If-None-Match": answer.headers["etag"]}
        assert odk.http.head(odk.form("uno", f"/submissions.{kind}"), headers=tag).status_code == 304
        assert odk.http.get(odk.form("uno", f"/submissions.{kind}"), headers=tag).status_code == 304
    with reading(odk.node.app.state.engine) as session:
        assert exports_noted(session) == before
    odk.csv("uno")
    with reading(odk.node.app.state.engine) as session:
        assert exports_noted(session) == before + 1


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("event,node\n  b  , /data/a \n", [["b", "/data/a"]]),
        ('event,node\n " con coma, y blancos " ,x\n', [[" con coma, y blancos ", "x"]]),
        ('event,node\n"dos\nlíneas","di""ce"\n', [["dos\nlíneas", 'di"ce']]),
        ('event,node\nmedio"abierto,x\n"sin cierre,y\n', [['medio"abierto', "x"], ['"sin cierre', "y"]]),
        ("\ufeffnode,event\r\n1,2\r\n\r\n   \r\n,\r\n", [["2", "1"], ["", ""]]),
        ("event,raro,node\na,b", [["a", ""]]),
        ("event,node\na,b,c,d\ne,", [["a", "b"], ["e", ""]]),
        ("event,node", []),
        ("", []),
    ],
)
def test_an_audit_is_read_whatever_its_blanks_and_quotes(content: str, rows: list[list[str]]) -> None:
    lines = list(csv.reader(io.StringIO("".join(audit_lines([("uuid:1", content.encode())])), newline="")))
    assert lines[0][:3] == ["instance ID", "event", "node"]
    assert [line[1:3] for line in lines[1:]] == rows
    assert {line[0] for line in lines[1:]} <= {"uuid:1"}


def test_a_form_without_a_version_says_none(odk: Client) -> None:
    odk.publish("sin", [("a", "string")], version=None)
    odk.send("sin", "<a>1</a>", version=None)
    odk.send("sin", "<a>2</a>", version="")
    assert [row["FormVersion"] for row in odk.csv("sin")] == ["", ""]


def test_an_id_that_is_no_uuid_stays_what_it_was(odk: Client) -> None:
    odk.publish("uno", [("a", "string")])
    odk.publish("dos", [("a", "string")])
    odk.send("uno", "<a>1</a>", instance="visita 7/2026")
    odk.send("dos", "<a>2</a>", instance="visita 7/2026")
    shared = odk.send("uno", "<a>3</a>")
    odk.send("dos", "<a>4</a>", instance=shared)
    assert [(row["KEY"], row["a"]) for row in odk.csv("uno")] == [(shared, "3"), ("visita 7/2026", "1")]
    assert [(row["meta-instanceID"], row["a"]) for row in odk.csv("dos")] == [(shared, "4"), ("visita 7/2026", "2")]


def test_an_empty_form_is_a_head_alone(odk: Client) -> None:
    odk.publish("vacio", HOUSE)
    assert odk.csv("vacio") == []
    assert len(odk.table("vacio", "vacio-gasto.csv")) == 1


def test_the_files_bear_the_name_of_the_form_without_what_file_systems_refuse(odk: Client) -> None:
    odk.publish("salud: niñez", [("a", "string"), ("r*", [("b", "string")])])
    answer = odk.http.get(odk.form("salud: niñez", "/submissions.csv"))
    names = answer.headers["content-disposition"]
    assert names == "attachment; filename=\"salud ni-ez.csv\"; filename*=UTF-8''salud%20ni%C3%B1ez.csv"
    assert list(odk.zip("salud: niñez")) == ["salud niñez.csv", "salud niñez-r.csv"]


def test_answers_of_our_own_pages_stand_beside_those_of_collect(odk: Client, send_outbox: Callable[..., Any]) -> None:
    odk.publish("uno", [("a", "string")])
    odk.send("uno", "<a>collect</a>")
    own = record(form="uno", version="1", answers={"a": "página"})
    assert send_outbox(odk.node, own).status_code == 200
    row, other = odk.csv("uno")
    assert (row["a"], row["KEY"], row["meta-instanceID"]) == ("página", f"uuid:{own['id']}", f"uuid:{own['id']}")
    assert (row["SubmitterID"], row["DeviceID"], row["FormVersion"]) == ("", odk.node.app.state.node_id, "1")
    assert (other["a"], other["DeviceID"]) == ("collect", DEVICE)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("barrio: niñez?.csv", "barrio niñez.csv"),
        ("a/b\\c", "abc"),
        ("..", ""),
        ("con.txt", ""),
        ("fin. ", "fin"),
        ("ñ" * 200, "ñ" * 127),
    ],
)
def test_a_name_is_left_without_what_some_system_refuses(name: str, kept: str) -> None:
    assert sanitized(name) == kept


def test_every_file_of_an_archive_has_a_name_of_its_own() -> None:
    names = MediaNames()
    given = [names.give(*each) for each in (
        ("f.jpg", "1", "aa"), ("F.JPG", "2", "bb"), ("f.jpg", "3", "aa"), ("f.jpg", "2", "cc"), ("///", "4", "dd"),
        ("foto", "5", "ee"), ("foto", "6", "ff"), ("f.jpg", "2", "dd"),
    )]  # fmt: skip
    assert given == [
        "media/f.jpg", "media/F-2.JPG", "", "media/1-f-2.jpg", "media/archivo", "media/foto", "media/foto-6",
        "media/2-f-2.jpg",
    ]  # fmt: skip
