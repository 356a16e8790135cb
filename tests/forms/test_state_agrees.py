"""The page (state.js, with the scripts and lists that its JSON names) and a node fill in a form alike."""

import json
import subprocess

import pytest
from pyxform.xls2xform import convert

from collector.assets import asset_dir
from collector.fill.page_json import fill_json
from collector.fill.words import Words
from collector.forms.model import Form, language_code
from collector.forms.state import Filling
from collector.forms.xform import read_xform
from tests.node_js import NODE

NOW = (1_764_559_800_000, -300)  # 2025-11-30 22:30 in Panama, already December in UTC
FORM = """
| survey |                      |           |            |             |               |                         |
|        | type                 | name      | label::Español (es) | label::English (en) | choice_filter | calculation |
|        | select_one provincia | provincia | Provincia  | Province    |               |                         |
|        | select_one municipio | municipio | Municipio  | Municipality | provincia=${provincia} |               |
|        | select_multiple casa | casa      | En su casa | At home     |               |                         |
|        | text                 | otra      | Otra cosa  | Other       |               |                         |
CALCULATES
| choices |           |        |            |             |           |      |
|        | list_name  | name   | label::Español (es) | label::English (en) | provincia | zona |
|        | provincia  | 09     | Veraguas   | Veraguas    |           |      |
|        | provincia  | 10     | Comarca    | Territory   |           |      |
|        | municipio  | 0911   | Soná       | Sona        | 09        | sur  |
|        | municipio  | 1001   | Norte      | North       | 10        |      |
|        | casa       | agua   | Agua       | Water       |           |      |
|        | casa       | luz    | Luz        | Light       |           |      |
"""
CALCULATES = {
    "nombre": "jr:choice-name(${municipio}, '${municipio}')",
    "de_otra": "jr:choice-name(${otra}, '${provincia}')",
    "sin_lista": "jr:choice-name(${otra}, '${otra}')",
    "texto": "jr:itext('/data/otra:label')",
    "opcion": "jr:itext('provincia-1')",
    "nadie": "jr:itext('no-hay')",
    "zonas": "count(instance('municipio')/root/item[provincia = ${provincia}]/zona)",
    "momento": "now()",
    "dia": "today()",
    "mes": "format-date(today(), '%e %b')",
}
SIMPLE = {"tiene": "if(selected(${casa}, 'agua'), 'si', 'no')", "alguna": "coalesce(${otra}, ${provincia})"}
RUN = """
    import { open } from STATE;
    const [data, now, lang, given] = JSON.parse(INPUT);
    for (const name of data.more || []) await import(FOLDER + name);
    const state = open(data, now, lang);
    data.nodes.forEach((node, i) => { if (node.k in given) state.raw[i] = given[node.k]; });
    state.settle();
    console.log(JSON.stringify(state.answers()));
"""


def form_with(calculates: dict[str, str], types: dict[str, str]) -> Form:
    """Read the form with these calculates, of the bind types named."""
    lines = [f"|        | calculate | {name} | | | | {text} |" for name, text in calculates.items()]
    xform = convert(FORM.replace("CALCULATES", "\n".join(lines)), validate=False, file_type=".md").xform
    for name, type in types.items():
        before = f'nodeset="/data/{name}" type="string"'
        assert before in xform
        xform = xform.replace(before, f'nodeset="/data/{name}" type="{type}"')
    return read_xform(xform)


def page_json(form: Form) -> dict[str, object]:
    """Return the JSON of the form's page."""
    content: dict[str, object] = json.loads(fill_json(form, Words(form, form.languages[0], {})))
    return content


def answers_of_the_page(data: dict[str, object], lang: str, given: dict[str, str]) -> dict[str, str]:
    """Fill in the form with the page's scripts."""
    folder = f"{asset_dir('static') / 'js'}/"
    script = RUN.replace("STATE", json.dumps(f"{folder}state.js")).replace("FOLDER", json.dumps(folder))
    script = script.replace("INPUT", json.dumps(json.dumps([data, NOW, lang, given])))
    command = [NODE, "--input-type=module", "--eval", script]
    answers: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return answers


def answers_of_a_node(form: Form, lang: str, given: dict[str, str]) -> dict[str, str]:
    """Fill in the form as a node does."""
    filling = Filling(form, NOW, lang)
    filling.fill(given)
    return filling.answers()


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize(
    "given",
    [
        {"provincia": "09", "municipio": "0911", "casa": "agua luz", "otra": "10"},
        {"provincia": "10", "municipio": "1001", "otra": "99"},
        {"provincia": "09", "municipio": "1001"},
        {},
    ],
)
def test_labels_texts_and_dates_are_the_same_on_the_page_and_on_a_node(lang, given):
    form = form_with(CALCULATES, {"momento": "dateTime", "dia": "dateTime"})
    data = page_json(form)
    assert data["more"] == ["functions.js"]
    assert answers_of_the_page(data, lang, given) == answers_of_a_node(form, lang, given)


def test_a_label_is_in_the_language_of_the_person_and_a_date_on_their_clock():
    form = form_with(CALCULATES, {"dia": "dateTime"})
    given = {"provincia": "09", "municipio": "0911", "otra": "10"}
    spanish, english = (answers_of_a_node(form, language_code(name), given) for name in form.languages)
    assert (spanish["nombre"], english["nombre"]) == ("Soná", "Sona")
    assert (spanish["de_otra"], english["de_otra"]) == ("Comarca", "Territory")
    assert (spanish["texto"], english["texto"]) == ("Otra cosa", "Other")
    assert (spanish["sin_lista"], spanish["nadie"], spanish["zonas"]) == ("10", "no-hay", "1")
    assert (spanish["mes"], english["mes"]) == ("30 nov", "30 Nov")
    assert spanish["dia"] == "2025-11-30T00:00:00.000-05:00"


def test_a_simple_form_asks_for_no_more_scripts_and_still_agrees():
    form = form_with(SIMPLE, {})
    data = page_json(form)
    given = {"provincia": "09", "municipio": "0911", "casa": "agua"}
    answers = answers_of_the_page(data, "es", given)
    assert "more" not in data
    assert answers == answers_of_a_node(form, "es", given)
    assert (answers["tiene"], answers["alguna"]) == ("si", "09")


def test_the_page_gets_only_the_columns_that_its_expressions_read():
    assert page_json(form_with(SIMPLE, {}))["lists"] == {
        "municipio": {"name": ["0911", "1001"], "provincia": ["09", "10"]}
    }
