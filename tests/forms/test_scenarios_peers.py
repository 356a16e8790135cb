"""What a form that works in other ODK clients can count on here too: whole forms, on a node and on the page."""

import json
from html import escape
from pathlib import Path
from typing import Any

import pytest

from collector.forms.report import FormErrors
from collector.forms.xform import read_xform
from tests import scenarios
from tests.scenarios import played

NAMESPACES = (
    'xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" '
    'xmlns:jr="http://openrosa.org/javarosa" xmlns:odk="http://www.opendatakit.org/xforms"'
)
Step = tuple[str, Any]


def xform(instance: str, body: str, model: str = "", **binds: str) -> str:
    """Write a form. binds: path below /data with __ for / -> attributes of its bind."""
    written = "".join(f'<bind nodeset="/data/{name.replace("__", "/")}" {said}/>' for name, said in binds.items())
    return (
        f"<h:html {NAMESPACES}><h:head><h:title>Prueba</h:title><model><instance><data id='prueba'>{instance}</data>"
        f"</instance>{model}{written}</model></h:head><h:body>{body}</h:body></h:html>"
    )


def asked(*paths: str) -> str:
    """Write a text question for each path below /data."""
    return "".join(f'<input ref="/data/{path}"/>' for path in paths)


def repeated(path: str, inside: str, count: str = "") -> str:
    """Write a repeat."""
    counted = f' jr:count="{count}"' if count else ""
    return f'<repeat nodeset="/data/{path}"{counted}>{inside}</repeat>'


def chosen(path: str, nodeset: str, value: str = "name", label: str = "label") -> str:
    """Write a select of one from a list."""
    items = f'<itemset nodeset="{escape(nodeset)}"><value ref="{value}"/><label ref="{label}"/></itemset>'
    return f'<select1 ref="/data/{path}">{items}</select1>'


def listed(name: str, *items: str) -> str:
    """Write a list; its items are XML."""
    return f'<instance id="{name}"><root>{"".join(items)}</root></instance>'


HOUSES = listed(
    "casas",
    "<casa><barrio>sur</barrio><hijo><nombre>Ana</nombre><edad>9</edad></hijo>"
    "<hijo><nombre>Luis</nombre><edad>4</edad></hijo></casa>",
    "<casa><barrio>norte</barrio><hijo><nombre>Eva</nombre><edad>9</edad></hijo></casa>",
)
NUMBERS = listed("numeros", *(f"<item>{number}</item>" for number in range(1, 7)))
ANIMALS = listed(
    "animales", "<gato><nombre>Luna</nombre><edad>12</edad></gato><perro><nombre>Luna</nombre><edad>9</edad></perro>"
)

PLAYS: list[tuple[str, str, list[Step]]] = [
    (
        "a row that reads the next one follows it as it is answered, and when one between them goes",
        xform("<fila><n/><despues/></fila>", repeated("fila", asked("fila/n")),
              fila__despues='calculate="/data/fila[position() = position(current()/..) + 1]/n"'),
        [
            ("set", ["/data/fila[1]/n", "11"]), ("add_repeat", "/data/fila"), ("set", ["/data/fila[2]/n", "22"]),
            ("expect_value", ["/data/fila[1]/despues", "22"]), ("add_repeat", "/data/fila"),
            ("set", ["/data/fila[3]/n", "33"]), ("remove_repeat", "/data/fila[2]"),
            ("expect_value", ["/data/fila[1]/despues", "33"]), ("expect_value", ["/data/fila[2]/despues", ""]),
        ],
    ),
    (
        "rows go on as long as the last one says so, in each row around them by itself",
        xform("<casa><hay/><van/><cuarto><otro/></cuarto></casa>",
              repeated("casa", repeated("casa/cuarto", asked("casa/cuarto/otro"), "van")),
              casa__hay='calculate="count(../cuarto)"',
              casa__van="calculate=\"if(../hay = 0 or ../cuarto[position() = ../hay]/otro = 'si',"
                        ' ../hay + 1, ../hay)"'),
        [
            ("expect_count", ["/data/casa[1]/cuarto", 1]), ("set", ["/data/casa[1]/cuarto[1]/otro", "si"]),
            ("expect_count", ["/data/casa[1]/cuarto", 2]), ("set", ["/data/casa[1]/cuarto[2]/otro", "no"]),
            ("add_repeat", "/data/casa"), ("expect_count", ["/data/casa[2]/cuarto", 1]),
            ("expect_count", ["/data/casa[1]/cuarto", 2]),
        ],
    ),
    (
        "a count that names a node alone means the one beside the repeat",
        xform("<casa><cuantos>2</cuantos><cuarto><q/></cuarto></casa>",
              repeated("casa", repeated("casa/cuarto", asked("casa/cuarto/q"), "cuantos"))),
        [("expect_count", ["/data/casa[1]/cuarto", 2])],
    ),
    (
        "a count reads what stands around it with current() too",
        xform("<n>3</n><fila><q/></fila>", repeated("fila", asked("fila/q"), "current()/../n")),
        [("expect_count", ["/data/fila", 3]), ("set", ["/data/n", "1"]), ("expect_count", ["/data/fila", 1])],
    ),
    (
        "rows that a count dropped come back empty, those that stayed keep their answers",
        xform("<n>3</n><fila><q/></fila>", asked("n") + repeated("fila", asked("fila/q"), "/data/n")),
        [
            ("set", ["/data/fila[1]/q", "a"]), ("set", ["/data/fila[3]/q", "c"]), ("set", ["/data/n", "1"]),
            ("set", ["/data/n", "3"]), ("expect_value", ["/data/fila[1]/q", "a"]),
            ("expect_value", ["/data/fila[3]/q", ""]), ("set", ["/data/n", "-4"]), ("expect_count", ["/data/fila", 0]),
        ],
    ),
    (
        "the relevance of inner rows follows the place of the row around them",
        xform("<casa><cuarto><q/></cuarto></casa><casa><cuarto><q/></cuarto></casa><resto>0</resto>",
              repeated("casa", repeated("casa/cuarto", asked("casa/cuarto/q"))) + asked("resto"),
              casa__cuarto='relevant="position(..) mod 2 = /data/resto"'),
        [
            ("expect_relevant", ["/data/casa[1]/cuarto[1]/q", False]),
            ("expect_relevant", ["/data/casa[2]/cuarto[1]/q", True]), ("set", ["/data/resto", "1"]),
            ("expect_relevant", ["/data/casa[1]/cuarto[1]", True]),
            ("expect_relevant", ["/data/casa[2]/cuarto[1]", False]),
        ],
    ),
    (
        "a sum leaves out what is not relevant in its row, and takes it in again",
        xform("<fila><si/><n/></fila><total/>", repeated("fila", asked("fila/si")),
              fila__n='calculate="10" relevant="../si = 1"', total='calculate="sum(/data/fila/n)"'),
        [
            ("expect_value", ["/data/total", "0"]), ("set", ["/data/fila[1]/si", "1"]), ("add_repeat", "/data/fila"),
            ("set", ["/data/fila[2]/si", "1"]), ("expect_value", ["/data/total", "20"]),
            ("set", ["/data/fila[1]/si", "0"]), ("expect_value", ["/data/total", "10"]),
        ],
    ),
    (
        "an answer that may be given once is wrong in a second row and right when changed",
        xform("<fila><id/></fila>", repeated("fila", asked("fila/id")),
              fila__id='constraint="count(/data/fila[id = current()/.]) = 1"'),
        [
            ("set", ["/data/fila[1]/id", "a"]), ("add_repeat", "/data/fila"), ("set", ["/data/fila[2]/id", "a"]),
            ("expect_valid", ["/data/fila[2]", False]), ("set", ["/data/fila[2]/id", "b"]),
            ("expect_valid", ["/", True]),
        ],
    ),
    (
        "indexed-repeat reads three repeats deep",
        xform("<a><b><c><q/></c></b></a><hallado/>",
              repeated("a", repeated("a/b", repeated("a/b/c", asked("a/b/c/q")))),
              hallado='calculate="indexed-repeat(/data/a/b/c/q, /data/a, 2, /data/a/b, 1, /data/a/b/c, 2)"'),
        [
            ("add_repeat", "/data/a"), ("add_repeat", "/data/a[2]/b[1]/c"),
            ("set", ["/data/a[2]/b[1]/c[2]/q", "sí"]), ("expect_value", ["/data/hallado", "sí"]),
        ],
    ),
    (
        "a record found by its id in the rows is the one found after a row is removed",
        xform("<fila><id/><n/></fila><cual/><dice/>", repeated("fila", asked("fila/id", "fila/n")) + asked("cual"),
              dice='calculate="/data/fila[id = /data/cual]/n"'),
        [
            ("set", ["/data/fila[1]/id", "1"]), ("add_repeat", "/data/fila"), ("set", ["/data/fila[2]/id", "2"]),
            ("set", ["/data/fila[2]/n", "b"]), ("set", ["/data/cual", "2"]), ("expect_value", ["/data/dice", "b"]),
            ("remove_repeat", "/data/fila[1]"), ("expect_value", ["/data/dice", "b"]),
        ],
    ),
    (
        "an action that waits for a question is not set off by the same answer again",
        xform("<a/><b/><c/>",
              '<input ref="/data/a"><setvalue event="xforms-value-changed" ref="/data/c" '
              "value=\"concat('n', /data/b)\"/></input>" + asked("b")),
        [
            ("set", ["/data/a", "1"]), ("expect_value", ["/data/c", "n"]), ("set", ["/data/b", "x"]),
            ("set", ["/data/a", "1"]), ("expect_value", ["/data/c", "n"]), ("set", ["/data/a", "2"]),
            ("expect_value", ["/data/c", "nx"]),
        ],
    ),
    (
        "what one action sets sets off the next",
        xform("<a/><b/><c/>",
              '<input ref="/data/a"><setvalue event="xforms-value-changed" ref="/data/b" value="/data/a"/></input>'
              '<input ref="/data/b"><setvalue event="xforms-value-changed" ref="/data/c" value="/data/b"/></input>'),
        [("set", ["/data/a", "x"]), ("expect_value", ["/data/c", "x"])],
    ),
    (
        "an action fills only the row that it names",
        xform("<a/><fila><q/></fila><fila><q/></fila>",
              '<input ref="/data/a"><setvalue event="xforms-value-changed" ref="/data/fila[position()=2]/q" '
              'value="/data/a"/></input>' + repeated("fila", asked("fila/q"))),
        [
            ("set", ["/data/a", "x"]), ("expect_value", ["/data/fila[1]/q", ""]),
            ("expect_value", ["/data/fila[2]/q", "x"]),
        ],
    ),
    (
        "a new row may start with what the row before it says",
        xform("<fila><q/></fila>",
              repeated("fila", '<setvalue event="odk-new-repeat" ref="/data/fila/q" '
                       'value="/data/fila[position() = position(current()/..) - 1]/q"/>' + asked("fila/q"))),
        [
            ("set", ["/data/fila[1]/q", "7"]), ("add_repeat", "/data/fila"),
            ("expect_value", ["/data/fila[2]/q", "7"]), ("set", ["/data/fila[2]/q", "8"]),
            ("add_repeat", "/data/fila"), ("expect_value", ["/data/fila[3]/q", "8"]),
            ("expect_value", ["/data/fila[1]/q", "7"]),
        ],
    ),
    (
        "what an action sets when the form opens stands above a calculation that reads nothing",
        xform("<a>de fábrica</a>", asked("a"), '<setvalue event="odk-instance-load" ref="/data/a">puesto</setvalue>',
              a="calculate=\"'calculado'\""),
        [("expect_value", ["/data/a", "puesto"])],
    ),
    (
        "children of items are read as one list, filtered by their item and by themselves",
        xform("<barrio/><cuantos/><todos/>", asked("barrio"), HOUSES,
              cuantos="calculate=\"count(instance('casas')/root/casa[barrio = /data/barrio]/hijo[edad = 9])\"",
              todos="calculate=\"join(' ', instance('casas')/root/casa/hijo/nombre)\""),
        [
            ("expect_value", ["/data/todos", "Ana Luis Eva"]), ("set", ["/data/barrio", "sur"]),
            ("expect_value", ["/data/cuantos", "1"]), ("set", ["/data/barrio", "oeste"]),
            ("expect_value", ["/data/cuantos", "0"]),
        ],
    ),
    (
        "children of items are offered as choices",
        xform("<barrio/><quien/>",
              asked("barrio")
              + chosen("quien", "instance('casas')/root/casa[barrio = /data/barrio]/hijo", "nombre", "edad"), HOUSES),
        [
            ("set", ["/data/barrio", "sur"]), ("expect_choices", ["/data/quien", ["Ana", "Luis"], ["9", "4"]]),
            ("set", ["/data/quien", "Luis"]), ("set", ["/data/barrio", "norte"]), ("expect_value", ["/data/quien", ""]),
        ],
    ),
    (
        "items of different names in one list are not mixed up",
        xform("<nombre/><gato/><perro/>", asked("nombre"), ANIMALS,
              gato="calculate=\"instance('animales')/root/gato[nombre = /data/nombre]/edad\"",
              perro="calculate=\"instance('animales')/root/perro[nombre = /data/nombre]/edad\""),
        [
            ("set", ["/data/nombre", "Luna"]), ("expect_value", ["/data/gato", "12"]),
            ("expect_value", ["/data/perro", "9"]),
        ],
    ),
    (
        "items that are texts are added up, filtered and shuffled",
        xform("<suma/><altos/><orden/>", "", NUMBERS, suma="calculate=\"sum(instance('numeros')/root/item)\"",
              altos="calculate=\"count(instance('numeros')/root/item[. &gt; 4])\"",
              orden="calculate=\"join('', randomize(instance('numeros')/root/item, 42))\""),
        [
            ("expect_value", ["/data/suma", "21"]), ("expect_value", ["/data/altos", "2"]),
            ("expect_value", ["/data/orden", "163245"]),
        ],
    ),
    (
        "items that are texts are offered as choices",
        xform("<n/>", chosen("n", "instance('numeros')/root/item", ".", "."), NUMBERS),
        [("expect_choices", ["/data/n", list("123456"), list("123456")]), ("set", ["/data/n", "4"]),
         ("expect_valid", ["/data/n", True])],
    ),
    (
        "the rows of a repeat in a row are the choices of that row alone",
        xform("<casa><persona><nombre/></persona><jefe/></casa>",
              repeated("casa", repeated("casa/persona", asked("casa/persona/nombre"))
                       + chosen("casa/jefe", "current()/../persona", "nombre", "nombre"))),
        [
            ("set", ["/data/casa[1]/persona[1]/nombre", "Ana"]), ("add_repeat", "/data/casa"),
            ("set", ["/data/casa[2]/persona[1]/nombre", "Luis"]), ("expect_choices", ["/data/casa[1]/jefe", ["Ana"]]),
            ("expect_choices", ["/data/casa[2]/jefe", ["Luis"]]),
        ],
    ),
    (
        "a group's relevance rules what stands in it in the model, wherever it is asked",
        xform("<fuera/><g><dentro/></g>", f'<group ref="/data/g">{asked("fuera", "g/dentro")}</group>',
              g='relevant="false()"'),
        [("expect_relevant", ["/data/fuera", True]), ("expect_relevant", ["/data/g/dentro", False])],
    ),
    (
        "a group that holds nothing in the model may be around questions that stand elsewhere",
        xform("<a/><g/><b/>", f'{asked("a")}<group ref="/data/g">{asked("b")}</group>', g='relevant="/data/a = 1"'),
        [("expect_relevant", ["/data/g", False]), ("set", ["/data/b", "x"]), ("expect_value", ["/data/b", "x"])],
    ),
    (
        "a translation is the default where it says so, with a value or without one",
        xform("<q/>", "<input ref=\"/data/q\"><label ref=\"jr:itext('q')\"/></input>",
              '<itext><translation lang="a"><text id="q"><value>A</value></text></translation>'
              '<translation lang="b" default=""><text id="q"><value>B</value></text></translation></itext>'),
        [("expect_label", ["/data/q", "B"]), ("language", "a"), ("expect_label", ["/data/q", "A"])],
    ),
]  # fmt: skip

SETGEOPOINT = '<setgeopoint event="odk-instance-first-load" ref="/data/a"/>'
REFUSED = {
    "a select without choices": xform("<a/>", '<select1 ref="/data/a"><label>A</label></select1>'),
    "a list whose items lack the column of the value": xform(
        "<a/>", chosen("a", "instance('x')/root/item"), listed("x", "<item><code>1</code></item>")
    ),
    "a range whose start is no number": xform("<a/>", '<range ref="/data/a" start="-2.0.1" end="2" step="1"/>'),
    "an event that there is not, beside one that there is": xform(
        "<a/>", asked("a"), '<setvalue event="odk-instance-first-load otro" ref="/data/a" value="1"/>'
    ),
    "setgeopoint outside its namespace": xform("<a/>", asked("a"), SETGEOPOINT),
    "a list in a file that is missing and read": xform(
        "<a/>", chosen("a", "instance('x')/root/item"), '<instance id="x" src="jr://file-csv/x.csv"/>'
    ),
}
TAKEN = {
    "setgeopoint in its namespace": xform("<a/>", asked("a"), SETGEOPOINT.replace("<", "<odk:")),
    "a list in a file that is missing and never read": xform(
        "<a/>", asked("a"), '<instance id="x" src="jr://file-csv/x.csv"/>'
    ),
    "an action for when the record is finished": xform(
        "<a/>", asked("a"), '<setvalue event="xforms-revalidate" ref="/data/a" value="now()"/>'
    ),
}


def scenario(form: str, *steps: Step) -> dict[str, Any]:
    """Return a scenario as the runner takes it."""
    return {"id": "x", "xform": form, "steps": [dict([step]) for step in steps]}


@pytest.fixture(scope="module", params=["python", "js"])
def outcomes(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """Play all forms on an engine at once."""
    tasks = ({**scenario(form, *steps), "id": sentence} for sentence, form, steps in PLAYS)
    return {outcome["id"]: outcome for outcome in played(tasks, request.param)}


@pytest.mark.parametrize("sentence", [sentence for sentence, _, _ in PLAYS])
def test_a_form_behaves_as_elsewhere(sentence: str, outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes[sentence] == {"id": sentence, "ok": True}


@pytest.mark.parametrize("what", REFUSED)
def test_a_form_is_refused_for(what: str) -> None:
    with pytest.raises(FormErrors):
        read_xform(REFUSED[what])


@pytest.mark.parametrize("what", TAKEN)
def test_a_form_is_taken_with(what: str) -> None:
    assert read_xform(TAKEN[what]).questions


def test_children_of_items_keep_the_place_where_an_expression_is_wrong() -> None:
    form = xform("<a/>", asked("a"), HOUSES, a="calculate=\"instance('casas')/root/casa[barrio = 'sur']/hijo[1 +]\"")
    with pytest.raises(FormErrors) as refused:
        read_xform(form)
    (problem,) = refused.value.problems
    text, caret = problem.message.splitlines()[-2:]
    assert text[len(caret) - 1] == "]"


def test_only_lists_that_an_expression_asks_for_are_made() -> None:
    form = read_xform(xform("<a/>", asked("a"), HOUSES, a="calculate=\"instance('casas')/root/casa/barrio\""))
    assert set(form.lists) == {"casas"}


@pytest.mark.parametrize("engine", ["python", "js"])
def test_a_scenario_that_crashes_ends_no_other(engine: str) -> None:
    good = scenario(xform("<a/>", asked("a")), ("set", ["/data/a", "1"]), ("expect_value", ["/data/a", "1"]))
    tasks = [
        {**good, "id": "1"},
        {**scenario(good["xform"], ("set", 7), ("expect_value", [])), "id": "2"},
        {**scenario("", ("set", [])), "id": "3"},
        {**scenario(good["xform"], ("expect_submission_xml", "<a")), "id": "4"},
        {**good, "id": "5"},
    ]
    assert {each["id"]: each.get("ok", False) for each in played(tasks, engine)} == dict.fromkeys("234", False) | {
        "1": True,
        "5": True,
    }


def test_where_node_breaks_down_the_scenarios_after_it_are_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = scenarios.RUNNER
    broken = runner.read_text().replace("function play(", "function play(task) { if (task.id === '2') process.abort();"
                                        " return play2(task); }\nfunction play2(")  # fmt: skip
    there = tmp_path / runner.name
    for start, folder in (('"../', runner.parent.parent), ('"./', runner.parent)):
        broken = broken.replace(start, f'"{folder.as_uri()}/')
    there.write_text(broken)
    monkeypatch.setattr(scenarios, "RUNNER", there)
    good = scenario(xform("<a/>", asked("a")), ("set", ["/data/a", "1"]), ("expect_value", ["/data/a", "1"]))
    outcomes = {each["id"]: each["ok"] for each in played([{**good, "id": name} for name in "123"], "js")}
    assert outcomes == {"1": True, "2": False, "3": True}, json.dumps(outcomes)
