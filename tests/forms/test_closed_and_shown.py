"""What people cannot change does not stop them; texts that show answers, and choices with odd names: both engines."""

import json
import subprocess
from typing import Any
from xml.sax.saxutils import escape

import pytest

from collector.assets import asset_dir
from collector.fill.page import Drawing, Item
from collector.fill.page_json import fill_json
from collector.fill.words import Words
from collector.forms.check import check, check_by_filling
from collector.forms.model import Form
from collector.forms.state import Filling
from collector.forms.xform import read_xform
from tests.forms.household import NOW
from tests.forms.test_scenarios_peers import Step, asked, chosen, listed, repeated, xform
from tests.node_js import NODE
from tests.scenarios import played

ANIMALS = listed("animales", *(f"<item><name>{name}</name><label>{name}</label></item>" for name in ("gato", "pez")))
CLOSED = xform(
    "<otro/><fijo>vaca</fijo><calculado/><nombre/><faltante/><entero/><tope/><abierto/>",
    asked("otro")
    + chosen("fijo", "instance('animales')/root/item")
    + chosen("calculado", "instance('animales')/root/item")
    + asked("nombre", "faltante", "entero", "tope", "abierto"),
    ANIMALS,
    otro='type="string"',
    fijo='readonly="true()"',
    calculado="calculate=\"if(/data/otro = 'pez', 'pez', 'vaca')\"",
    nombre='calculate="/data/otro" required="true()"',
    faltante='readonly="/data/otro != \'x\'" required="true()"',
    entero='type="int" readonly="true()" calculate="concat(\'x\', /data/otro)"',
    tope='type="int" calculate="string-length(/data/otro)" constraint=". &lt; 5"',
    abierto='calculate="once(/data/otro)" required="true()"',
)
CLOSED_PLAYS: list[tuple[str, str, list[Step]]] = [
    ("a fixed choice that is not offered stops nobody", "fijo", [("expect_value", ["/data/fijo", "vaca"])]),
    ("nor does a calculated one", "calculado", [("expect_value", ["/data/calculado", "vaca"])]),
    ("nor a calculated answer that must be there and is not", "nombre", [("expect_required", ["/data/nombre", True])]),
    ("nor one that is closed by an answer", "faltante", [("expect_readonly", ["/data/faltante", True])]),
    ("nor a calculated text where a number should be", "entero", [("expect_value", ["/data/entero", "x"])]),
]


def play(engine: str, form: str, steps: list[Step]) -> None:
    """Play steps on an engine; every expectation must hold."""
    listed_steps = [{key: given} for key, given in steps]
    scenario = {"id": "s", "xform": form, "tz": "America/Panama", "steps": listed_steps}
    assert list(played([scenario], engine)) == [{"id": "s", "ok": True}]


@pytest.mark.parametrize("engine", ["python", "js"])
@pytest.mark.parametrize(("rule", "name", "steps"), CLOSED_PLAYS, ids=[rule for rule, _, _ in CLOSED_PLAYS])
def test_what_people_cannot_change_stops_nobody(engine: str, rule: str, name: str, steps: list[Step]) -> None:
    play(engine, CLOSED, [*steps, ("expect_valid", [f"/data/{name}", True])])


@pytest.mark.parametrize("engine", ["python", "js"])
def test_a_constraint_holds_for_what_is_calculated_too(engine: str) -> None:
    play(engine, CLOSED, [("set", ["/data/otro", "pez"]), ("expect_valid", ["/data/tope", True])])
    play(engine, CLOSED, [("set", ["/data/otro", "ballena"]), ("expect_valid", ["/data/tope", False])])


@pytest.mark.parametrize("engine", ["python", "js"])
def test_what_people_can_change_is_still_required(engine: str) -> None:
    play(engine, CLOSED, [("expect_valid", ["/data/abierto", False])])
    play(engine, CLOSED, [("set", ["/data/abierto", "si"]), ("expect_valid", ["/data/abierto", True])])
    play(engine, CLOSED, [("set", ["/data/otro", "x"]), ("expect_valid", ["/data/faltante", False])])


def test_the_node_takes_note_of_what_stopped_nobody() -> None:
    form = read_xform(CLOSED)
    filling = Filling(form, NOW)
    filling.set("/data/abierto", "si")
    assert filling.troubles_in("/data") == []
    flags = [(flag.key, flag.what) for flag in check(form, filling.answers(), NOW).flags]
    noted = [("fijo", "choice"), ("calculado", "choice"), ("nombre", "required"), ("faltante", "required")]
    assert flags == [*noted, ("entero", "type")]
    assert check_by_filling(form, filling.answers(), NOW) == check(form, filling.answers(), NOW)


def test_a_group_and_a_row_close_what_stands_in_them() -> None:
    form = xform(
        "<g><a/></g><fila><b/></fila>",
        f'<group ref="/data/g">{asked("g/a")}</group>{repeated("fila", asked("fila/b"))}',
        g='readonly="true()"',
        g__a='required="true()"',
        fila='readonly="true()"',
        fila__b='required="true()"',
    )
    steps: list[Step] = [("expect_valid", ["/data/g/a", True]), ("expect_valid", ["/data/fila[1]/b", True])]
    for engine in ("python", "js"):
        play(engine, form, steps)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize(("value", "more"), [("", {"q": 1}), ("vaca", {"l": "a"}), ("x", {"t": "integer"})])
def test_the_small_engine_of_the_page_stops_nobody_either(closed: bool, value: str, more: dict[str, Any]) -> None:
    node = {"k": "a", "s": 1, "t": "select_one" if "l" in more else "text", "b": "string", "d": value} | more
    form = {"nodes": [node | ({"e": 1} if closed else {})], "order": [], "lists": {}, "choices": {"a": ["gato", "pez"]}}
    script = f"""
        import {{ open }} from "file://{asset_dir("static")}/js/state.js";
        console.log(JSON.stringify(open({json.dumps(form)}, {list(NOW)}, "es").problem(0)));
    """
    done = subprocess.run([NODE, "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    assert bool(json.loads(done.stdout)) is not closed


# --- labels that show answers

SHOWN = xform(
    "<quien/><doble/><cual/><nombre/><jefe/><manda/><fila><clave/><miembro/></fila>",
    asked("quien")
    + '<select1 ref="/data/cual"><item><label>Perro de <output value="/data/doble"/></label><value>p</value></item>'
    "<item><label>Gato</label><value>g</value></item></select1>"
    + chosen("jefe", "/data/fila[clave != '']", "clave", "miembro")
    + repeated("fila", asked("fila/clave", "fila/miembro")),
    "",
    nombre="calculate=\"jr:choice-name(/data/cual, '/data/cual')\"",
    doble='calculate="concat(/data/quien, /data/quien)"',
    manda="calculate=\"jr:choice-name(/data/jefe, '/data/jefe')\"",
)
FOLLOWED: list[Step] = [
    ("set", ["/data/quien", "Ana"]),
    ("set", ["/data/cual", "p"]),
    ("expect_value", ["/data/nombre", "Perro de AnaAna"]),
    ("set", ["/data/quien", "Eva"]),
    ("expect_value", ["/data/nombre", "Perro de EvaEva"]),
    ("set", ["/data/cual", "g"]),
    ("expect_value", ["/data/nombre", "Gato"]),
]
NAMED_BY_ROWS: list[Step] = [
    ("set", ["/data/fila[1]/clave", "1"]),
    ("set", ["/data/jefe", "1"]),
    ("set", ["/data/fila[1]/miembro", "Ana"]),
    ("expect_value", ["/data/manda", "Ana"]),
    ("set", ["/data/fila[1]/miembro", "Eva"]),
    ("expect_value", ["/data/manda", "Eva"]),
]


@pytest.mark.parametrize("engine", ["python", "js"])
@pytest.mark.parametrize("steps", [FOLLOWED, NAMED_BY_ROWS], ids=["labels", "rows"])
def test_the_name_of_a_choice_follows_the_answers_that_it_shows(engine: str, steps: list[Step]) -> None:
    play(engine, SHOWN, steps)


def test_a_node_computes_the_same_name_again() -> None:
    form = read_xform(SHOWN)
    filling = Filling(form, NOW)
    for path, text in (("quien", "Ana"), ("cual", "p"), ("quien", "Eva")):
        filling.set(f"/data/{path}", text)
    assert filling.answers()["nombre"] == "Perro de EvaEva"
    assert check(form, filling.answers(), NOW).flags == ()


def without_rows() -> Form:
    """Return a form whose plan computes a name that shows the clock at second hand, and one that shows an answer."""
    items = "<item><label>Hoy <output value='{0}'/></label><value>a</value></item>"
    body = (
        asked("quien")
        + f'<select1 ref="/data/una">{items.format("/data/dia")}</select1>'
        + f'<select1 ref="/data/otra">{items.format("/data/quien")}</select1>'
    )
    return read_xform(
        xform(
            "<quien/><una/><otra/><una_nombre/><otra_nombre/><dia/>",
            body,
            "",
            una_nombre="calculate=\"jr:choice-name(/data/una, '/data/una')\"",
            otra_nombre="calculate=\"jr:choice-name(/data/otra, '/data/otra')\"",
            dia='calculate="string(today())"',
        )
    )


def test_a_name_that_shows_the_clock_stays_as_it_was_recorded() -> None:
    recorded = {"quien": "Eva", "una": "a", "otra": "a", "dia": "2020-02-02", "una_nombre": "Hoy 2020-01-01"}
    found = check(without_rows(), recorded | {"otra_nombre": "Hoy Ana"}, NOW)
    assert found.answers == recorded | {"otra_nombre": "Hoy Eva"}
    assert [(flag.key, flag.what) for flag in found.flags] == [("otra_nombre", "recomputed")]
    assert check_by_filling(without_rows(), recorded | {"otra_nombre": "Hoy Ana"}, NOW) == found


# --- names with blanks, several of one name

BLANKS = xform(
    "<zona/><lugar/><lugares/>",
    asked("zona")
    + chosen("lugar", "instance('lugares')/root/item[zona = /data/zona]")
    + chosen("lugares", "instance('lugares')/root/item[zona = /data/zona]").replace("select1", "select"),
    listed(
        "lugares",
        "<item><name>San José</name><label>San José</label><zona>1</zona></item>",
        "<item><name>norte</name><label>Norte</label><zona>1</zona></item>",
        "<item><name>sur</name><label>Sur</label><zona>2</zona></item>",
    ),
)


@pytest.mark.parametrize("engine", ["python", "js"])
def test_a_choice_whose_name_holds_blanks_stays_chosen_while_it_is_offered(engine: str) -> None:
    steps: list[Step] = [
        ("set", ["/data/lugar", "San José"]),
        ("set", ["/data/lugares", "norte sur"]),
        ("set", ["/data/zona", "1"]),
        ("expect_value", ["/data/lugar", "San José"]),
        ("expect_value", ["/data/lugares", "norte"]),
        ("expect_valid", ["/", True]),
        ("set", ["/data/zona", "2"]),
        ("expect_value", ["/data/lugar", ""]),
    ]
    play(engine, BLANKS, steps)


def test_the_node_keeps_such_an_answer_too() -> None:
    form, answers = read_xform(BLANKS), {"zona": "1", "lugar": "San José", "lugares": "norte"}
    for checked in (check(form, answers, NOW), check_by_filling(form, answers, NOW)):
        assert (checked.answers, checked.flags) == (answers, ())
    for checked in (check(form, answers | {"zona": "2"}, NOW), check_by_filling(form, answers | {"zona": "2"}, NOW)):
        assert [(flag.key, flag.what) for flag in checked.flags] == [("lugar", "choice"), ("lugares", "choice")]


DISTRICTS = "instance('barrios')/root/item[distrito = /data/distrito]"
TWINS = xform(
    "<distrito/><barrio/><nombre/>",
    asked("distrito") + chosen("barrio", DISTRICTS),
    listed(
        "barrios",
        "<item><name>1</name><label>Centro</label><distrito>a</distrito></item>",
        "<item><name>1</name><label>Puerto</label><distrito>b</distrito></item>",
    ),
    nombre="calculate=\"jr:choice-name(/data/barrio, '/data/barrio')\"",
)
OWN_COLUMNS = (
    TWINS.replace("name>", "codigo>").replace("label>", "titulo>")
    .replace('<value ref="name"/><label ref="label"/>', '<value ref="./codigo"/><label ref="./titulo"/>')
)  # fmt: skip
SHUFFLED = TWINS.replace(escape(DISTRICTS), f"randomize({escape(DISTRICTS)})")
CODED = pytest.mark.parametrize("form", [TWINS, OWN_COLUMNS, SHUFFLED], ids=["plain", "own columns", "shuffled"])


@CODED
@pytest.mark.parametrize("engine", ["python", "js"])
def test_of_choices_with_one_name_the_one_that_is_offered_gives_its_label(engine: str, form: str) -> None:
    steps: list[Step] = []
    for district, label in (("a", "Centro"), ("b", "Puerto"), ("a", "Centro")):
        steps += [("set", ["/data/distrito", district]), ("set", ["/data/barrio", "1"])]
        steps += [("expect_choices", ["/data/barrio", ["1"], [label]]), ("expect_value", ["/data/nombre", label])]
    # the code stays, what it means does not
    steps += [("set", ["/data/distrito", "b"]), ("expect_value", ["/data/nombre", "Puerto"])]
    play(engine, form, steps)


@CODED
def test_the_node_names_the_choice_that_is_offered_too(form: str) -> None:
    read, answers = read_xform(form), {"distrito": "b", "barrio": "1", "nombre": "Puerto"}
    assert check(read, answers, NOW).flags == check_by_filling(read, answers, NOW).flags == ()


@CODED
def test_the_page_offers_it_with_its_own_label(form: str) -> None:
    filling = Filling(read_xform(form), NOW)
    filling.set("/data/distrito", "b")
    assert [choice.label for choice in drawn(filling, "barrio").choices] == [{"": "Puerto"}]


@CODED
def test_the_scripts_find_it_by_its_number_in_the_list_that_the_filter_reads(form: str) -> None:
    read = read_xform(form)
    data = json.loads(fill_json(read, Words(read, "", {})))
    assert data["lists"]["barrios"]["#"] == ["0", "1"]
    (node,) = [node for node in data["nodes"] if node.get("P") == "/data/barrio"]
    assert json.dumps(node["F"]).count('"#"') == 1
    assert data["labels"][node["l"]] == [{"": "Centro"}, {"": "Puerto"}]


def test_a_text_by_its_id_may_be_named_from_the_item_too() -> None:
    texts = "".join(f'<text id="{one}"><value>{one.title()}</value></text>' for one in ("centro", "puerto"))
    form = OWN_COLUMNS.replace('"./titulo"', '"jr:itext(./clave)"').replace("titulo>", "clave>")
    form = form.replace(">Centro<", ">centro<").replace(">Puerto<", ">puerto<")
    form = form.replace("<bind", f'<itext><translation lang="es">{texts}</translation></itext><bind', 1)
    filling = Filling(read_xform(form), NOW)
    filling.set("/data/distrito", "b")
    assert [choice.label for choice in drawn(filling, "barrio").choices] == [{"": "Puerto"}]


# --- what the page closes, and the JSON of its scripts


def drawn(filling: Filling, key: str) -> Item:
    """Return a question as the page draws it."""
    drawing = Drawing(filling, Words(filling.form, "", {}, filling))
    (item,) = [item for _, items in drawing.everything() for item in items if item.name == key]
    return item


def small(more: str, group: str = "") -> dict[str, Any]:
    """Return the node of /data/g/a in the JSON of a page that state.js runs."""
    body = f'<group ref="/data/g">{asked("g/a")}</group>{asked("otro")}'
    form = read_xform(xform("<g><a/></g><otro/>", body, g=group, g__a=f'required="true()" {more}'))
    data: dict[str, Any] = json.loads(fill_json(form, Words(form, "", {})))
    (node,) = [node for node in data["nodes"] if node["k"] == "g/a"]
    return data | {"node": node}


@pytest.mark.parametrize(
    ("more", "group", "is_closed"),
    [
        ("", "", False),
        ('readonly="false()"', "", False),
        ("", 'relevant="true()"', False),
        ('readonly="true()" type="int"', "", True),
        ("", 'readonly="true()"', True),
    ],
)
def test_the_small_engine_is_told_what_is_always_closed(more: str, group: str, is_closed: bool) -> None:
    data = small(more, group)
    assert "engine" not in data
    assert data["node"].get("e", 0) == int(is_closed)


def test_a_group_that_an_answer_closes_is_for_the_large_engine() -> None:
    data = small("", "readonly=\"/data/otro = 'x'\"")
    assert data["engine"] == "rows.js" and "e" not in data["node"]


def test_the_page_closes_what_is_calculated_though_it_must_be_answered() -> None:
    form = read_xform(CLOSED)
    filling = Filling(form, NOW)
    assert drawn(filling, "nombre").closed and not drawn(filling, "abierto").closed
    nodes = {node["k"]: node for node in json.loads(fill_json(form, Words(form, "", {})))["nodes"]}
    assert {key for key, node in nodes.items() if "C" in node} == {"calculado", "nombre", "entero", "tope"}
