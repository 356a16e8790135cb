"""Lists that come with a form as files, and what happens when they do not."""

import json

import pytest

from collector.forms.report import FormErrors
from collector.forms.state import Filling
from collector.forms.xform import read_xform
from collector.forms.xform.lists import file_items

NOW = (0, 0)
FORM = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Listas</h:title><model>
 <instance><data id="listas"><zona/><lugar/><nombre/><antes/></data></instance>
 <instance id="lugares" src="jr://file-csv/FILE"/>
 <instance id="last-saved" src="jr://instance/last-saved"/>
 <bind nodeset="/data/nombre" calculate="pulldata('lugares', 'label', 'name', /data/lugar)"/>
 <bind nodeset="/data/antes" calculate="instance('last-saved')/data/zona"/></model></h:head>
 <h:body><input ref="/data/zona"><label>Zona</label></input>
 <select1 ref="/data/lugar"><label>Lugar</label>
  <itemset nodeset="instance('lugares')/root/item[zona = /data/zona]"><value ref="name"/><label ref="label"/></itemset>
 </select1></h:body></h:html>"""
CSV = '\ufeffname,label,zona\na,Aguadulce,centro\nb,Boquete,oeste\n\nc,"Chepo, el viejo",centro\n'
PLACE = {"type": "Point", "coordinates": [-79.5, 8.9]}
GEOJSON = json.dumps(
    {
        "features": [
            {"id": 7, "geometry": PLACE, "properties": {"name": "a", "label": "Aguadulce", "zona": "centro"}},
            {"geometry": None, "properties": {"name": "c", "label": "Chepo, el viejo", "zona": "centro"}},
        ]
    }
)
XML = "<root><item><name>a</name><label>Aguadulce</label><zona>centro</zona></item><item><name>c</name>" \
      "<label>Chepo, el viejo</label><zona>centro</zona></item></root>"  # fmt: skip


@pytest.mark.parametrize(("file", "text"), [("l.csv", CSV), ("l.geojson", GEOJSON), ("l.xml", XML)])
def test_a_list_in_a_file_offers_its_rows(file: str, text: str) -> None:
    form = read_xform(FORM.replace("FILE", file), media={file: text})
    filling = Filling(form, NOW)
    filling.set("/data/zona", "centro")
    assert filling.choices("/data/lugar") == ("a", "c")
    filling.set("/data/lugar", "c")
    assert filling.raw["/data/nombre"] == "Chepo, el viejo"
    assert filling.choice_labels("/data/lugar")["a"] == "Aguadulce"


def test_places_are_written_as_odk_writes_them() -> None:
    (first, second), _ = file_items("l.geojson", GEOJSON)
    assert (first["geometry"], first["id"], second["geometry"]) == ("8.9 -79.5 0 0", "7", "")


def test_the_last_record_is_read_where_there_is_one() -> None:
    last = {"l.csv": CSV, "last-saved": "<data><zona>norte</zona></data>"}
    assert Filling(read_xform(FORM.replace("FILE", "l.csv"), media=last), NOW).raw["/data/antes"] == ("norte")
    without = read_xform(FORM.replace("FILE", "l.csv"), media={"l.csv": CSV})
    assert Filling(without, NOW).raw["/data/antes"] == ""


@pytest.mark.parametrize("media", [{}, {"l.xml": "<root>"}, {"l.geojson": "[1]"}, {"l.geojson": "{"}])
def test_a_file_that_is_missing_or_broken_is_named(media: dict[str, str]) -> None:
    file = next(iter(media), "l.csv")
    with pytest.raises(FormErrors, match=file):
        read_xform(FORM.replace("FILE", file), media=media)
