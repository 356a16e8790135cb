"""What leaves the lab for somebody outside: who may give what, what is left of it, and the register of it."""

import csv
import hashlib
import io
import json
import os
import time
from collections import Counter
from pathlib import Path
from threading import Event
from typing import Any

import pyreadstat
import pytest

from collector.db import reading, writing
from collector.exports import jobs
from collector.exports.jobs import ExportJobs, Job, Made
from collector.exports.profile import Shared, profile_of
from collector.lab.csv import CsvRecord
from collector.lab.tables import tables_of
from collector.lab.transfers import transfer_of
from collector.queries.audit import Done, add_entry
from collector.queries.exports import transfers
from tests.lab.conftest import Lab
from tests.lab.staff import audited, browser_of, hire
from tests.lab.test_api import both as both  # the fixture
from tests.lab.test_export_programs import given, publish
from tests.lab.test_exports import PURPOSE, members, table_in, take

TO_SHARE = {"profile": "1", "recipient": "Universidad de Panamá"}
ASKED = "/lab/forms/barrio/llevar"


def shared_rows(lab: Lab, form_id: str, **asked: str) -> list[dict[str, str]]:
    return table_in(members(take(lab, form_id, **TO_SHARE, **asked))[f"{form_id}.csv"])


# --- the register


def test_a_file_that_is_given_away_stands_in_the_register_with_its_very_hash(open_lab: Lab) -> None:
    open_lab.put(*(open_lab.answer(edad="34", gusta="si", idea="Soy Ana") for _ in range(6)))
    content = take(open_lab, **TO_SHARE)
    whole = take(open_lab, format="sqlite", recipient="=Alcaldía")
    take(open_lab)  # stays in the lab
    page = open_lab.browser.get("/lab/entregas")
    assert page.status_code == 200 and "Universidad de Panamá" in page.text and "Grupos de 5 o más" in page.text
    sent = open_lab.browser.get("/lab/entregas.csv", params={"purpose": "informe a la autoridad"})
    latest, first = csv.DictReader(io.StringIO(sent.content.decode("utf-8-sig"), newline=""))
    assert (latest["recipient"], latest["k"]) == ("'=Alcaldía", "")
    assert latest["sha256"] == hashlib.sha256(whole).hexdigest()
    assert (first["recipient"], first["purpose"], first["form"]) == ("Universidad de Panamá", PURPOSE, "barrio")
    assert (first["sha256"], first["bytes"]) == (hashlib.sha256(content).hexdigest(), str(len(content)))
    assert (first["k"], first["records"], first["format"]) == ("5", "6", "csv")
    assert first["fields"].startswith("barrio: KEY SubmissionDate") and "idea" not in first["fields"]
    assert json.loads(first["profile"])["quasi"] == ["lugar/municipio", "edad"]


def test_taking_the_register_is_noted_and_asks_what_for(open_lab: Lab) -> None:
    assert open_lab.browser.get("/lab/entregas.csv").status_code == 422
    assert open_lab.browser.get("/lab/entregas.csv?purpose=informe").status_code == 200
    assert audited(open_lab.node, action="export")[0].subject == "transfers"
    assert "Nada salió del laboratorio" in open_lab.browser.get("/lab/entregas").text


def test_the_register_goes_on_page_by_page(open_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.routes.lab_transfers.PAGE", 2)
    for name in ("Una", "Dos", "Tres"):
        take(open_lab, recipient=name)
    page = open_lab.browser.get("/lab/entregas").text
    assert "Tres" in page and "Dos" in page and "<b>Una</b>" not in page
    older = page.split('href="/lab/entregas?antes=')[1].split('"')[0]
    assert "<b>Una</b>" in open_lab.browser.get(f"/lab/entregas?antes={older}").text


def test_a_file_to_share_names_who_gets_it(open_lab: Lab) -> None:
    refused = open_lab.browser.post(ASKED, data={"purpose": PURPOSE, "profile": "1"})
    assert refused.status_code == 422 and "a quién se lo dará" in refused.text
    assert not audited(open_lab.node, action="export")


def test_an_analyst_gives_only_the_file_to_share_out_of_hand(open_lab: Lab) -> None:
    hire(open_lab.node, "analyst")
    with browser_of(open_lab.node, "analyst") as analyst:
        refused = analyst.post(ASKED, data={"purpose": PURPOSE, "recipient": "Alcaldía"})
        assert refused.status_code == 422 and "solo puede dar el archivo «Para compartir»" in refused.text
        assert take(open_lab, "barrio", analyst, **TO_SHARE)
        assert analyst.get("/lab/entregas").status_code == 403
        assert "/lab/entregas" not in analyst.get(ASKED).text


# --- what is left of it


def test_a_shared_file_holds_no_number_that_says_who_somebody_is(open_lab: Lab) -> None:
    asked = [("integer", "telefono", "¿Cuál es su teléfono?"), ("integer", "hijos", "¿Cuántos hijos tiene?")]
    publish(open_lab, "gente", [*asked, ("text", "nombre", "¿Cómo se llama?")])
    given(open_lab, "gente", *({"telefono": f"6123450{n}", "hijos": "2", "nombre": "Ana"} for n in range(6)))
    content = members(take(open_lab, "gente", **TO_SHARE))
    assert not any(b"612345" in part or b"Ana" in part for part in content.values())
    assert {row["hijos"] for row in table_in(content["gente.csv"])} == {"2"}


def test_a_shared_file_holds_nothing_that_found_no_column(open_lab: Lab) -> None:
    given(open_lab, "barrio", *({"edad": "Soy Ana Pérez", "otra": "Soy Luis", "gusta": "Soy Eva"} for _ in range(6)))
    content = members(take(open_lab, **TO_SHARE))
    assert not any(b"Soy" in part for part in content.values())
    assert "_unread" not in table_in(content["barrio.csv"])[0]


def test_a_shared_file_names_no_record_and_no_moment(open_lab: Lab) -> None:
    ids = open_lab.put(*(open_lab.answer(gusta="si") for _ in range(6)))
    rows = shared_rows(open_lab, "barrio")
    assert len({row["KEY"] for row in rows}) == 6 and not any(id_ in row["KEY"] for id_ in ids for row in rows)
    assert {(row["Started"], row["Finished"], row["Language"], row["DeviceID"]) for row in rows} == {("", "", "", "")}


def test_what_is_reckoned_from_answers_is_not_shared(open_lab: Lab) -> None:
    publish(open_lab, "cuenta", [("integer", "hijos", "Hijos"), ("text", "calle", "¿En qué calle?")], calculate="todo")
    given(open_lab, "cuenta", *({"hijos": "1", "todo": "Ana Pérez"} for _ in range(6)))
    assert set(shared_rows(open_lab, "cuenta")[0]) >= {"hijos"} and "todo" not in shared_rows(open_lab, "cuenta")[0]


def test_an_age_leaves_as_its_ten_and_only_in_groups_of_five(open_lab: Lab) -> None:
    ages = ["31", "33", "34", "36", "39", "62", "muchos"]
    open_lab.put(*(open_lab.answer(edad=age, gusta="si") for age in ages))
    written = Counter((row["lugar-municipio"], row["edad"]) for row in shared_rows(open_lab, "barrio"))
    assert sum(written.values()) == 7 and min(written.values()) >= 5
    open_lab.put(*(open_lab.answer(edad="85") for _ in range(5)))
    again = Counter(row["edad"] for row in shared_rows(open_lab, "barrio"))
    assert again["80"] == 5 and min(again.values()) >= 5


def test_a_form_may_ask_for_larger_groups_and_the_page_says_so(open_lab: Lab) -> None:
    open_lab.put(*(open_lab.answer(gusta="si") for _ in range(6)))
    assert "grupos de 5 personas" in open_lab.browser.get(ASKED).text and len(shared_rows(open_lab, "barrio")) == 6
    open_lab.publish(open_lab.xforms["1"].replace('version="1"', 'version="9" k_shared="8"'))
    assert "grupos de 8 personas" in open_lab.browser.get(ASKED).text and shared_rows(open_lab, "barrio") == []


def test_fewer_than_five_answers_do_not_leave_at_all(open_lab: Lab) -> None:
    open_lab.put(*(open_lab.answer(gusta="si") for _ in range(4)))
    asked = open_lab.browser.post(ASKED, data={"purpose": PURPOSE, **TO_SHARE})
    assert shared_rows(open_lab, "barrio") == []
    time.sleep(0.5)
    assert "Hay menos de 5 respuestas" in open_lab.browser.get(asked.headers["location"]).text
    assert audited(open_lab.node, action="export")[0].count == 0
    assert profile_of([("a",)] * 4, ("x",), ()).report.dropped == 4


def test_a_record_that_counts_only_since_the_profile_was_made_does_not_leave(open_lab: Lab) -> None:
    table = tables_of([open_lab.node.app.state.forms.get("barrio", "1")])
    shared = Shared(table, [])
    six, late = ([CsvRecord({"answers": {"edad": age}}, "2026-11-20", "")] for age in ("34", "62"))
    profile = shared.profile(six * 6)
    assert len(list(shared.records(profile, six * 6 + late))) == 6


def test_a_province_in_place_of_a_municipality_has_its_label_in_spss(open_lab: Lab, tmp_path: Path) -> None:
    publish(
        open_lab,
        "lugares",
        [("select_one m", "municipio", "Municipio"), ("select_one s", "gusta", "¿Le gusta?")],
        [("m", "0802", "Balboa"), ("m", "0808", "Panamá"), ("m", "0810", "San Miguelito"), ("s", "si", "Sí")],
    )
    places = ["0802"] * 3 + ["0808"] * 3 + ["0810"] * 6
    given(open_lab, "lugares", *({"municipio": place, "gusta": "si"} for place in places))
    path = tmp_path / "x.sav"
    path.write_bytes(take(open_lab, "lugares", format="sav", **TO_SHARE))
    frame, about = pyreadstat.read_sav(str(path))
    assert Counter(frame["municipio"]) == {810.0: 6, 8.0: 6}
    assert about.variable_value_labels["municipio"][8.0].startswith("08")


def test_places_that_are_no_municipalities_and_sex_are_told_in_groups_too(open_lab: Lab) -> None:
    publish(
        open_lab,
        "otros",
        [("select_one c", "corregimiento", "Corregimiento"), ("select_one s", "sexo", "Sexo")],
        [("c", "x", "Equis"), ("c", "y", "Ye"), ("s", "m", "Mujer"), ("s", "h", "Hombre")],
    )
    given(
        open_lab, "otros", *({"corregimiento": "x", "sexo": "m"} for _ in range(7)), {"corregimiento": "y", "sexo": "h"}
    )
    written = Counter((row["corregimiento"], row["sexo"]) for row in shared_rows(open_lab, "otros"))
    assert sum(written.values()) == 8 and min(written.values()) >= 5


def test_the_page_says_what_was_done_to_protect_it(open_lab: Lab) -> None:
    open_lab.put(*(open_lab.answer(edad="34") for _ in range(6)))
    asked = open_lab.browser.post(ASKED, data={"purpose": PURPOSE, "format": "xlsx", **TO_SHARE})
    take(open_lab, format="xlsx", **TO_SHARE)
    page = open_lab.browser.get(asked.headers["location"]).text
    assert "Cómo se protegió" in page and "lugar/municipio, edad" in page
    english = open_lab.browser.get(asked.headers["location"], headers={"Accept-Language": "en"}).text
    assert "How it was protected" in english


# --- making it


def job_of(number: int = 1, asked: str = "a") -> Job:
    return Job(f"0-{number}", "ana", "barrio", "csv", "barrio.zip", "application/zip", time.time(), 1, asked=asked)


def test_who_presses_twice_gets_one_file(tmp_path: Path) -> None:
    folder, go_on = ExportJobs(tmp_path), Event()

    def write(path: Path, _tick: Any) -> Made:
        go_on.wait(10)
        path.write_text("x")
        return Made({"barrio": 1}, {})

    folder.start(job_of(), write, lambda _made: None)
    same = folder.same("ana", "a")
    assert same is not None and same.id == "0-1"
    assert folder.same("luz", "a") is None and folder.same("ana", "b") is None
    go_on.set()
    until = time.monotonic() + 10
    while (made := folder.get("0-1")) is None or made.state != "done":
        assert time.monotonic() < until
        time.sleep(0.02)
    assert folder.same("ana", "a") is None


def test_a_file_that_nobody_makes_any_more_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program was ended while it made the file: the page must not say for ever that it is coming."""
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.05)
    folder, go_on = ExportJobs(tmp_path), Event()

    def write(path: Path, _tick: Any) -> Made:
        go_on.wait(10)
        path.write_text("x")
        return Made({"barrio": 1}, {})

    folder.start(job_of(), write, lambda _made: None)
    note = tmp_path / "0-1.json"
    os.utime(note, (1, 1))
    until = time.monotonic() + 10
    while note.stat().st_mtime == 1:  # the one who makes it says that it is alive
        assert time.monotonic() < until
        time.sleep(0.02)
    alive = folder.get("0-1")
    assert alive is not None and alive.state == "waiting"
    go_on.set()
    (tmp_path / "0-2.json").write_text(json.dumps(job_of(2).__dict__))
    os.utime(tmp_path / "0-2.json", (1, 1))
    gone = folder.get("0-2")
    assert gone is not None and (gone.state, gone.problem) == ("failed", "stopped")


def test_a_file_that_cannot_be_noted_is_given_to_nobody(tmp_path: Path) -> None:
    folder = ExportJobs(tmp_path)

    def write(path: Path, _tick: Any) -> Made:
        path.write_text("x")
        return Made({"barrio": 1}, {})

    def ended(_made: Job) -> None:
        raise OSError(28, "No space left on device")

    folder.start(job_of(), write, ended)
    until = time.monotonic() + 10
    while (made := folder.get("0-1")) is None or made.state not in ("done", "failed"):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert made.state == "failed" and not (tmp_path / "0-1").exists()


def test_the_register_is_the_same_on_both_databases(both: Lab) -> None:
    said = [{"recipient": "Alcaldía", "sha256": "a" * 64}, {"format": "csv"}, {"recipient": "ONG_%"}]
    with writing(both.node.app.state.engine) as session:
        for number, detail in enumerate(said):
            add_entry(session, Done("ana", "lab", "export", "barrio", PURPOSE), f"id-{number}", number, **detail)
        add_entry(session, Done("ana", "lab", "review", "barrio"), "id-9", 9, recipient="nadie")
    with reading(both.node.app.state.engine) as session:
        found = [transfer_of(entry).recipient for entry in transfers(session)]
        assert found == ["ONG_%", "Alcaldía"]
        assert [transfer_of(entry).recipient for entry in transfers(session, before="id-2")] == ["Alcaldía"]
