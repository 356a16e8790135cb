"""The lab sees a form: only what is asked for, scales to both sides of their middle, bands, tiles, texts by word."""

import gzip
import random
import re
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from pyxform.xls2xform import convert
from sqlalchemy import Engine

from collector.db import reading, writing
from collector.form_plan import Plan
from collector.lab.charts import Share
from collector.lab.filters import Filters, filters_from
from collector.lab.scales import Scale, bands_of, is_scale, scales_of
from collector.lab.summaries import question_count
from collector.lab.tables import Column, tables_of
from collector.lab.tiles import WIDTHS, blocks_of
from collector.queries import plans
from collector.queries.lab import Only, answer_counts, hour_counts, newest_records, newest_texts, plain
from collector.queries.people import put_user
from collector.queries.records import Arrival, ingest
from collector.routes.lab_opened import municipalities
from sync.records import canonical_bytes, read_record
from tests.lab.conftest import MOMENT_MS, PASSWORD, Lab, hashed

TRUST = """
| survey |
| | type | name | label |
| | select_one municipio | municipio | Municipio |
| | select_one confianza | vecinos | ¿Confía en sus vecinos? |
| | select_one confianza | policia | ¿Confía en la policía? |
| | select_one color | color | ¿Qué color? |
| | select_one cinco | nota | ¿Qué nota le da? |
| | integer | ingreso | ¿Cuánto gana? |
| | text | idea | ¿Qué cambiaría? |
| choices |
| | list_name | name | label |
| | municipio | 0810 | San Miguelito |
| | municipio | 0401 | Alanje |
| | confianza | nada | Nada |
| | confianza | algo | Algo |
| | confianza | mucho | Mucho |
| | confianza | ns | No sé |
| | color | rojo | Rojo |
| | color | azul | Azul |
| | color | verde | Verde |
| | cinco | 1 | Una |
| | cinco | 2 | Dos |
| | cinco | 3 | Tres |
| settings |
| | form_id | version | form_title |
| | confia | 1 | Confianza |
"""


@pytest.fixture(scope="module")
def trust_xform() -> str:
    return str(convert(TRUST, validate=False, file_type=".md").xform)


@pytest.fixture
def trust(open_lab: Lab, trust_xform: str) -> Lab:
    """Give a node where four people of two municipalities answered, one of them elsewhere and later."""
    open_lab.publish(trust_xform)
    base = {
        "municipio": "0810",
        "vecinos": "mucho",
        "policia": "nada",
        "ingreso": "500",
        "idea": "Más árboles en la VÍA",
    }
    open_lab.put(
        open_lab.record("confia", base),
        open_lab.record("confia", base | {"vecinos": "algo", "idea": "Que arreglen la Policía"}),
        open_lab.record("confia", base | {"municipio": "0401", "vecinos": "nada", "idea": "agua <b>limpia</b>"}),
    )
    later = {"finished": "2026-11-25T10:00:00.000-05:00", "lang": "en"}
    open_lab.put(open_lab.record("confia", base | {"municipio": "0401", "idea": ""}, **later), origin="n" * 36)
    return open_lab


def answers_on(lab: Lab, query: str) -> int:
    """Return how many records a page with filters lists."""
    page = lab.browser.get(f"/lab/forms/confia?{query}")
    assert page.status_code == 200
    return page.text.count('href="/lab/records/')


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4), ("lugar=0401", 2), ("lugar=08", 2), ("lugar=0101", 0), ("desde=2026-11-21", 1), 
        ("hasta=2026-11-20", 3),
        ("pregunta=vecinos&valor=mucho", 2), ("equipo=aqui", 3), (f"equipo={'n' * 36}", 1), ("version=1", 4),
        ("version=2", 0), ("idioma=en", 1), ("revision=approved", 0), ("revision=received", 4),
        ("lugar=0810&pregunta=vecinos&valor=algo", 1),
        # what cannot be meant is left out: an old link still opens
        ("lugar=x", 4), ("desde=ayer", 4), ("pregunta=vecinos&valor=otro", 4), ("revision=si", 4),
    ],
)  # fmt: skip
def test_an_address_says_what_is_looked_at(trust: Lab, query: str, count: int) -> None:
    assert answers_on(trust, query) == count


def test_charts_count_what_is_looked_at_and_link_back_to_it(trust: Lab) -> None:
    page = trust.browser.get("/lab/forms/confia?lugar=0810").text
    assert "Filtrar: San Miguelito" in page
    assert 'href="?lugar=0810#q-ingreso"' in page and 'id="q-ingreso"' in page
    assert re.search(r"¿Confía en sus vecinos\? <small[^>]*>n = 2 respuestas", page)


def test_older_records_keep_the_filters(trust: Lab) -> None:
    trust.put(*(trust.record("confia", {"municipio": "0810"}) for _ in range(60)))
    page = trust.browser.get("/lab/forms/confia?lugar=0810").text
    older = re.search(r'href="([^"]*before=[0-9]+[^"]*)#records"', page)
    assert older and "lugar=0810" in older[1]


def test_filters_are_the_same_after_a_trip_through_an_address(trust_xform: str, trust: Lab) -> None:
    columns = tables_of([trust.node.app.state.forms.get("confia", "1")]).columns
    asked = Filters("0810", "2026-01-01", "2026-02-01", "vecinos", "mucho", "aqui", "1", "es", "approved")
    assert filters_from(dict(asked.pairs()), columns) == asked
    assert not Filters().is_on and Filters().query() == ""


def test_what_no_database_takes_and_no_calendar_has_is_left_out(trust: Lab) -> None:
    columns = tables_of([trust.node.app.state.forms.get("confia", "1")]).columns
    said = {"equipo": "a\0b", "version": "\0", "idioma": "e\0s", "desde": "2026-02-31", "hasta": "2026-02-28"}
    assert filters_from(said, columns) == Filters(node="ab", language="es", until="2026-02-28")
    for address in ("confia?equipo=%00", "confia/textos/idea?q=%00", "confia?desde=2026-02-31"):
        assert trust.browser.get(f"/lab/forms/{address}").status_code == 200
    assert trust.browser.get("/lab/revisar/confia?node=%00&place=%00").status_code == 200


def test_a_page_on_which_nothing_is_left_says_so(trust: Lab) -> None:
    page = trust.browser.get("/lab/forms/confia?lugar=0101").text
    assert "Ninguna respuesta cumple los filtros." in page and '<b class="big">0 de 4</b>' in page
    assert "Ninguna respuesta tiene esas palabras." in trust.browser.get("/lab/forms/confia/textos/idea?q=zzz").text
    assert "Nadie contestó esta pregunta todavía." in trust.browser.get("/lab/forms/confia/textos/idea?lugar=0101").text


# --- the two databases


def put(engine: Engine, lab_record: dict[str, object]) -> None:
    read = read_record(canonical_bytes(lab_record).decode())
    with writing(engine) as session:
        ingest(session, [Arrival(read.id, read.sha256, read.body, read.kind, read.form, read.version)], MOMENT_MS)


def test_both_databases_look_at_the_same(engine: Engine) -> None:
    def content(number: int, **answers: str) -> dict[str, object]:
        return {
            "id": f"019c2f4e-8a30-7c1b-9d2e-{number:012d}", "kind": "submission", "form": "f", "version": "1",
            "form_sha": "0" * 16, "started": "2026-11-20T10:00:00.000-05:00", "lang": "es", "salt": "Zm9vYmFyYmF6cXV4",
            "finished": f"2026-11-{number:02d}T10:03:00.000-05:00", "answers": answers,
        }  # fmt: skip

    put(engine, content(1, a="si no", lugar="0810", idea="Más ÁRBOLES 100% ya"))
    put(engine, content(2, a="no", lugar="0401", idea="arboles"))
    put(engine, content(3, a="si", idea="nada_"))
    with reading(engine) as session:
        assert answer_counts(session, "f", {"a": 9}, (), Only(answer=("a", "si")))["a"].total() == 2
        assert answer_counts(session, "f", {"a": 9}, (), Only(place="08", place_keys=("lugar",)))["a"].total() == 1
        assert [name for name, _, _ in hour_counts(session, "f", Only(since="2026-11-02"))] == [
            "2026-11-02T10",
            "2026-11-03T10",
        ]
        assert len(newest_records(session, "f", None, 9, Only(until="2026-11-02"))) == 2
        for words, found in (("arboles", 2), ("ÁRBOLES más", 1), ("100%", 1), ("a_a", 0), ("nada_", 1), ("", 3)):
            assert len(newest_texts(session, "f", "idea", words, None, 9)) == found, words


def test_small_letters_without_accents() -> None:
    assert plain("Ngäbe-Buglé AÑO") == "ngabe-bugle ano"


# --- texts


def test_texts_are_found_whatever_the_accents(trust: Lab) -> None:
    page = trust.browser.get("/lab/forms/confia/textos/idea?q=policia").text
    assert "Que arreglen la Policía" in page and "árboles" not in page
    assert "Más árboles" in trust.browser.get("/lab/forms/confia/textos/idea?q=VIA+arboles").text
    every = trust.browser.get("/lab/forms/confia/textos/idea").text
    assert "&lt;b&gt;limpia" in every and "<b>limpia" not in every
    assert "árboles" not in trust.browser.get("/lab/forms/confia/textos/idea?lugar=0401").text
    assert trust.browser.get("/lab/forms/confia/textos/nada").status_code == 404


def test_an_analyst_reads_no_texts_that_name_people(open_lab: Lab) -> None:
    text = (
        "| survey |\n| | type | name | label |\n| | text | nombre | ¿Cómo se llama? |\n"
        "| settings |\n| | form_id | version |\n| | g | 1 |\n"
    )
    open_lab.publish(str(convert(text, validate=False, file_type=".md").xform))
    open_lab.put(open_lab.record("g", {"nombre": "Xiomara"}))
    with writing(open_lab.node.app.state.engine) as session:
        put_user(session, "analista@ejemplo.pa", hashed(PASSWORD), MOMENT_MS, "analyst")
    with httpx.Client(base_url=open_lab.node.url, headers={"Accept": "text/html"}) as analyst:
        analyst.post("/lab/login", data={"email": "analista@ejemplo.pa", "password": PASSWORD})
        assert analyst.get("/lab/forms/g/textos/nombre").status_code == 403
    assert "Xiomara" in open_lab.browser.get("/lab/forms/g/textos/nombre").text


# --- what is drawn


@pytest.fixture
def columns(trust: Lab) -> dict[str, Column]:
    return {each.key: each for each in tables_of([trust.node.app.state.forms.get("confia", "1")]).columns}


def test_a_scale_is_known_by_its_ends_or_its_numbers(columns: dict[str, Column]) -> None:
    assert {key for key, column in columns.items() if is_scale(column, "")} == {"vecinos", "policia", "nota"}


def test_neighbours_of_one_scale_are_drawn_around_one_middle(columns: dict[str, Column]) -> None:
    counts = {
        "vecinos": {"nada": 2, "algo": 4, "mucho": 4, "ns": 3},
        "policia": {"nada": 8, "algo": 2},
        "color": {"rojo": 1},
    }
    questions = [question_count(columns[key], values, "") for key, values in counts.items()]
    scale, other = scales_of(questions, "")
    assert isinstance(scale, Scale) and other is questions[2]
    assert [label for _, label in scale.key] == ["Nada", "Algo", "Mucho"] and [tone for tone, _ in scale.key] == [
        0,
        2,
        4,
    ]
    for row in scale.rows:
        left = sum(piece.width for piece in row.pieces[:1]) + row.pieces[1].width / 2
        assert row.pieces[0].start + left == pytest.approx(scale.middle, abs=0.02)
        assert all(piece.start >= 0 and piece.start + piece.width <= 100.02 for piece in row.pieces)
    assert scale.rows[0].question.n == 10  # who does not know is counted apart


def test_numbers_fall_into_round_bands_and_none_is_lost() -> None:
    assert bands_of({5.0: 3}) == []
    for seed in range(200):
        chance = random.Random(seed)
        width = 10 ** chance.randint(-3, 6)
        counted = {round(chance.uniform(-width, width), 4): chance.randint(1, 9) for _ in range(chance.randint(2, 60))}
        if len(counted) < 2:
            continue
        bands = bands_of(counted)
        assert sum(band.count for band in bands) == sum(counted.values())
        assert 1 <= len(bands) <= 14 and max(band.height for band in bands) == 1
        for band, following in pairwise(bands):
            assert band.high == following.low
    assert [(band.low, band.count) for band in bands_of({0.0: 1, 99.0: 2, 100.0: 3})][::5] == [("0", 1), ("50", 0)]


def test_every_municipality_has_one_tile_of_its_own() -> None:
    blocks = blocks_of({"0810": 50, "0401": 1, "9999": 800})
    tiles = [tile for block in blocks for tile in block.tiles]
    assert {tile.code for tile in tiles} == municipalities() and len(tiles) == len(municipalities())
    for block in blocks:
        assert len({(tile.column, tile.row) for tile in block.tiles}) == len(block.tiles)
        assert len({tile.short for tile in block.tiles}) == len(block.tiles), block.label
    levels = {tile.code: tile.level for tile in tiles}
    assert (levels["0810"], levels["0401"], levels["0402"]) == (5, 1, 0)  # a code of no municipality is left aside


def test_the_blocks_of_a_wide_page_do_not_lie_on_each_other() -> None:
    style = (Path(__file__).parents[2] / "static/css/staff.css").read_text(encoding="utf-8")
    taken: set[tuple[int, int]] = set()
    for block in blocks_of({}):
        [(row, column)] = re.findall(rf"\.p{block.code} {{ grid-area: ([0-9]+) / ([0-9]+); }}", style)
        cells = {(int(row) + at, int(column) + to) for at in range(block.tall) for to in range(WIDTHS[block.code])}
        assert not cells & taken and max(to for _, to in cells) <= 17 and max(at for at, _ in cells) <= 13
        taken |= cells


def test_a_code_of_no_municipality_neither_takes_the_map_away_nor_counts_as_one(trust: Lab) -> None:
    trust.put(trust.record("confia", {"municipio": "9999"}))
    page = trust.browser.get("/lab/forms/confia").text
    assert 'class="tile-map"' in page and "2 de 2" in page and '<th scope="row">9999' in page


def test_filters_are_said_in_words_and_with_how_many_are_left(trust: Lab) -> None:
    query = "pregunta=vecinos&valor=mucho&revision=received&hasta=2026-11-30&equipo=aqui"
    page = trust.browser.get(f"/lab/forms/confia?{query}").text
    [said] = re.findall(r"<summary>(Filtrar.*?)</summary>", page)
    assert said == "Filtrar: … – 2026-11-30 · ¿Confía en sus vecinos? Mucho · Este equipo · Sin revisar"
    assert '<b class="big">1 de 4</b>' in page
    assert '<b class="big">4</b>' in trust.browser.get("/lab/forms/confia").text


def test_the_language_of_the_answers_can_be_chosen_where_a_form_has_several(open_lab: Lab, trust: Lab) -> None:
    assert 'name="idioma"' not in trust.browser.get("/lab/forms/confia").text
    open_lab.put(open_lab.answer())
    page = open_lab.browser.get("/lab/forms/barrio?idioma=es").text
    assert '<option value="es" selected>Español (es)</option>' in page


def test_the_page_of_a_form_leads_to_its_review_and_to_the_page_for_everybody(open_lab: Lab) -> None:
    open_lab.put(open_lab.answer())
    page = open_lab.browser.get("/lab/forms/barrio").text
    assert 'href="/lab/revisar/barrio"' in page and "/publico/barrio" not in page
    with writing(open_lab.node.app.state.engine) as session:
        plans.put_plan(session, "barrio", Plan(is_public=True, public=("gusta",)), MOMENT_MS)
    assert 'href="/publico/barrio"' in open_lab.browser.get("/lab/forms/barrio").text


def test_scales_inside_a_repeat_are_drawn_as_such_and_without_intervals(open_lab: Lab) -> None:
    asked = "| | select_one confianza | escuela | ¿Confía en la escuela? |\n"
    rows = f"| | begin_repeat | hijo | Hijo |\n{asked}| | end_repeat | | |\n"
    text = TRUST.replace("| choices |\n", f"{rows}| choices |\n").replace("| confia |", "| hijos |")
    open_lab.publish(str(convert(text, validate=False, file_type=".md").xform))
    open_lab.put(
        open_lab.record(
            "hijos", {"vecinos": "algo", "hijo": [{"escuela": "nada"}, {"escuela": "mucho"}, {"escuela": "ns"}]}
        )
    )
    page = open_lab.browser.get("/lab/forms/hijos").text
    [card] = re.findall(r'<section class="card wide" id="q-hijo-escuela">.*?</section>', page, re.DOTALL)
    assert card.count('<rect class="pole') == 5 and "n = 2 filas" in card and "Entre" not in card
    [alone] = re.findall(r'<section class="card wide" id="q-vecinos">.*?</section>', page, re.DOTALL)
    assert "Entre" in alone


def test_large_bands_are_written_in_full() -> None:
    assert [band.low for band in bands_of({0.0: 1, 4_000_000.0: 1})][1] == "500000"


def test_thirty_charts_are_light(open_lab: Lab) -> None:
    """A page of 30 charts stays below 60 kB on the line."""
    rows = "".join(f"| | select_one s | p{number} | ¿Pregunta número {number}? |\n" for number in range(30))
    choices = "".join(f"| | s | c{number} | Opción {number} |\n" for number in range(6))
    text = (
        f"| survey |\n| | type | name | label |\n{rows}| choices |\n| | list_name | name | label |\n{choices}"
        "| settings |\n| | form_id | version |\n| | treinta | 1 |\n"
    )
    open_lab.publish(str(convert(text, validate=False, file_type=".md").xform))
    chance = random.Random(1)
    open_lab.put(
        *(open_lab.record("treinta", {f"p{n}": f"c{chance.randint(0, 5)}" for n in range(30)}) for _ in range(60))
    )
    page = open_lab.browser.get("/lab/forms/treinta").content
    assert page.count(b'class="card" id="q-') == 30
    assert len(gzip.compress(page, 6)) < 60_000


def test_shares_of_a_scale_are_those_of_its_table(columns: dict[str, Column]) -> None:
    (scale,) = scales_of([question_count(columns["nota"], {"1": 1, "2": 2, "3": 1}, "")], "")
    assert isinstance(scale, Scale)
    shares: list[Share] = [piece.share for piece in scale.rows[0].pieces]
    assert [share.count for share in shares] == [1, 2, 1] and sum(share.share for share in shares) == 1
