"""Functions few forms use: trigonometry, geometry, base64, shuffling. static/js/functions-rare.js holds the same ones.

The page fetches them only for a form whose expressions call one (catalogue.RARE_NAMES).
"""

import base64
import math
from collections.abc import Callable
from itertools import pairwise

from collector.forms.expressions.digest import digest, text_seed
from collector.forms.expressions.environment import Env
from collector.forms.expressions.functions import Function, nodes, power
from collector.forms.expressions.values import NAN, Node, Value, read_number, to_number, to_text

EARTH_RADIUS_METRES = 6_378_100.0
Point = tuple[float, float]


def steady(number: float) -> float:
    """Round to 12 digits: the last ones of a sine differ between machines, and a node compares with the phone."""
    is_exact = not math.isfinite(number) or (abs(number) < 2**53 and number == math.floor(number))
    return number if is_exact else float(f"{number:.11e}")


def quiet(compute: Callable[..., float]) -> Function:
    """Make a function of numbers that gives NaN where it has no value, as JavaScript does."""

    def answer(env: Env, *values: Value) -> Value:
        given = [to_number(value) for value in values]
        if any(each != each for each in given):
            return NAN
        try:
            return steady(compute(*given))
        except ValueError:
            return NAN
        except OverflowError:
            return math.inf

    return answer


def quiet_power(env: Env, base: Value, exponent: Value) -> Value:
    """Raise one number to another."""
    return steady(power(to_number(base), to_number(exponent)))


def logarithm(compute: Callable[[float], float]) -> Callable[[float], float]:
    """Give a logarithm its value at 0, where Python has none."""
    return lambda number: -math.inf if number == 0 else compute(number)


def points(values: tuple[Value, ...]) -> list[Point]:
    """Read "lat lon …;lat lon …" and nodes with a point each; a bad point gives NaN."""
    texts = [text for value in nodes(values) for text in to_text(value).split(";") if text.strip(" \t\r\n")]
    return [point(text) for text in texts]


def point(text: str) -> Point:
    """Read "lat lon alt accuracy"; NaN for what is no place on earth."""
    parts = [read_number(part) for part in text.split()]
    if len(parts) < 2 or not (abs(parts[0]) <= 90 and abs(parts[1]) <= 180):
        return NAN, NAN
    return parts[0], parts[1]


def area(env: Env, *values: Value) -> Value:
    """Return the square metres inside a polygon on the sphere; 0 for less than three points."""
    corners = points(values)
    if len(corners) < 3:
        return 0.0
    total = 0.0
    for (latitude, longitude), (next_latitude, next_longitude) in zip(corners, corners[1:] + corners[:1], strict=True):
        turn = math.radians(next_longitude - longitude)
        total += turn * (2 + math.sin(math.radians(latitude)) + math.sin(math.radians(next_latitude)))
    return rounded(abs(total * EARTH_RADIUS_METRES * EARTH_RADIUS_METRES / 2))


def distance(env: Env, *values: Value) -> Value:
    """Return the metres along a line on the sphere, to the centimetre."""
    places = points(values)
    if not places or any(latitude != latitude for latitude, _ in places):
        return NAN
    return rounded(sum(arc(*pair) for pair in pairwise(places)))


def arc(start: Point, end: Point) -> float:
    """Return the metres between two points (haversine)."""
    latitude, next_latitude = math.radians(start[0]), math.radians(end[0])
    across = math.sin((next_latitude - latitude) / 2) ** 2
    along = math.cos(latitude) * math.cos(next_latitude) * math.sin(math.radians(end[1] - start[1]) / 2) ** 2
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(across + along)))


def rounded(metres: float) -> float:
    """Round to two decimals."""
    return math.floor(metres * 100 + 0.5) / 100 if math.isfinite(metres) else metres


def geofence(env: Env, place: Value, shape: Value) -> Value:
    """Tell whether a point lies inside a polygon, which must be closed (its last point is its first)."""
    spot, corners = points((place,)), points((shape,))
    if not spot or len(corners) < 3 or corners[0] != corners[-1]:
        return False
    (latitude, longitude), inside = spot[0], False
    for (here, here_along), (there, there_along) in pairwise(corners):
        crosses = (here_along > longitude) != (there_along > longitude)
        if crosses and latitude < (there - here) * (longitude - here_along) / (there_along - here_along) + here:
            inside = not inside
    return inside


def base64_decode(env: Env, value: Value) -> Value:
    """Read base64 as UTF-8 text; "" for what is none."""
    try:
        return base64.b64decode(to_text(value), validate=True).decode()
    except ValueError:
        return ""


def randomize(env: Env, value: Value, seed: Value | None = None) -> Value:
    """Shuffle nodes: always the same way for a seed (Park-Miller, as ODK), else at random."""
    draw = env.random if seed is None else park_miller(seed_number(seed))
    found: list[Node] = []
    for node in value if isinstance(value, list) else []:
        # "inside-out" Fisher-Yates: the newcomer takes a place, who stood there goes to the end
        other = int(draw() * (len(found) + 1))
        found.append(found[other] if other < len(found) else node)
        found[other] = node
    return found


def seed_number(seed: Value) -> float:
    """Return a seed as a number; a text that is none counts by its hash, an empty one as 0."""
    number, text = to_number(seed), to_text(seed)
    return number if number == number else text_seed(text) if text and isinstance(seed, (str, list)) else 0.0


def park_miller(seed: float) -> Callable[[], float]:
    """Return the "minimal standard" generator of fractions for a seed."""
    state = [math.fmod(math.trunc(seed), 2147483647) if math.isfinite(seed) else 0.0]
    if state[0] <= 0:
        state[0] += 2147483646

    def draw() -> float:
        state[0] = state[0] * 16807 % 2147483647
        return (state[0] - 1) / 2147483646

    return draw


RARE_FUNCTIONS: dict[str, Function] = {
    "sqrt": quiet(math.sqrt),
    "exp": quiet(math.exp),
    "pow": quiet_power,
    "exp10": lambda env, a: quiet_power(env, 10.0, a),
    "log": quiet(logarithm(math.log)),
    "log10": quiet(logarithm(math.log10)),
    "pi": lambda env: math.pi,
    "sin": quiet(math.sin),
    "cos": quiet(math.cos),
    "tan": quiet(math.tan),
    "asin": quiet(math.asin),
    "acos": quiet(math.acos),
    "atan": quiet(math.atan),
    "atan2": quiet(math.atan2),
    "area": area,
    "distance": distance,
    "geofence": geofence,
    "base64-decode": base64_decode,
    "randomize": randomize,
    "digest": digest,
}
