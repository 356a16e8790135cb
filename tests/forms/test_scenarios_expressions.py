"""Whole forms whose expressions are the point: filled in on a node and on the page, with the same outcome."""

import time
from typing import Any

import pytest

from collector.forms.state import Filling
from collector.forms.xform import read_xform
from tests.scenarios import js_task, play_js, played

HEAD = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Prueba</h:title><model>"""

LANGUAGES = (
    HEAD
    + """<itext><translation lang="Español (es)"><text id="agua"><value>Agua</value></text><text id="luz">
 <value>Luz</value></text><text id="q"><value>¿Qué falta en <output value="/data/barrio"/>?</value></text>
 <text id="msg"><value>Escriba dos letras.</value></text></translation>
 <translation lang="English (en)"><text id="agua"><value>Water</value></text>
 <text id="q"><value>What is missing in <output value="/data/barrio"/>?</value></text></translation></itext>
 <instance><data id="lenguas"><barrio/><falta/><nombre/><dia/><mes/><firma/></data></instance>
 <instance id="cosas"><root><item><name>agua</name><itextId>agua</itextId></item>
 <item><name>luz</name><itextId>luz</itextId></item></root></instance>
 <bind nodeset="/data/barrio" constraint="string-length(.) &gt; 1" jr:constraintMsg="jr:itext('msg')"/>
 <bind nodeset="/data/nombre" calculate="jr:choice-name(/data/falta, '/data/falta')"/>
 <bind nodeset="/data/dia" type="date"/>
 <bind nodeset="/data/mes" calculate="format-date(/data/dia, '%e %b')"/>
 <bind nodeset="/data/firma" calculate="digest(/data/barrio, 'SHA-256', 'hex')"/></model></h:head><h:body>
 <input ref="/data/barrio"/>
 <select1 ref="/data/falta"><label ref="jr:itext('q')"/><itemset nodeset="instance('cosas')/root/item">
 <value ref="name"/><label ref="jr:itext(itextId)"/></itemset></select1><input ref="/data/dia"/></h:body></h:html>"""
)

ROWS = (
    HEAD
    + """<instance><data id="filas"><semilla/><fila jr:template=""><nombre/><edad/><tope/></fila>
 <aviso/><mayores/><orden/><eleccion/></data></instance>
 <instance id="letras"><root><item><name>a</name></item><item><name>b</name></item><item><name>c</name></item>
 <item><name>d</name></item><item><name>e</name></item></root></instance>
 <bind nodeset="/data/fila/edad" type="int" constraint=". &lt;= ../tope"/>
 <bind nodeset="/data/fila/tope" calculate="if(position(..) = 1, 120, ../../fila[1]/edad)"/>
 <bind nodeset="/data/aviso" relevant="/data/fila/nombre = 'Ana' and not(/data/fila/edad &gt; 100)"/>
 <bind nodeset="/data/mayores" calculate="count(/data/fila[edad &gt; 17])"/>
 <bind nodeset="/data/orden"
  calculate="join('', randomize(instance('letras')/root/item/name, /data/semilla))"/></model></h:head><h:body>
 <input ref="/data/semilla"/>
 <group ref="/data/fila"><repeat nodeset="/data/fila"><input ref="/data/fila/nombre"/><input ref="/data/fila/edad"/>
 </repeat></group><input ref="/data/aviso"/>
 <select1 ref="/data/eleccion"><itemset nodeset="randomize(instance('letras')/root/item, 42)"><value ref="name"/>
 <label ref="name"/></itemset></select1></h:body></h:html>"""
)
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # SHA-256 of "abc", FIPS 180-2

PLAYS: list[tuple[str, str, list[dict[str, Any]]]] = [
    (
        "a change of language in the middle changes labels, choices, messages and names, and no answer",
        LANGUAGES,
        [
            {"set": ["/data/barrio", "S"]},
            {"expect_message": ["/data/barrio", "Escriba dos letras."]},
            {"set": ["/data/barrio", "Soná"]},
            {"set": ["/data/falta", "agua"]},
            {"set": ["/data/dia", "2024-01-03"]},
            {"expect_label": ["/data/falta", "¿Qué falta en Soná?"]},
            {"expect_choices": ["/data/falta", ["agua", "luz"], ["Agua", "Luz"]]},
            {"expect_value": ["/data/nombre", "Agua"]},
            {"expect_value": ["/data/mes", "3 ene"]},
            {"language": "English (en)"},
            {"expect_label": ["/data/falta", "What is missing in Soná?"]},
            {"expect_choices": ["/data/falta", ["agua", "luz"], ["Water", "Luz"]]},
            {"expect_value": ["/data/falta", "agua"]},
            {"set": ["/data/barrio", "abc"]},
            {"expect_value": ["/data/firma", ABC]},
            {"language": "Español (es)"},
            {"expect_label": ["/data/falta", "¿Qué falta en abc?"]},
        ],
    ),
    (
        "a condition over all rows holds as soon as one row does, and the row's own calculates see the first row",
        ROWS,
        [
            {"expect_count": ["/data/fila", 0]},
            {"expect_relevant": ["/data/aviso", False]},
            {"add_repeat": "/data/fila"},
            {"add_repeat": "/data/fila"},
            {"set": ["/data/fila[2]/nombre", "Ana"]},
            {"expect_relevant": ["/data/aviso", True]},
            {"set": ["/data/fila[1]/edad", "101"]},
            {"expect_relevant": ["/data/aviso", False]},
            {"set": ["/data/fila[1]/edad", "40"]},
            {"expect_relevant": ["/data/aviso", True]},
            {"expect_value": ["/data/fila[2]/tope", "40"]},
            {"set": ["/data/fila[2]/edad", "41"]},
            {"expect_valid": ["/data/fila[2]/edad", False]},
            {"expect_value": ["/data/mayores", "2"]},
            {"remove_repeat": "/data/fila[1]"},
            {"expect_value": ["/data/fila[1]/tope", "120"]},
            {"expect_valid": ["/data/fila[1]/edad", True]},
            {"remove_repeat": "/data/fila[1]"},
            {"expect_relevant": ["/data/aviso", False]},
        ],
    ),
]


@pytest.mark.parametrize("engine", ["python", "js"])
@pytest.mark.parametrize(("rule", "xform", "steps"), PLAYS, ids=[rule for rule, _, _ in PLAYS])
def test_the_play_ends_well(engine: str, rule: str, xform: str, steps: list[dict[str, Any]]) -> None:
    scenario = {"id": "s", "xform": xform, "lang": "Español (es)" if "itext" in xform else "", "steps": steps}
    assert list(played([scenario], engine)) == [{"id": "s", "ok": True}], rule


@pytest.mark.parametrize("seed", ["", "7", "7.5", "Ana", "Eva", "🥰", "-1"])
def test_a_seed_that_somebody_answers_gives_the_same_order_on_page_and_node(seed: str) -> None:
    form = read_xform(ROWS)
    steps = [{"set": ["/data/semilla", seed]}, {"expect_value": ["/data/orden", ""]}]
    looks = [*steps, {"expect_choices": ["/data/eleccion", []]}]
    seen = play_js([js_task(form, {"id": "s", "xform": ROWS, "steps": looks})])["s"]
    filling = Filling(form, (0, 0))
    filling.set("/data/semilla", seed)
    assert sorted(filling.raw["/data/orden"]) == list("abcde")
    assert seen[1] == {"got": filling.raw["/data/orden"]}
    assert seen[2]["got"][0] == list(filling.choices("/data/eleccion"))


def many_choices() -> str:
    """Write a form with a list of 10,000 places and two filters on it."""
    items = "".join(f"<item><name>p{n}</name><zona>z{n % 100}</zona><n>{n}</n></item>" for n in range(10_000))
    return f"""{HEAD}<instance><data id="muchos"><zona/><desde/><lugar/><otro/><cuantos/></data></instance>
     <instance id="lugares"><root>{items}</root></instance>
     <bind nodeset="/data/cuantos" calculate="count(instance('lugares')/root/item[zona = /data/zona])"/>
     </model></h:head><h:body><input ref="/data/zona"/><input ref="/data/desde"/>
     <select1 ref="/data/lugar"><itemset nodeset="instance('lugares')/root/item[zona = /data/zona]">
     <value ref="name"/><label ref="name"/></itemset></select1>
     <select1 ref="/data/otro"><itemset nodeset="instance('lugares')/root/item[n &gt; /data/desde and zona != 'z1']">
     <value ref="name"/><label ref="name"/></itemset></select1></h:body></h:html>"""


@pytest.mark.parametrize("engine", ["python", "js"])
def test_ten_thousand_choices_are_filtered_alike(engine: str) -> None:
    steps = [
        {"set": ["/data/zona", "z99"]},
        {"set": ["/data/desde", "9995"]},
        {"expect_value": ["/data/cuantos", "100"]},
        {"expect_choices": ["/data/lugar", [f"p{n}" for n in range(99, 10_000, 100)]]},
        {"expect_choices": ["/data/otro", ["p9996", "p9997", "p9998", "p9999"]]},
        {"set": ["/data/zona", "nada"]},
        {"expect_choices": ["/data/lugar", []]},
    ]
    scenario = {"id": "s", "xform": many_choices(), "steps": steps}
    assert list(played([scenario], engine)) == [{"id": "s", "ok": True}]


def test_a_change_that_filters_ten_thousand_choices_takes_a_moment() -> None:
    filling = Filling(read_xform(many_choices()), (0, 0))
    filling.set("/data/desde", "9000")
    filling.set("/data/zona", "z1")
    began = time.process_time()
    for number in range(20):
        filling.set("/data/zona", f"z{number}")
        assert len(filling.choices("/data/lugar")) == 100
    assert time.process_time() - began < 2
