"""Places in submissions as GeoJSON (RFC 7946), feature by feature as ODK Central makes them. Pure.

Numbers are written as they were given ("-79.50" stays -79.50), since a reader of floats would round them. A place that
cannot be read ("08.9 -79.5" neither: nobody writes a latitude so), a trace with one bad point or of a single point, and
an area that does not close give no geometry.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from collector.lab.odk_csv import Sent
from collector.lab.odk_fields import GEO, Field, default_place, rows_of
from collector.lab.tables import text_at

_WHOLE, _REST = r"(?:0|[1-9]\d*)", r"(?:\.\d+)?"
_NUMBER = f"-?{_WHOLE}{_REST}"
_POINT = re.compile(rf"\s*({_NUMBER})\s+({_NUMBER})(?:\s+({_NUMBER}))?(?:\s+{_WHOLE}{_REST})?\s*", re.A)
_BETWEEN = re.compile(r"\s*;\s*")
LEAST_OF_TRACE, LEAST_OF_AREA = 2, 4
SINGLE = {"geopoint": "Point", "geotrace": "LineString", "geoshape": "Polygon"}
SEVERAL = {"geopoint": "MultiPoint", "geotrace": "MultiLineString", "geoshape": "MultiPolygon"}


def geojson_pieces(features: Iterable[str]) -> Iterator[str]:
    """Give the text of a FeatureCollection a piece at a time."""
    yield '{"type":"FeatureCollection","features":['
    for number, feature in enumerate(features):
        yield f",{feature}" if number else feature
    yield "]}"


def feature_of(sent: Sent, fields: Sequence[Field], asked: Sequence[str]) -> str | None:
    """Return the feature of a submission, None when it has no place. asked: paths of fields, () for the default one.

    fields: those of the version that the submission was given in.
    """
    places = _asked(fields, asked)
    shapes = [shape for each in places if (shape := geometry_of(each, sent.answers)) is not None]
    if not shapes:
        return None
    several = f'{{"type":"GeometryCollection","geometries":[{",".join(shapes)}]}}'
    geometry = shapes[0] if len(shapes) == 1 else several
    properties = "null" if asked else json.dumps({"fieldpath": places[0].path}, ensure_ascii=False)
    name = json.dumps(sent.key, ensure_ascii=False)
    return f'{{"type":"Feature","id":{name},"geometry":{geometry},"properties":{properties}}}'


def count_asked(fields: Sequence[Field], asked: Sequence[str]) -> int:
    """Return how many places a submission of these fields could have: what `limit` counts."""
    return len(_asked(fields, asked))


def _asked(fields: Sequence[Field], asked: Sequence[str]) -> list[Field]:
    if asked:
        return [each for each in fields if each.type in GEO and each.path in asked]
    first = default_place(fields)
    return [first] if first else []


def geometry_of(each: Field, answers: Mapping[str, object]) -> str | None:
    """Return the geometry of a field's answers as JSON; of a field in a repeat all of them as one."""
    texts = [text for row in rows_of(each.steps, answers) if (text := text_at(row, each.key))]
    found = [shape for text in texts if (shape := _coordinates(each.type, text)) is not None]
    if not found:
        return None
    if not each.steps:
        return f'{{"type":"{SINGLE[each.type]}","coordinates":{found[0]}}}'
    return f'{{"type":"{SEVERAL[each.type]}","coordinates":[{",".join(found)}]}}'


def _coordinates(kind: str, text: str) -> str | None:
    if kind == "geopoint":
        return _point(text)
    least = LEAST_OF_TRACE if kind == "geotrace" else LEAST_OF_AREA
    points = _line(text)
    if points is None or len(points) < least:
        return None
    if kind == "geotrace":
        return f"[{','.join(points)}]"
    return f"[[{','.join(points)}]]" if _is_closed(points) else None


def _line(text: str) -> list[str] | None:
    """Return the points of a trace, None when one of them cannot be read."""
    points = [_point(part) for part in _BETWEEN.split(text)]
    found = [point for point in points if point is not None]
    return found if len(found) == len(points) else None


def _is_closed(points: Sequence[str]) -> bool:
    """Tell whether an area ends where it begins: 8 and 8.0 are one place."""
    first, last = (list(map(Decimal, points[at][1:-1].split(","))) for at in (0, -1))
    return first == last


def _point(text: str) -> str | None:
    """Return "[longitude,latitude,altitude]" of "8.98 -79.52 20 5"; None for what is no place on Earth."""
    match = _POINT.fullmatch(text)
    if match is None:
        return None
    latitude, longitude, altitude = match.groups()
    if abs(Decimal(latitude)) > 90 or abs(Decimal(longitude)) > 180:
        return None
    return f"[{','.join(part for part in (longitude, latitude, altitude) if part is not None)}]"
