"""What a new version changes for the answers that are here, said before it is published."""

from collections import Counter

from pyxform.xls2xform import convert

from collector.forms.model import Form
from collector.forms.xform import read_xform
from collector.lab.impact import Change, Holder, compare, keys_wanted, older_holders, with_counts
from collector.lab.translations import tongues_of

BASE = """
| survey   |                    |           |                |          |
|          | type               | name      | label          | required |
|          | integer            | edad      | ¿Qué edad?     |          |
|          | text               | idea      | ¿Qué idea?     |          |
|          | select_multiple t  | temas     | ¿Qué temas?    |          |
|          | begin_repeat       | persona   | Persona        |          |
|          | text               | oficio    | ¿Qué oficio?   |          |
|          | end_repeat         |           |                |          |
| choices  |                    |           |                |          |
|          | list_name          | name      | label          |          |
|          | t                  | agua      | Agua           |          |
|          | t                  | luz       | Luz            |          |
| settings |                    |           |                |          |
|          | form_id            | version   |                |          |
|          | f                  | 1         |                |          |
"""


def form(text: str = BASE) -> Form:
    return read_xform(str(convert(text, validate=False, file_type=".md").xform))


def changed(*swaps: tuple[str, str]) -> list[Change]:
    text = BASE
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    return compare(form(), form(text))


def line(*cells: str) -> str:
    return "|          | " + " | ".join(cells) + " |"


IDEA = "|          | text               | idea      | ¿Qué idea?     |          |\n"
WATER = "|          | t                  | agua      | Agua           |          |\n"


def test_the_same_form_changes_nothing() -> None:
    assert changed() == []


def test_a_question_that_is_gone_is_dropped_and_a_new_one_added() -> None:
    found = changed((IDEA, line("date", "fecha", "¿Qué día?", "") + "\n"))
    assert [(change.kind, change.name) for change in found] == [("dropped", "idea"), ("added", "fecha")]


def test_a_question_with_the_same_words_under_another_name_is_renamed() -> None:
    [change] = changed(("| idea      |", "| propuesta |"))
    assert (change.kind, change.was, change.now, change.label) == ("renamed", "idea", "propuesta", "¿Qué idea?")


def test_two_questions_with_the_same_words_are_not_taken_for_one_that_was_renamed() -> None:
    twice = line("text", "uno", "¿Qué idea?", "") + "\n" + line("text", "dos", "¿Qué idea?", "") + "\n"
    assert Counter(change.kind for change in changed((IDEA, twice))) == {"dropped": 1, "added": 2}


def test_another_type_another_text_and_what_became_required_are_told() -> None:
    [kind] = changed(("| integer            |", "| decimal            |"))
    assert (kind.kind, kind.was, kind.now) == ("type", "integer", "decimal")
    [text] = changed(("| ¿Qué edad?     |", "| ¿Cuántos años? |"))
    assert (text.kind, text.was, text.now) == ("text", "¿Qué edad?", "¿Cuántos años?")
    [required] = changed(("| ¿Qué edad?     |          |", "| ¿Qué edad?     | yes      |"))
    assert (required.kind, required.name) == ("required", "edad")


def test_a_new_question_that_is_required_is_told_as_such() -> None:
    found = changed((IDEA, IDEA + line("text", "nombre_barrio", "¿Qué barrio?", "yes") + "\n"))
    assert [(change.kind, change.name) for change in found] == [("required", "nombre_barrio")]


def test_choices_that_went_came_or_say_something_else_are_told() -> None:
    other = WATER.replace("agua", "mar ").replace("Agua", "Mar ")
    found = {change.kind: change for change in changed((WATER, other), ("| Luz            |", "| Corriente      |"))}
    assert [choice.name for choice in found["choices_dropped"].choices] == ["agua"]
    assert [choice.name for choice in found["choices_added"].choices] == ["mar"]
    assert [(choice.was, choice.now) for choice in found["choices_said"].choices] == [("Luz", "Corriente")]


def test_answers_are_counted_and_what_takes_some_away_comes_first() -> None:
    changes = changed((IDEA, ""), (WATER, ""), ("| text               | oficio", "| integer            | oficio"))
    wanted = keys_wanted(form(), changes)
    assert set(wanted) == {(), ("persona",)} and set(wanted[()]) == {"idea", "temas"}
    counted = {
        (): {"idea": {}, "temas": {"agua": 3, "agua luz": 2, "luz": 9}},
        ("persona",): {"oficio": {"": 14}},
    }
    found = with_counts(form(), changes, counted)
    said = [(change.kind, change.answers, change.takes_away) for change in found]
    assert said == [("type", 14, True), ("choices_dropped", 5, True), ("dropped", 0, False)]


def test_nodes_are_listed_by_the_older_version_that_they_hold() -> None:
    holders = [Holder("a", "A", "1", 4, 0), Holder("b", "B", "2", 0, 0), Holder("c", "C", "1", None, 0)]
    assert {version: [h.name for h in held] for version, held in older_holders(holders, "2").items()} == {
        "1": ["A", "C"]
    }


TONGUES = """
| survey | | | | | | |
| | type | name | label::Español (es) | label::English (en)| hint::Español (es) | constraint_message::Español (es) |
| | integer | edad | ¿Qué edad? | What age? | En años | Hasta 120 |
| | select_one l| uno | ¿Cuál? | | | |
| choices | | | | | | |
| | list_name | name | label::Español (es) | label::English (en)| | |
| | l | x | Equis | | | |
| | l | y | Ye | Y | | |
| settings | | | | | | |
| | form_id | version | default_language | | | |
| | f | 1 | Español (es) | | | |
"""


def test_each_language_says_what_it_lacks() -> None:
    spanish, english = tongues_of(form(TONGUES))
    assert not spanish.missing and spanish.there == spanish.total
    assert english.counts["label"] == (1, 2) and english.counts["choice"] == (1, 2)
    lacks = [(gap.kind, gap.where, gap.shown) for gap in english.missing]
    assert ("label", "uno", "¿Cuál?") in lacks and ("choice", "l: x", "Equis") in lacks
    assert ("hint", "edad", "En años") in lacks


def test_a_form_of_one_language_lacks_nothing() -> None:
    [only] = tongues_of(form())
    assert only.missing == () and only.total > 5
