"""What the column `privacy` says of a question reaches the published form, under either of its names."""

import pytest

from tests.forms.sheet_findings import GOOD, SURVEY, codes, findings, form_of

NAMED = ("text", "apodo", "¿Cómo le dicen?")


@pytest.mark.parametrize("header", ["privacy", "Privacy", "bind::privacy"])
@pytest.mark.parametrize("said", ["direct", "quasi", "none", "sensitive", "free_text"])
def test_the_column_is_known_by_its_short_name_too(header: str, said: str) -> None:
    rows = ((*SURVEY, header), (*GOOD, ""), (*NAMED, said))
    (apodo,) = [question for question in form_of(*rows).questions if question.name == "apodo"]
    assert apodo.privacy == said
    assert codes(findings(*rows)) == []


def test_a_word_that_is_not_known_is_said_at_its_cell_and_hides_the_question() -> None:
    found = findings((*SURVEY, "privacy"), (*GOOD, ""), (*NAMED, "directo"))
    assert codes(found) == [("privacy_unknown", 3, "privacy")]
    assert "directo" in found[0].sentence("es") and "free_text" in found[0].advice("es")
