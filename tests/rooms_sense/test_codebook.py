"""The codebook is one tree whatever was renamed where; old paths lead to new ones; search ignores accents."""

import pytest

from collector.rooms.sense.codebook import CodeChange, CodeError, codebook_of, finds, path_of, search


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" Confianza / Vecinos ", "confianza/vecinos"),
        ("gobernanza//quién decide", "gobernanza/quién-decide"),
        ("Agua", "agua"),
        ("daño", "daño"),
    ],
)
def test_paths_are_kept_in_one_spelling(written: str, kept: str) -> None:
    assert path_of(written) == kept


@pytest.mark.parametrize(("written", "why"), [(" / ", "no letters"), ("a/b/c/d/e/f/g", "7 levels and 6 fit")])
def test_paths_that_cannot_be_say_why(written: str, why: str) -> None:
    with pytest.raises(CodeError, match=why):
        path_of(written)


def test_codes_stand_under_our_dimensions_first_and_own_ones_after() -> None:
    book = codebook_of(
        [CodeChange("agua/lluvia"), CodeChange("confianza/vecinos", "Vecinos"), CodeChange("desigualdades/salud")]
    )
    assert list(book.codes) == [
        "desigualdades", "desigualdades/salud", "confianza", "confianza/vecinos", "agua", "agua/lluvia",
    ]  # fmt: skip
    assert book.dimensions() == ("desigualdades", "confianza", "agua")
    assert [code.path for code in book.children("confianza")] == ["confianza/vecinos"]
    assert book.label("desigualdades/salud") == "Salud"


def test_the_newest_word_on_each_field_wins() -> None:
    book = codebook_of(
        [
            CodeChange("confianza/vecinos", "Vecinos", description="La gente de al lado"),
            CodeChange("confianza/vecinos", label="Vecindad"),
            CodeChange("confianza/vecinos", dimension="Gobernanza"),
        ]
    )
    code = book.codes["confianza/vecinos"]
    assert (code.label, code.dimension, code.description) == ("Vecindad", "gobernanza", "La gente de al lado")


def test_a_renamed_code_takes_what_stands_below_along_and_old_paths_find_it() -> None:
    book = codebook_of(
        [
            CodeChange("confianza/vecinos", "Vecinos"),
            CodeChange("confianza/vecinos/origen", "De otro origen"),
            CodeChange("confianza/vecinos", becomes="confianza/vecindad"),
            CodeChange("confianza/vecindad", "Vecindad"),
        ]
    )
    assert "confianza/vecinos" not in book.codes
    assert book.codes["confianza/vecindad"].label == "Vecindad"
    assert book.now("Confianza/Vecinos/Origen") == "confianza/vecindad/origen"
    assert book.label("confianza/vecinos/origen") == "De otro origen"


def test_a_merge_keeps_the_words_of_the_code_that_stays() -> None:
    book = codebook_of(
        [
            CodeChange("gobernanza/alcaldia", "Alcaldía", description="Lo municipal"),
            CodeChange("gobernanza/municipio", "Municipio"),
            CodeChange("gobernanza/municipio", becomes="gobernanza/alcaldia"),
        ]
    )
    assert [code.path for code in book.below("gobernanza")] == ["gobernanza", "gobernanza/alcaldia"]
    assert book.codes["gobernanza/alcaldia"].label == "Alcaldía"
    assert book.codes["gobernanza/alcaldia"].description == "Lo municipal"


def test_moves_in_a_circle_end_where_the_last_one_says() -> None:
    book = codebook_of([CodeChange("a", "A"), CodeChange("a", becomes="b"), CodeChange("b", becomes="a")])
    assert book.now("a") == book.now("b") == "a"
    assert list(book.codes) == ["a"]


def test_a_code_cannot_move_under_itself() -> None:
    book = codebook_of([CodeChange("a", "A"), CodeChange("a", becomes="a/b")])
    assert book.now("a") == "a" and list(book.codes) == ["a"]


def test_a_path_that_only_a_coding_uses_is_in_the_book() -> None:
    assert list(codebook_of([], ["confianza/policía", " / "]).codes) == ["confianza", "confianza/policía"]


@pytest.mark.parametrize("words", ["participacion", "PARTICIPACIÓN juvenil", "jovenes", "gobernanza juvenil"])
def test_codes_are_found_whatever_the_accents(words: str) -> None:
    book = codebook_of(
        [
            CodeChange("gobernanza/participación-juvenil", "Participación juvenil", description="Los jóvenes deciden"),
            CodeChange("confianza/policía", "Policía"),
        ]
    )
    assert [code.label for code in search(book, words)] == ["Participación juvenil"]


def test_texts_are_found_whatever_the_accents() -> None:
    assert finds("En la comarca Ngäbe-Buglé falta agua", "ngabe AGUA")
    assert not finds("En la comarca falta agua", "ngabe agua")
