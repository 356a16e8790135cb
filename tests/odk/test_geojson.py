"""Places in submissions as GeoJSON."""

import json
from decimal import Decimal
from typing import Any

import pytest

from collector.lab.odk_fields import Field
from collector.lab.odk_geojson import geometry_of
from tests.odk.conftest import Client

PLACES = [
    ("nombre_corto", "string"),
    ("parada*", [("punto", "geopoint"), ("ruta", "geotrace"), ("lote", "geoshape")]),
    ("g", [("sitio", "geopoint")]),
    ("ruta", "geotrace"),
]  # fmt: skip
SQUARE = "8 -80;8.1 -80;8.1 -80.1;8 -80"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("geopoint", "8.98 -79.50 20 5", '{"type":"Point","coordinates":[-79.50,8.98,20]}'),
        ("geopoint", " 8 -79 ", '{"type":"Point","coordinates":[-79,8]}'),
        ("geopoint", "0.5 -0 -3.00 0", '{"type":"Point","coordinates":[-0,0.5,-3.00]}'),
        ("geopoint", "08.5 -79.5", None),
        ("geopoint", "8.5 -079.5", None),
        ("geopoint", "8.5 -79.5 007", None),
        ("geopoint", "8.5 -79.5 7 -1", None),
        ("geopoint", "8 -79 1 2 3", None),
        ("geopoint", "91 0", None),
        ("geopoint", "8 181", None),
        ("geopoint", "8", None),
        ("geopoint", "8,5 -79", None),
        ("geopoint", "٨ -79", None),
        ("geotrace", "8 -80 0 0;8.1 -80.6 0 0", '{"type":"LineString","coordinates":[[-80,8,0],[-80.6,8.1,0]]}'),
        ("geotrace", "8 -80 ; 8.1 -80", '{"type":"LineString","coordinates":[[-80,8],[-80,8.1]]}'),
        ("geotrace", "8 -80", None),
        ("geotrace", "8 -80;8.1 -80;", None),
        ("geotrace", "8 -80;x y;8 -81", None),
        ("geoshape", SQUARE, '{"type":"Polygon","coordinates":[[[-80,8],[-80,8.1],[-80.1,8.1],[-80,8]]]}'),
        (
            "geoshape",
            "8 -80;8.1 -80;8.1 -80.1;8.0 -80.00",
            '{"type":"Polygon","coordinates":[[[-80,8],[-80,8.1],[-80.1,8.1],[-80.00,8.0]]]}',
        ),
        ("geoshape", "8 -80;8.1 -80;8.1 -80.1;8 -80.2", None),
        ("geoshape", "8 -80;8.1 -80;8 -80", None),
        ("geopoint", "", None),
    ],
)
def test_a_place_is_written_digit_by_digit_or_not_at_all(kind: str, text: str, expected: str | None) -> None:
    assert geometry_of(Field("/p", kind, "p"), {"p": text}) == expected


def test_the_first_place_outside_repeats_is_shown_when_nobody_names_one(odk: Client) -> None:
    odk.publish("mapa", PLACES)
    here = odk.send("mapa", "<g><sitio>8.98 -79.50 20 5</sitio></g><ruta>8 -80;9 -80</ruta>")
    odk.send("mapa", "<g><sitio/></g><ruta>8 -80;9 -80</ruta>")
    assert odk.features("mapa") == [
        {"type": "Feature", "id": here, "geometry": {"type": "Point", "coordinates": [-79.5, 8.98, 20]},
         "properties": {"fieldpath": "/g/sitio"}},
    ]  # fmt: skip


def test_places_of_a_repeat_come_as_one_and_what_cannot_be_read_is_left_out(odk: Client) -> None:
    odk.publish("mapa", PLACES)
    odk.send(
        "mapa",
        "<parada><punto>8 -80</punto><ruta>8 -80;9 -80</ruta><lote>" + SQUARE + "</lote></parada>"
        "<parada><punto>nada</punto><ruta>8 -80</ruta></parada><parada><punto>9 -81</punto></parada>",
    )
    found = {path: odk.features("mapa", fieldpath=path) for path in ("/parada/punto", "/parada/ruta", "/parada/lote")}
    shapes = {path: features[0]["geometry"] for path, features in found.items()}
    assert shapes["/parada/punto"] == {"type": "MultiPoint", "coordinates": [[-80, 8], [-81, 9]]}
    assert shapes["/parada/ruta"] == {"type": "MultiLineString", "coordinates": [[[-80, 8], [-80, 9]]]}
    assert shapes["/parada/lote"]["type"] == "MultiPolygon"
    assert all(features[0]["properties"] is None for features in found.values())


def test_a_file_shows_one_field_and_what_is_no_place_has_none(odk: Client) -> None:
    odk.publish("mapa", PLACES)
    odk.send("mapa", "<g><sitio>8 -80</sitio></g><ruta>8 -80;9 -80</ruta>")
    address = odk.form("mapa", "/submissions.geojson")
    answer = odk.http.get(address, params={"fieldpath": ["/g/sitio", "/ruta"]})
    assert (answer.status_code, answer.json()["code"]) == (400, 400.41)
    assert len(odk.features("mapa", fieldpath=["/ruta", "/ruta"])) == len(odk.features("mapa", fieldpath="")) == 1
    assert odk.features("mapa", fieldpath="/nombre_corto") == odk.features("mapa", fieldpath="/nada") == []


def test_one_submission_shows_its_places_under_the_id_of_the_version_that_counts(odk: Client) -> None:
    odk.publish("mapa", PLACES)
    root = odk.send("mapa", "<g><sitio>8 -80</sitio></g>")
    edited = odk.edit("mapa", root, "<g><sitio>9 -81</sitio></g><ruta>8 -80;9 -80</ruta>")
    bare = odk.send("mapa", "<nombre_corto>a</nombre_corto>")

    def seen(instance: str, *paths: str) -> list[dict[str, Any]]:
        answer = odk.good(odk.http.get(odk.one("mapa", instance, ".geojson"), params={"fieldpath": list(paths)}))
        assert answer.headers["content-type"].startswith("application/json")
        features: list[dict[str, Any]] = answer.json()["features"]
        return features

    [feature] = seen(root)
    assert (feature["id"], feature["geometry"]["coordinates"]) == (edited, [-81, 9])
    assert feature["properties"] == {"fieldpath": "/g/sitio"}
    [both] = seen(root, "/g/sitio", "/ruta", "/nombre_corto", "/nada")
    assert [each["type"] for each in both["geometry"]["geometries"]] == ["Point", "LineString"]
    assert (both["geometry"]["type"], both["properties"]) == ("GeometryCollection", None)
    assert seen(bare) == []
    odk.good(odk.http.delete(odk.one("mapa", root)))
    for instance in (root, edited, "uuid:nadie"):
        assert odk.http.get(odk.one("mapa", instance, ".geojson")).json()["code"] == 404.1


def test_an_edit_moves_the_place_and_keeps_the_name_of_the_submission(odk: Client) -> None:
    odk.publish("mapa", PLACES)
    root = odk.send("mapa", "<g><sitio>8 -80</sitio></g>")
    odk.edit("mapa", root, "<g><sitio>9 -81</sitio></g>")
    [feature] = odk.features("mapa")
    assert (feature["id"], feature["geometry"]["coordinates"]) == (root, [-81, 9])


def test_a_limit_counts_the_newest_submissions_and_a_filter_chooses_among_all(odk: Client) -> None:
    odk.publish("mapa", PLACES)
    keys = [odk.send("mapa", f"<g><sitio>{n} -80</sitio></g>") for n in range(1, 4)]
    odk.review("mapa", keys[0], "approved")
    assert [feature["id"] for feature in odk.features("mapa", limit="2")] == [keys[2], keys[1]]
    assert [len(odk.features("mapa", limit=text)) for text in ("1x", "0", "x", "-1")] == [1, 3, 3, 3]
    chosen = odk.features("mapa", **{"$filter": "__system/reviewState eq 'approved'"})
    assert [feature["id"] for feature in chosen] == [keys[0]]


def test_a_form_without_places_has_none(odk: Client) -> None:
    odk.publish("uno", [("a", "string")])
    odk.send("uno", "<a>1</a>")
    assert odk.features("uno") == []


def test_numbers_keep_every_digit(odk: Client) -> None:
    odk.publish("mapa", PLACES)
    odk.send("mapa", "<g><sitio>8.12345678901234567890 -79.50</sitio></g>")
    text = odk.http.get(odk.form("mapa", "/submissions.geojson")).text
    assert json.loads(text, parse_float=Decimal)["features"][0]["geometry"]["coordinates"][1] == Decimal(
        "8.12345678901234567890"
    )
    assert "-79.50" in text
