"""The board, the text, the files and what just came, over real HTTP; with the clock moved on where days must pass."""

import csv
import io
from typing import Any

import pytest

from collector import watching
from collector.clock import iso, now_ms
from collector.db import writing
from collector.form_plan import Plan, Quota
from collector.lab.freshness import DAY_MS
from collector.queries.nodes import enrol_node, make_enrol_code
from collector.queries.plans import place_node, put_plan
from tests.lab.conftest import Lab
from tests.store.test_arrivals import statements

PAGES = ("/lab/al-dia", "/lab/llegadas", "/lab/cuotas/barrio", "/lab/calidad")
FILES = ("/lab/al-dia/aviso.txt", "/lab/al-dia/tablero.csv", "/lab/al-dia/informes.csv")


def plan(lab: Lab, **given: Any) -> None:
    with writing(lab.node.app.state.engine) as session:
        put_plan(session, "barrio", Plan(**given), now_ms())


def answer_now(lab: Lab, **more: Any) -> dict[str, Any]:
    """Return an answer that is given now: its times are those of the device."""
    moment = iso(now_ms())
    return lab.answer() | {"started": moment, "finished": moment} | more


def pass_days(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """Let the board see the clock so many days later."""
    later = now_ms() + days * DAY_MS
    monkeypatch.setattr(watching, "now_ms", lambda: later)


def board(lab: Lab, **query: str) -> dict[str, dict[str, str]]:
    """Return the rows of the board's file by municipality."""
    text = lab.browser.get("/lab/al-dia/tablero.csv", params=query).content.decode("utf-8-sig")
    return {row["municipality"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize("address", [*PAGES, *FILES])
def test_only_people_of_the_lab_watch(lab: Lab, address: str) -> None:
    answer = lab.browser.get(address)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/lab/login")


@pytest.mark.parametrize("address", PAGES)
def test_pages_of_an_empty_node_say_what_will_be_there(open_lab: Lab, address: str) -> None:
    assert open_lab.browser.get(address).status_code == 200


def test_a_municipality_that_goes_silent_becomes_due_overdue_and_delinquent_on_its_day(
    open_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(open_lab, frequency_days=7, municipalities=("0810", "0401"))
    open_lab.put(answer_now(open_lab), received_ms=now_ms())
    states = {}
    for days in (0, 6, 7, 13, 14, 20, 21):
        with monkeypatch.context() as moved:
            pass_days(moved, days)
            row = board(open_lab)["0810"]
            states[days] = row["status"]
            assert row["days_since_last"] == str(days)
            text = open_lab.browser.get("/lab/al-dia/aviso.txt").text
            assert ("San Miguelito" in text) == (days >= 7)
    assert states == {0: "fresh", 6: "fresh", 7: "due", 13: "due", 14: "overdue", 20: "overdue", 21: "delinquent"}


def test_after_fifteen_silent_days_it_stands_in_the_message_and_on_the_page(
    open_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(open_lab, frequency_days=7, municipalities=("0810",))
    open_lab.put(answer_now(open_lab), received_ms=now_ms())
    pass_days(monkeypatch, 15)
    text = open_lab.browser.get("/lab/al-dia/aviso.txt").text
    assert "Atrasado:\n- San Miguelito: Mi barrio (15 días)" in text
    english = open_lab.browser.get("/lab/al-dia/aviso.txt", params={"lang": "en"}).text
    assert "- San Miguelito: Mi barrio (15 days)" in english
    page = open_lab.browser.get("/lab/al-dia").text
    assert "San Miguelito: Mi barrio (15 días)" in page
    assert 'class="fresh overdue"' in page


def test_a_tablet_that_thinks_it_is_2019_neither_ages_nor_freshens_the_board(open_lab: Lab) -> None:
    plan(open_lab, frequency_days=7, municipalities=("0810",))
    for year in ("2019", "2041"):
        open_lab.put(answer_now(open_lab, finished=f"{year}-03-01T10:00:00.000-05:00"), received_ms=now_ms())
        assert board(open_lab)["0810"]["days_since_last"] == "0"


def test_an_erased_answer_is_no_sign_of_life(open_lab: Lab) -> None:
    plan(open_lab, frequency_days=7, municipalities=("0810",))
    (only,) = open_lab.put(answer_now(open_lab), received_ms=now_ms())
    assert board(open_lab)["0810"]["answers"] == "1"
    open_lab.erase(only)
    row = board(open_lab)["0810"]
    assert (row["answers"], row["status"], row["last_answer"]) == ("0", "waiting", "")


def test_an_answer_without_municipality_counts_where_its_node_works(open_lab: Lab) -> None:
    engine = open_lab.node.app.state.engine
    with writing(engine) as session:
        node = enrol_node(session, make_enrol_code(session, now_ms()), "Tableta de Alanje", "a" * 32, now_ms())
        assert node
        place_node(session, "a" * 32, "0401")
    nameless = open_lab.record("barrio", {"edad": "30"})
    open_lab.put(nameless, origin="a" * 32, received_ms=now_ms())
    open_lab.put(open_lab.record("barrio", {"edad": "31"}), received_ms=now_ms())
    rows = board(open_lab)
    assert (rows["0401"]["answers"], rows[""]["answers"]) == ("1", "1")
    assert "Tableta de Alanje" in open_lab.browser.get("/lab/al-dia").text  # it never sent: nobody heard of it


def test_what_is_shared_hides_small_cells_in_page_and_file(open_lab: Lab) -> None:
    plan(open_lab, frequency_days=7, municipalities=("0810", "0401"))
    for place in ["0810"] * 5 + ["0401"] * 4:
        content = answer_now(open_lab)
        open_lab.put(content | {"answers": {"lugar/municipio": place}}, received_ms=now_ms())
    rows = board(open_lab, compartir="1")
    assert (rows["0810"]["answers"], rows["0401"]["answers"], rows["0401"]["status"]) == ("5", "", "protected")
    assert "datos protegidos" in open_lab.browser.get("/lab/al-dia", params={"compartir": "1"}).text
    assert board(open_lab)["0401"]["answers"] == "4"
    open_lab.publish(open_lab.xforms["1"].replace('version="1"', 'version="9" k_shared="6"'))
    assert board(open_lab, compartir="1")["0810"]["status"] == "protected"
    assert "desde 6 respuestas" in open_lab.browser.get("/lab/al-dia", params={"compartir": "1"}).text


def test_reporting_rates_stand_in_a_file_under_their_own_names(open_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    plan(open_lab, frequency_days=7, municipalities=("0810", "0401"))
    pass_days(monkeypatch, 15)
    text = open_lab.browser.get("/lab/al-dia/informes.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["municipality"] for row in rows} == {"0810", "0401"}
    assert {(row["EXPECTED_REPORTS"], row["ACTUAL_REPORTS"], row["REPORTING_RATE"]) for row in rows} == {
        ("1", "0", "0")
    }
    assert "Quién informó" in open_lab.browser.get("/lab/al-dia").text


def test_one_form_alone_and_a_form_that_is_not_there(open_lab: Lab) -> None:
    plan(open_lab, frequency_days=7, municipalities=("0810",))
    assert open_lab.browser.get("/lab/al-dia", params={"form": "barrio"}).status_code == 200
    assert open_lab.browser.get("/lab/al-dia", params={"form": "otro"}).status_code == 404


def test_the_board_asks_as_much_of_the_store_for_many_answers_as_for_few(open_lab: Lab) -> None:
    plan(open_lab, frequency_days=7, municipalities=("0810", "0401"))
    asked = []
    open_lab.put(answer_now(open_lab), received_ms=now_ms())
    open_lab.browser.get("/lab/al-dia")  # what is read once: the form, and the log from its beginning
    for count in (3, 200):
        open_lab.put(*(answer_now(open_lab) for _ in range(count)), received_ms=now_ms())
        asked.append(statements(open_lab.node.app.state.engine, lambda: open_lab.browser.get("/lab/al-dia")))
    assert asked[0] == asked[1] <= 30


# --- what just came


def test_an_open_page_is_sent_nothing_while_nothing_came(open_lab: Lab) -> None:
    (first,) = open_lab.put(answer_now(open_lab), received_ms=now_ms())
    page = open_lab.browser.get("/lab/llegadas")
    assert f"/lab/records/{first}" in page.text
    asking = {"HX-Request": "true"}
    part = open_lab.browser.get("/lab/llegadas", headers=asking)
    assert "<html" not in part.text
    again = asking | {"If-None-Match": part.headers["etag"]}
    same = open_lab.browser.get("/lab/llegadas", headers=again)
    assert (same.status_code, same.content) == (304, b"")
    (second,) = open_lab.put(answer_now(open_lab), received_ms=now_ms())
    changed = open_lab.browser.get("/lab/llegadas", headers=again)
    assert changed.status_code == 200
    assert changed.text.index(second) < changed.text.index(first)


def test_the_lab_opens_with_the_counts_that_are_kept(open_lab: Lab) -> None:
    ids = open_lab.put(*(answer_now(open_lab) for _ in range(7)), received_ms=now_ms())
    assert ">7<" in open_lab.browser.get("/lab").text.replace("\n", "")
    open_lab.erase(ids[0])
    assert ">6<" in open_lab.browser.get("/lab").text.replace("\n", "")


# --- quotas


def test_a_quota_that_nothing_is_counted_for_is_said_and_not_shown_as_missing(open_lab: Lab) -> None:
    plan(open_lab, quotas=(Quota("persona/sexo", "m", 40), Quota("gusta", "si", 3)))
    page = open_lab.browser.get("/lab/cuotas/barrio").text
    assert "Hay cuotas que no se pueden contar" in page and "persona/sexo" in page
    assert page.count('data-label="Meta"') == 1
    assert 'href="/lab/formularios/barrio/plan#cuotas"' in page


def test_quotas_say_what_is_missing_by_answer_and_by_municipality(open_lab: Lab) -> None:
    plan(open_lab, frequency_days=30, quotas=(Quota("gusta", "si", 3), Quota("gusta", "no", 1)), expected={"0810": 4})
    for gusta in ("si", "no", "no"):
        content = answer_now(open_lab)
        content["answers"] |= {"gusta": gusta}
        open_lab.put(content, received_ms=now_ms())
    page = open_lab.browser.get("/lab/cuotas/barrio").text
    rows = [" ".join(row.split()) for row in page.split("<tr>")]
    assert any("¿Le gusta su barrio?" in row and ">Sí<" in row and ">2</td></tr>" in row for row in rows)
    assert any(">No<" in row and "completa" in row for row in rows)
    assert any("San Miguelito" in row and 'data-label="Faltan">1</td>' in row for row in rows)
    assert open_lab.browser.get("/lab/cuotas/nada").status_code == 404
