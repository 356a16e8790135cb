"""A cell counts the records behind it; what is shown keeps small groups; quotes keep who is behind them."""

import csv
import io
import random
from dataclasses import replace

import pytest

from collector.rooms.outputs.document import as_html, as_markdown
from collector.rooms.outputs.matrices import HIDDEN, MatrixWords, matrix_csv, matrix_document
from collector.rooms.room import Room
from collector.rooms.sense.codebook import Codebook, CodeChange, codebook_of
from collector.rooms.sense.coding import Coded, Coding, coded
from collector.rooms.sense.matrices import Matrix, theme_by, theme_by_place, theme_by_segment
from collector.rooms.sense.pieces import Piece, pieces_of
from collector.rooms.sense.quotes import quotes
from collector.rooms.sense.suppression import Policy, audit

BOOK = codebook_of(
    [CodeChange("confianza/vecinos", "Vecinos"), CodeChange("gobernanza/agua", "Agua"), CodeChange("lluvia", "Lluvia")]
)


def piece(number: int, place: str = "0810", seat: str = "", text: str = "", **more: object) -> Piece:
    said = text or f"texto {number}"
    found = Piece(f"t{number:03d}", f"t{number:03d}", "note", said, "2026-11-22T10:00:00-05:00", number, "s1", "Sala")
    return replace(found, place=place, seat=seat, may_quote=True, **more)  # type: ignore[arg-type]


def survey() -> tuple[list[Piece], Coded]:
    """40 answers in San Miguelito and 9 in Balboa; every second one on neighbours, every third on water."""
    pieces = [piece(number, "0810" if number <= 40 else "0802") for number in range(1, 50)]
    codings = [Coding(each.target, "confianza/vecinos", "Ana") for each in pieces[1::2]]
    codings += [Coding(each.target, "gobernanza/agua", "Ana") for each in pieces[2::3]]
    return pieces, coded(codings, BOOK)


def matrix() -> Matrix:
    return theme_by_place(*survey(), BOOK)


def test_a_cell_counts_the_records_that_its_drill_down_lists() -> None:
    found = matrix()
    assert [code.path for code in found.themes] == ["gobernanza/agua", "confianza/vecinos", "lluvia"]
    for row, code in enumerate(found.themes):
        for column, place in enumerate(found.columns):
            assert len(found.drill_down(code.path, place)) == found.table.cells[row][column]
    assert found.table.cells == ((3, 13), (4, 20), (0, 0))


def test_a_cell_that_does_not_exist_cannot_be_drilled_into() -> None:
    with pytest.raises(KeyError, match="no row"):
        matrix().drill_down("gobernanza/luz", "0810")
    with pytest.raises(KeyError, match="no column"):
        matrix().drill_down("gobernanza/agua", "0401")


def test_what_is_shown_of_a_matrix_passes_the_audit() -> None:
    shown = matrix().shown()
    assert shown.at((0, 0)) is None and shown.at((1, 0)) is None  # 3 and 4 in Balboa
    assert shown.at((2, 0)) == 0
    assert audit(shown) == []


def test_many_records_of_few_people_are_a_small_cell() -> None:
    pieces = [piece(number, seat=f"P{number % 3}") for number in range(30)]
    found = theme_by_place(pieces, coded([Coding(each.target, "lluvia", "Ana") for each in pieces], BOOK), BOOK)
    assert found.table.cells[-1] == (30,)
    assert found.shown(Policy(5)).at((2, 0)) is None
    assert found.shown(Policy(3)).at((2, 0)) == 30


def test_two_answers_of_one_record_count_once() -> None:
    pieces = [replace(piece(number), record="r1") for number in (1, 2)]
    found = theme_by_place(pieces, coded([Coding(each.target, "lluvia", "Ana") for each in pieces], BOOK), BOOK)
    assert found.table.cells[-1] == (1,) and found.drill_down("lluvia", "0810") == ("r1",)


def test_themes_against_a_segment_by_hand(room: Room, book: Codebook, found: Coded) -> None:
    """Basura: notes 2, 3, 4, 5, 7 and 8 are of young seats, 9, 11, 12 and 13 of old ones; vecinos: 1, 2, 6, and 10."""
    cells = theme_by_segment(pieces_of(room), found, book, "generacion")
    assert cells.columns == ("joven", "mayor", "")
    assert cells.table.cells == ((6, 4, 0), (3, 1, 0))


def test_rows_may_be_chosen_and_follow_merges() -> None:
    pieces, found = survey()
    cells = theme_by(pieces, found, BOOK, lambda _: "todo", ["confianza", "no-existe"])
    assert [code.path for code in cells.themes] == ["confianza"] and cells.table.cells == ((24,),)


def test_the_matrix_does_not_depend_on_the_order_of_pieces() -> None:
    pieces, found = survey()
    turned = pieces[:]
    random.Random(1).shuffle(turned)
    assert theme_by_place(turned, found, BOOK) == theme_by_place(pieces + pieces[:3], found, BOOK)


# --- what leaves the lab

WORDS = MatrixWords("Temas por municipio", "Municipio", {"0810": "San Miguelito", "0802": "Balboa"}, BOOK)


def test_the_csv_says_what_is_hidden_and_never_shows_it() -> None:
    text = matrix_csv(matrix().shown(), WORDS)
    head, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert head == ["Dimensión", "Código", "Tema", "Balboa", "San Miguelito", "Total"]
    assert rows[0] == ["Gobernanza", "gobernanza/agua", "Agua", HIDDEN, HIDDEN, "16"]
    assert rows[-1][2:] == ["Total", "7", "33", "40"]


def test_the_document_carries_the_same_cells_as_the_csv() -> None:
    shown = matrix().shown()
    document = matrix_document(shown, WORDS)
    page, text = as_html(document), as_markdown(document)
    assert "menos de 5 personas" in page
    assert "| Agua | prot. | prot. | 16 |" in text
    assert '<th scope="row">Agua</th><td>prot.</td><td>prot.</td><td>16</td>' in page


def test_a_matrix_without_themes_says_so() -> None:
    empty = theme_by_place([], Coded({}), codebook_of([]))
    assert "Todavía no hay temas" in as_markdown(matrix_document(empty.shown(), WORDS))


# --- quotes


def test_in_a_small_group_no_seat_is_quoted_twice() -> None:
    group = [piece(1, seat="P1"), piece(2, seat="P1"), piece(3, seat="P2"), piece(4, seat="P3"), piece(5, seat="P4")]
    assert [quote.text for quote in quotes(group)] == ["texto 1", "texto 3", "texto 4", "texto 5"]
    larger = [*group, piece(6, seat="P5")]
    assert [quote.text for quote in quotes(larger)][:3] == ["texto 1", "texto 2", "texto 3"]


def test_few_quotes_of_a_large_group_are_of_different_people() -> None:
    group = [piece(number, seat="P1") for number in range(5)] + [
        piece(number, seat=f"P{number}") for number in range(5, 10)
    ]
    assert [quote.text for quote in quotes(group, most=3)] == ["texto 0", "texto 5", "texto 6"]


def test_nothing_is_quoted_without_consent() -> None:
    assert quotes([replace(piece(1), may_quote=False)]) == []


@pytest.mark.parametrize(
    "text", ["Llámeme al 6123-4567", "ana@ejemplo.pa", "Mi cédula es 8-765-4321", "Me llamo Ana Ríos y vivo aquí"]
)
def test_words_that_say_who_somebody_is_wait(text: str) -> None:
    assert quotes([piece(1, text=text)]) == []


def test_segments_stand_beside_a_quote_only_together_with_enough_others() -> None:
    """Six young people, of whom five live in 0810 and three are women: place and age may be said, not the rest."""
    group = [
        piece(number, "0810" if number < 5 else "0802", f"P{number}",
              segments={"edad": "joven", "sexo": "mujer" if number < 3 else "hombre"})
        for number in range(6)
    ]  # fmt: skip
    said = quotes(group)
    assert (said[0].place, said[0].segments) == ("0810", {"edad": "joven"})
    assert (said[5].place, said[5].segments) == ("", {"edad": "joven"})
