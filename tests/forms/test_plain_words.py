"""Labels are read without the marks that other tools draw."""

import pytest

from collector.forms.plain_words import plain_words


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("¿Qué edad tiene?", "¿Qué edad tiene?"),
        ("**Muy importante**: firme", "Muy importante: firme"),
        ("__Sección__ A", "Sección A"),
        ("Use *letra clara*.", "Use letra clara."),
        ("## Hogar\nPersonas", "Hogar\nPersonas"),
        ('<span style="color:red">Cuidado</span>', "Cuidado"),
        ("<b>Uno</b><br>dos", "Uno\ndos"),
        ("Vea [la guía](https://example.org/a_b)", "Vea la guía (https://example.org/a_b)"),
    ],
)
def test_marks_go_and_words_stay(written: str, read: str) -> None:
    assert plain_words(written) == read


@pytest.mark.parametrize(
    "text", ["2 * 3 * 4", "nombre_de_calle y otro_nombre", "a < b y c > d", "#1 de la lista", "[x] marcado", "** solo"]
)
def test_what_is_no_mark_stays(text: str) -> None:
    assert plain_words(text) == text
