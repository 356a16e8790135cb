"""What leaves a room: readable, escaped, in two languages, the same bytes every time, nobody's secret in it."""

import ast
import csv
import io
import itertools
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring

from collector.pages import load_english
from collector.rooms.boards.energy import energy_board
from collector.rooms.outputs.actors import actors_csv, actors_document, agreements_csv, agreements_document
from collector.rooms.outputs.coded import coded_csv
from collector.rooms.outputs.csv import cell, csv_text
from collector.rooms.outputs.document import (
    Bullets,
    Document,
    Grid,
    Heading,
    Paragraph,
    Words,
    as_html,
    as_markdown,
)
from collector.rooms.outputs.energy import energy_chat, energy_csv, energy_document, energy_svg
from collector.rooms.outputs.feeds import comments_feed, participants_feed
from collector.rooms.outputs.iceberg import iceberg_document, iceberg_svg
from collector.rooms.outputs.maps import actor_map, iceberg_map, kumu
from collector.rooms.outputs.matrices import MatrixWords, matrix_csv, matrix_document
from collector.rooms.outputs.refi import Project, qdc, qdpx
from collector.rooms.outputs.report import minutes, session_report
from collector.rooms.outputs.return_sheet import Sheet, readability, return_sheet
from collector.rooms.outputs.statements import comments_csv, statements_document
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.room import Room, room_of
from collector.rooms.sense.codebook import codebook_of
from collector.rooms.sense.coding import Coded, coded, read_codebook, read_codings
from collector.rooms.sense.matrices import theme_by_segment
from collector.rooms.sense.pieces import pieces_of
from collector.rooms.sense.screening import is_personal, without_personal
from tests.rooms_sense import scene

ROOT = Path(__file__).parent.parent.parent
PLACES = {"0810": "San Miguelito"}


class Strict(dict[str, str]):
    """English sentences that must be there: a Spanish one slips through nowhere."""

    def get(self, sentence: str, default: str | None = None) -> str:  # type: ignore[override]
        return self[sentence]


ENGLISH = Tongue("en", Strict(load_english()), PLACES)
SPANISH = Tongue("es", {}, PLACES)


def outputs(room: Room, tongue: Tongue = SPANISH) -> dict[str, str | bytes]:
    """Return every output there is, by name."""
    book = read_codebook(room.items, tongue.language)
    found = coded(read_codings(room.items), book)
    board = energy_board(room, "energia")
    pieces = pieces_of(room)
    matrix = theme_by_segment(pieces, found, book, "generacion").shown()
    words = MatrixWords("Temas", "Generación", {}, book, tongue)
    maps = (iceberg_map(room, "iceberg", tongue), actor_map(room, tongue))
    iceberg = next(step for step in room.guide.steps if step.type == "iceberg") if room.guide else None
    votes = next(step for step in room.guide.steps if step.type == "statements") if room.guide else None
    assert iceberg is not None and votes is not None
    documents = {
        "iceberg": iceberg_document(room, iceberg, tongue),
        "actores": actors_document(room, tongue),
        "acuerdos": agreements_document(room, tongue),
        "frases": statements_document(room, votes, tongue),
        "informe": session_report(room, book, found, tongue),
        "acta": minutes(room, tongue),
        "energia": energy_document(room, board, tongue),
        "matriz": matrix_document(matrix, words),
        "hoja": return_sheet(Sheet(room, book, found, ("Vamos a limpiar.",), "Llame al laboratorio."), tongue),
    }
    return {
        **{f"{name}.md": as_markdown(document) for name, document in documents.items()},
        **{f"{name}.html": as_html(document) for name, document in documents.items()},
        "energia.svg": energy_svg(board, tongue),
        "energia.csv": energy_csv(board, tongue),
        "energia.txt": energy_chat(room, board, tongue),
        "frases.csv": comments_csv(room, "frases"),
        "matriz.csv": matrix_csv(matrix, words),
        "codificado.csv": coded_csv(pieces, found),
        "iceberg.svg": iceberg_svg(room, "iceberg", tongue),
        "actores.csv": actors_csv(room, tongue),
        "acuerdos.csv": agreements_csv(room),
        "comentarios.csv": comments_feed(pieces),
        "participantes.csv": participants_feed(pieces),
        "mapas.json": kumu(maps),
        "proyecto.qdpx": qdpx(Project("Confianza", book, found, tuple(pieces), maps, tongue=tongue)),
        "codigos.qdc": qdc(book, found),
    }


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


# --- the same for everybody


def test_every_output_is_the_same_to_the_byte_whatever_the_order_of_arrival(room: Room) -> None:
    wanted = outputs(room)
    for seed in range(3):
        said = scene.everything()
        random.Random(seed).shuffle(said)
        assert outputs(room_of([*said, *said[: 10 * seed]])) == wanted


def test_every_output_speaks_english_too(room: Room) -> None:
    assert "Report of the session" in str(outputs(room, ENGLISH)["informe.md"])
    assert "22 November 2026" in str(outputs(room, ENGLISH)["acta.html"])
    assert '<html lang="en">' in str(outputs(room, ENGLISH)["hoja.html"])


def sentences() -> Iterator[str]:
    """Give the Spanish sentences in the code of the outputs: arguments of a tongue, and tables of names."""
    for path in (ROOT / "collector" / "rooms" / "outputs").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "tongue":
                yield from (each.value for each in node.args[:1] if isinstance(each, ast.Constant))
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith(("_NAMES", "MONTHS")):
                named = ast.literal_eval(node.value)
                yield from named.values() if isinstance(named, dict) else named


def test_every_sentence_has_its_english() -> None:
    said = set(sentences())
    assert len(said) > 100
    assert said - set(load_english()) == set()


def test_a_demonstration_says_so_everywhere() -> None:
    made = outputs(scene.room(demo=True))
    for name, content in made.items():
        if name.endswith((".md", ".html")) and not name.startswith("matriz"):
            assert "Demostración: los datos son inventados." in str(content), name
    assert str(made["energia.txt"]).startswith("DEMOSTRACIÓN")


def test_no_output_ties_a_vote_to_anybody_and_none_but_the_project_names_a_seat(room: Room) -> None:
    for name, content in outputs(room).items():
        text = content.decode("latin-1") if isinstance(content, bytes) else content
        assert "ballot" not in text and "telefono0" not in text, name
        if name != "proyecto.qdpx":
            assert not re.search(r"\bP\d+\b", text), name


def test_words_without_consent_are_in_nothing_but_what_the_lab_codes(room: Room) -> None:
    for name, content in outputs(room).items():
        if isinstance(content, str) and name != "codificado.csv":
            assert "No diga que lo dije yo" not in content and "No lo repita" not in content, name
            assert scene.PHONE not in content, name


def test_pages_ask_nothing_of_the_network_and_run_nothing(room: Room) -> None:
    for name, content in outputs(room).items():
        if name.endswith((".html", ".svg")):
            text = str(content).replace('xmlns="http://www.w3.org/2000/svg"', "")
            assert not re.search(r"https?:|<script|<link|<img|\bon\w+=|url\(", text), name


# --- the text for a chat group


def test_the_chat_text_is_short_plain_and_says_nobody(room: Room) -> None:
    text = str(outputs(room)["energia.txt"])
    assert len(text) <= 1000 and not is_personal(text)
    assert "San Miguelito, 22 de noviembre de 2026" in text
    assert "1. plastico: 55 % de los puntos (29 % a 78 %), compromisos con fecha: 1" in text
    assert "Junta comunal" not in text and "Escuela Sol" not in text and "Cuesta mucho" not in text


def test_the_chat_text_cuts_what_the_facilitator_should_not_have_written() -> None:
    found = scene.room(title=f"Taller de P3 {scene.PHONE} {scene.EMAIL} {scene.CARD}", place="Casa de P12")
    text = energy_chat(found, energy_board(found, "energia"))
    assert not is_personal(text) and not re.search(r"\bP\d+\b", text)
    assert "Taller de … … … …" in text and "Casa de …" in text


def test_many_positions_never_make_the_chat_text_longer() -> None:
    make = scene.Making()
    names = [f"posicion-{number}-{'x' * 40}" for number in range(40)]
    found = room_of(make.guided(scene.step_of("energy", "energia", *names), title="T" * 200))
    text = energy_chat(found, energy_board(found, "energia"))
    assert len(text) <= 1000 and re.search(r"\ny \d+ más$", text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Llame al 6123-4567 hoy", "Llame al … hoy"),
        ("+507 6123 4567", "…"),
        ("cédula PE-12-345", "cédula …"),
        ("cédula 8-765-4321", "cédula …"),
        ("ana.rios@ejemplo.pa", "…"),
        ("El 2026-11-22 a las 10:30, 120 personas", "El 2026-11-22 a las 10:30, 120 personas"),
        ("de 3-4 a 5", "de 3-4 a 5"),
        ("Me llamo Ana Ríos", "…"),
        ("dijo P1 y no P10", "dijo … y no P10"),
    ],
)
def test_screening_cuts_persons_and_leaves_days_and_counts(text: str, left: str) -> None:
    assert without_personal(text, ["P1"]) == left


# --- statements in the columns of Polis


def test_statements_have_the_columns_and_counts_of_polis(room: Room) -> None:
    rows = rows_of(comments_csv(room, "frases"))
    assert list(rows[0]) == [
        "timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body",
    ]  # fmt: skip
    assert [(row["agrees"], row["disagrees"], row["moderated"]) for row in rows] == [("8", "4", "1"), ("0", "0", "1")]
    assert [row["author-id"] for row in rows] == ["0", "1"]
    assert rows[1]["comment-body"] == "'@mañana se arregla solo"
    assert all(int(row["timestamp"]) % 60_000 == 0 for row in rows)


def test_statements_give_no_counts_before_the_reveal_and_none_of_four_voters() -> None:
    blind = [each for each in scene.everything() if (each.what, each.step) != ("step", "frases")]
    assert [row["agrees"] for row in rows_of(comments_csv(room_of(blind), "frases"))] == ["", ""]
    ballots = sorted({each.ballot for each in blind if each.ballot})[:4]
    few = [each for each in scene.everything() if not each.ballot or each.ballot in ballots]
    assert [row["agrees"] for row in rows_of(comments_csv(room_of(few), "frases"))] == ["", ""]


def test_a_hidden_statement_keeps_its_row_without_counts() -> None:
    said = scene.everything()
    statement = next(each for each in said if each.what == "statement")
    hidden = scene.Making(start_ms=scene.Making().start_ms + 10**6).make(
        "moderate", {"state": "hidden"}, ref=statement.id
    )
    (first, _) = rows_of(comments_csv(room_of([*said, hidden]), "frases"))
    assert (first["moderated"], first["agrees"]) == ("-1", "")


# --- energy


def test_the_energy_csv_carries_every_component(room: Room) -> None:
    plastic, parks = rows_of(energy_csv(energy_board(room, "energia")))
    assert (plastic["points"], plastic["points_total"], plastic["share"], plastic["low"], plastic["high"]) == (
        "66", "120", "0.5500", "0.2926", "0.7832",
    )  # fmt: skip
    assert (plastic["actors_committed"], plastic["actors"], plastic["human"], plastic["objections"]) == (
        "1",
        "2",
        "1",
        "1",
    )
    assert (plastic["tied"], parks["concentrated_in"], parks["state"]) == ("1", "generacion", "shown")


def test_the_energy_of_a_blind_vote_shows_no_share() -> None:
    blind = room_of([each for each in scene.everything() if (each.what, each.step) != ("step", "energia")])
    made = outputs(blind)
    for name in ("energia.md", "energia.html", "energia.csv", "energia.txt", "energia.svg"):
        assert "55 %" not in str(made[name]) and "0.55" not in str(made[name]), name
    assert "Votos hasta ahora: 12. El resultado todavía no se revela." in str(made["energia.txt"])


def test_the_change_since_the_round_before_is_told(room: Room) -> None:
    board = energy_board(scene.room(round=2), "energia", room)
    (plastic, _) = rows_of(energy_csv(board))
    assert (plastic["change"], plastic["previous_round"], plastic["round"]) == ("0.0000", "1", "2")
    assert float(plastic["change_low"]) < 0 < float(plastic["change_high"])
    assert "| +0.0 puntos (-" in as_markdown(energy_document(room, board))


def test_the_drawing_is_xml_with_a_bar_and_a_number_for_each_figure(room: Room) -> None:
    root = fromstring(energy_svg(energy_board(room, "energia")))
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "55 %" in texts and "plastico" in texts
    bars = list(root.iter("{http://www.w3.org/2000/svg}rect"))
    assert len(bars) == 2 * 2 * 4  # a ground and a bar, two positions, four charts
    assert bars[1].get("width") == "62.7"  # 114 px x 0.55


# --- documents


def test_what_people_write_is_never_markup() -> None:
    nasty = "<script>*x*</script> | # `y` [z](w) ~~a~~ _b_"
    grid = Grid(nasty, (nasty,), ((nasty, nasty),))
    parts = (Heading(nasty), Paragraph(f"- {nasty}\n1. dos"), grid, Bullets((nasty,)), Words(nasty, nasty))
    document = Document(nasty, parts, notice=nasty)
    page = as_html(document)
    assert "<script>" not in page and page.count("&lt;script&gt;") >= 8
    text = as_markdown(document)
    assert not re.search(r"(?<!\\)[<*`\[~]", text.replace("**", ""))
    assert "\n\\- \\<script" in text and "\n1\\. dos" in text
    row = next(line for line in text.splitlines() if line.startswith("| "))
    assert len(re.findall(r"(?<!\\)\|", row)) == 2


def test_lines_of_a_paragraph_and_a_cell_stay_apart() -> None:
    document = Document("T", (Paragraph("uno\n\ndos"), Grid("", ("a", "b"), (("x", "y\nz"),))))
    assert "uno  \ndos" in as_markdown(document) and "| x | y<br>z |" in as_markdown(document)
    assert "<p>uno<br>dos</p>" in as_html(document) and "<td>y<br>z</td>" in as_html(document)


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@x", "\t=1", " =1", "\u00a0=1", "\n=1"])
def test_no_text_runs_in_a_spreadsheet(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_numbers_are_no_formulas_and_nothing_is_an_empty_cell() -> None:
    assert csv_text(("a", "b", "c"), [(-1, None, "x,y")], bom=False) == 'a,b,c\r\n-1,,"x,y"\r\n'


def test_coded_texts_have_the_columns_of_taguette(room: Room, found: Coded) -> None:
    rows = rows_of(coded_csv(pieces_of(room), found))
    assert list(rows[0]) == ["id", "document", "tag", "content"]
    assert len(rows) == 14  # thirteen notes, one of them under two codes
    assert {row["content"] for row in rows if row["content"].startswith("'")} == {"'=SUMA(A1:A9) es lo que pagamos."}


# --- report, minutes, sheet


def test_the_report_shows_every_step_and_the_quotes_that_may_be(room: Room) -> None:
    text = str(outputs(room)["informe.md"])
    for label in ("## 2. frases", "## 3. energia", "## 8. iceberg", "## 10. jurado", "### Citas: Vecinos", "## Cierre"):
        assert label in text, label
    assert text.count("Aquí nadie se fía de nadie.") == 1
    assert "| Asientos sin notas | 1 |" in text
    assert "| Citar sus palabras | no | 8/12 |" in text


def test_minutes_say_whether_they_were_read_back(room: Room) -> None:
    assert "El acta se leyó al grupo." in str(outputs(room)["acta.md"])
    still_open = room_of([each for each in scene.everything() if each.what != "close"])
    assert "La sesión sigue abierta." in as_markdown(minutes(still_open))


def test_the_sheet_for_the_community_is_short_and_plain(room: Room, found: Coded) -> None:
    sheet = Sheet(room, read_codebook(room.items), found, ("Vamos a limpiar la calle con la junta.",))
    document = return_sheet(sheet, SPANISH)
    score = readability(document)
    assert score is not None and score >= 60
    text = as_markdown(document)
    assert "Basura: lo dijeron varias personas." in text
    assert "Vecinos: lo dijeron algunas personas." in text  # four people
    assert "Limpiar la calle el sábado. Lo hace: La junta. Fecha: 5 de diciembre de 2026." in text
    assert len(text) < 2500  # one page


def test_the_sheet_of_a_room_without_anything_still_says_what_comes_next() -> None:
    document = return_sheet(Sheet(room_of([]), codebook_of([]), Coded({})))
    text = as_markdown(document)
    assert "Volveremos con los temas." in text and "Todavía no hay acuerdos." in text
    score = readability(document)
    assert score is not None and score >= 60


@pytest.mark.parametrize("make", [session_report, minutes], ids=["report", "minutes"])
def test_a_room_in_which_nothing_happened_has_its_papers_too(make: Callable[..., Document]) -> None:
    given = (codebook_of([]), Coded({})) if make is session_report else ()
    assert as_markdown(make(room_of([]), *given)).startswith("# ")


def test_tables_of_a_page_are_told_apart_by_ear_and_headings_skip_no_level(room: Room) -> None:
    for name, content in outputs(room).items():
        if name.endswith(".html"):
            labels = re.findall(r'aria-label="([^"]*)"', str(content))
            assert len(labels) == len(set(labels)) and all(labels), name
            levels = [int(level) for level in re.findall(r"<h(\d)", str(content))]
            assert levels[0] == 1 and all(after <= before + 1 for before, after in itertools.pairwise(levels)), name
