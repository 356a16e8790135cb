"""The functions forms use, on values already evaluated. static/js/functions.js holds the same ones.

Every function takes the environment and its arguments. Those that look at the row, or must not evaluate all their
arguments (if, coalesce, once, position, last), stand in build.py.
"""

import math
import re
from collections.abc import Callable, Sequence

from collector.forms.expressions.environment import Env
from collector.forms.expressions.values import (
    CLOCK,
    DAY_MS,
    NAN,
    Moment,
    Value,
    clock_milliseconds,
    date_text,
    local_milliseconds,
    parse_moment,
    read_number,
    reading,
    to_boolean,
    to_moment,
    to_number,
    to_text,
    truth,
    wall_day,
    zone_minutes,
)

SPACES = re.compile(r"[ \t\r\n]+")
MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
}
WEEKDAYS = {
    "en": ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"),
    "es": ("dom", "lun", "mar", "mié", "jue", "vie", "sáb"),
}
# "en", "English (en)", "Inglés (en)"; every other language of a form gets Spanish names, as its neighbours read them.
ENGLISH = re.compile(r"(^|[^a-z0-9_])en", re.IGNORECASE | re.ASCII)
TIME_OF_DAY = re.compile(rf"(?:.{{10}}T)?{CLOCK}")
FORMAT_ESCAPE = re.compile("%([YymnbdeHhMS3a])")

Function = Callable[..., Value]


def numbers(values: Sequence[Value]) -> list[float]:
    """Read all values, and all nodes of node-sets, as numbers."""
    return [to_number(node) for node in nodes(values) if not isinstance(node, dict)]


def nodes(values: Sequence[Value]) -> list[Value]:
    """Lay out node-sets among their fellow values."""
    found: list[Value] = []
    for value in values:
        if isinstance(value, list):
            found.extend(to_text([node]) for node in value)
        else:
            found.append(value)
    return found


def normalize(text: str) -> str:
    """Trim and make every run of XML white space one space."""
    return SPACES.sub(" ", text).strip(" ")


def tokens(value: Value) -> list[str]:
    """Split a select_multiple; an empty one gives one empty token."""
    return normalize(to_text(value)).split(" ")


# -- numbers


def whole(round_off: Callable[[float], int]) -> Function:
    """Make int(), floor() or ceiling(). -0.5 may become -0, as in JavaScript: 1 div it tells them apart."""

    def compute(env: Env, value: Value) -> Value:
        number = to_number(value)
        return math.copysign(float(round_off(number)), number) if math.isfinite(number) else number

    return compute


def half_away(number: float) -> float:
    """Round to a whole number, halves away from zero."""
    if not math.isfinite(number):
        return number
    size = abs(number)
    whole = math.floor(size)
    return math.copysign(whole + (size - whole >= 0.5), number)


def round_number(env: Env, value: Value, places: Value = 0.0) -> Value:
    """Round to `places` decimals (negative: tens, hundreds), halves away from zero. Takes a decimal comma."""
    number = read_number(value.replace(",", ".", 1)) if isinstance(value, str) else to_number(value)
    asked = to_number(places)
    if asked != asked:
        return NAN
    digits = math.trunc(max(-300.0, min(15.0, asked)))
    scale = math.pow(10, abs(digits))
    return half_away(number / scale) * scale if digits < 0 else half_away(number * scale) / scale


def power(base: float, exponent: float) -> float:
    """Raise as JavaScript does: no exceptions, and 1 to the infinite is NaN."""
    if abs(base) == 1 and not math.isfinite(exponent):
        return NAN
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        if base != 0:
            return NAN
        return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf


def number(env: Env, value: Value) -> Value:
    """Cast to a number; a date or date-time gives its whole day (decimal-date-time() has the fraction)."""
    read = reading(value, env.now[1])
    return wall_day(read) if isinstance(read, Moment) else read


def extreme(pick: Callable[[list[float]], float]) -> Function:
    """Make min() or max(): NaN for no nodes and where any is not a number."""

    def choose(env: Env, *values: Value) -> Value:
        found = numbers(values)
        return NAN if not found or any(each != each for each in found) else pick(found)

    return choose


def add_up(env: Env, value: Value) -> Value:
    """Add the nodes one after the other (not math.fsum: the page adds the same way)."""
    total = 0.0
    for each in numbers([value]):
        total += each
    return total


# -- texts


def characters(value: Value, start: float, end: float) -> str:
    """Cut a text at two places counted from 0, which may lie outside."""
    return to_text(value)[max(0, int(start)) : max(0, int(end))]


def substr(env: Env, value: Value, start: Value, end: Value | None = None) -> Value:
    """Cut from `start` (counted from 0, negative from the end) up to but without `end`."""
    length = len(to_text(value))

    def place(given: Value) -> float:
        at = to_number(given)
        at = 0.0 if at != at else max(-length, min(length, math.trunc(at) if math.isfinite(at) else at))
        return at + length if at < 0 else at

    return characters(value, place(start), length if end is None else place(end))


def substring(env: Env, value: Value, start: Value, count: Value | None = None) -> Value:
    """Cut as XPath does: counted from 1, rounded half up, NaN gives nothing."""
    first = half_up(to_number(start))
    end = math.inf if count is None else first + half_up(to_number(count))
    return "".join(each for at, each in enumerate(to_text(value), 1) if first <= at < end)


def half_up(number: float) -> float:
    """Round halves up, leaving NaN and the infinities alone."""
    return float(math.floor(number + 0.5)) if math.isfinite(number) else number


def translate(env: Env, value: Value, source: Value, target: Value) -> Value:
    """Replace each character of `source` by the one at its place in `target`; drop it where there is none."""
    letters, others = to_text(source), to_text(target)
    table: dict[int, str] = {}
    for at, letter in enumerate(letters):
        table.setdefault(ord(letter), others[at : at + 1])
    return to_text(value).translate(table)


def selected_at(env: Env, value: Value, index: Value) -> Value:
    """Return the choice at `index`, counted from 0; "" outside."""
    found, at = tokens(value), to_number(index)
    return found[int(at)] if -1 < at < len(found) else ""


def uuid(env: Env, length: Value | None = None) -> Value:
    """Make a random id: version 4, or `length` letters and digits."""
    if length is not None:
        size = to_number(length)
        alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        return "".join(alphabet[int(env.random() * 62)] for _ in range(int(size) if 0 < size < 1000 else 0))
    pattern = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"
    return re.sub(
        "[xy]", lambda mark: f"{int(env.random() * (16 if mark[0] == 'x' else 4)) + (mark[0] == 'y') * 8:x}", pattern
    )


# -- dates


def today(env: Env) -> Value:
    """Return the date on the wall clock of the respondent."""
    milliseconds, offset = env.now
    return Moment(float((milliseconds + offset * 60_000) // DAY_MS))


def now(env: Env) -> Value:
    """Return the respondent's instant."""
    return Moment(env.now[0] / DAY_MS, env.now[1])


def to_date(env: Env, value: Value) -> Value:
    """Read a date: the calendar day a text is written with. "" for what is none."""
    moment = to_moment(value, env.now[1])
    return Moment(wall_day(moment)) if moment else ""


def to_date_time(env: Env, value: Value) -> Value:
    """Read a date-time, shown at the respondent's offset; a text or number without a time of day stays a date."""
    moment = to_moment(value, env.now[1])
    if moment is None:
        return ""
    return moment if moment.offset is None else Moment(moment.days, env.now[1])


def decimal_date_time(env: Env, value: Value) -> Value:
    """Count the days since 1970-01-01, with the fraction of a date-time (in UTC)."""
    return to_number(value, env.now[1])


def decimal_time(env: Env, value: Value) -> Value:
    """Return the part of the day that HH:MM[:SS] or a date-time is on the respondent's clock; NaN for anything else."""
    text, offset = to_text(value), env.now[1]
    match = TIME_OF_DAY.fullmatch(text)
    if match is None or (text[10:11] == "T" and parse_moment(text, 0) is None):
        return NAN
    milliseconds, zone = clock_milliseconds(match.group(1, 2, 3, 4)), zone_minutes(match.group(5), offset)
    if milliseconds is None or zone is None:
        return NAN
    return (milliseconds + (offset - zone) * 60_000) % DAY_MS / DAY_MS


def format_date(env: Env, value: Value, pattern: Value) -> Value:
    """Write a date by a pattern of %Y %y %m %n %b %d %e %H %h %M %S %3 %a; "" for what is none."""
    moment = to_moment(value, env.now[1])
    if moment is None:
        return ""
    days, rest = divmod(local_milliseconds(moment, env.now[1]), DAY_MS)
    year, month, day = date_text(days).split("-")
    lang = "en" if ENGLISH.search(env.lang) else "es"
    hour, minute, second = rest // 3_600_000, rest // 60_000 % 60, rest // 1000 % 60
    fields = {
        "Y": year,
        "y": year[2:],
        "m": month,
        "n": str(int(month)),
        "b": MONTHS[lang][int(month) - 1],
        "d": day,
        "e": str(int(day)),
        "H": f"{hour:02}",
        "h": str(hour),
        "M": f"{minute:02}",
        "S": f"{second:02}",
        "3": f"{rest % 1000:03}",
        "a": WEEKDAYS[lang][(days + 4) % 7],
    }
    return FORMAT_ESCAPE.sub(lambda mark: fields[mark[1]], to_text(pattern))


# -- true or false


def holds(least: Value, most: Value, total: float) -> bool:
    """Tell whether a checklist's total lies between its bounds; -1 is no bound."""
    low, high = to_number(least), to_number(most)
    return (low == -1 or total >= low) and (high == -1 or total <= high)


def ticks(mark: Value) -> int:
    """Count a mark of a checklist: 1 for a truth, and one for each node of a node-set that counts by its value."""
    if isinstance(mark, list):
        return sum(not isinstance(node, str) or to_boolean(node) for node in mark)
    return int(truth(mark))


def checklist(env: Env, least: Value, most: Value, *marks: Value) -> Value:
    """Count the true ones."""
    return holds(least, most, float(sum(map(ticks, marks))))


def weighted_checklist(env: Env, least: Value, most: Value, *pairs: Value) -> Value:
    """Add the weights of the true ones."""
    total = 0.0
    for mark, weight in zip(pairs[::2], pairs[1::2], strict=False):
        total += to_number(weight) if ticks(mark) else 0.0
    return holds(least, most, total)


def find(text: Value, part: Value) -> tuple[str, str, int]:
    """Return both texts and where the second begins in the first (-1: nowhere)."""
    whole, wanted = to_text(text), to_text(part)
    return whole, wanted, whole.find(wanted)


def substring_before(env: Env, text: Value, part: Value) -> Value:
    """Return what stands before the first `part`."""
    whole, _, at = find(text, part)
    return whole[: max(at, 0)]


def substring_after(env: Env, text: Value, part: Value) -> Value:
    """Return what stands after the first `part`; all of it for an empty one."""
    whole, wanted, at = find(text, part)
    return whole[at + len(wanted) :] if at >= 0 else ""


FUNCTIONS: dict[str, Function] = {
    "true": lambda env: True,
    "false": lambda env: False,
    "not": lambda env, a: not truth(a),
    "boolean": lambda env, a: truth(a),
    "boolean-from-string": lambda env, a: to_text(a) in ("1", "true"),
    "number": number,
    "string": lambda env, a: to_text(a),
    "int": whole(math.trunc),
    "round": round_number,
    "floor": whole(math.floor),
    "ceiling": whole(math.ceil),
    "abs": lambda env, a: abs(to_number(a)),
    "selected": lambda env, a, b: normalize(to_text(b)) in tokens(a),
    "selected-at": selected_at,
    "count-selected": lambda env, a: float(len(tokens(a))) if normalize(to_text(a)) else 0.0,
    "concat": lambda env, *values: "".join(map(to_text, nodes(values))),
    "join": lambda env, glue, *values: to_text(glue).join(map(to_text, nodes(values))),
    "string-length": lambda env, a: float(len(to_text(a))),
    "normalize-space": lambda env, a: normalize(to_text(a)),
    "substr": substr,
    "substring": substring,
    "substring-before": substring_before,
    "substring-after": substring_after,
    "contains": lambda env, a, b: find(a, b)[2] >= 0,
    "starts-with": lambda env, a, b: to_text(a).startswith(to_text(b)),
    "ends-with": lambda env, a, b: to_text(a).endswith(to_text(b)),
    "translate": translate,
    "count": lambda env, a: float(len(a)),
    "sum": add_up,
    "min": extreme(min),
    "max": extreme(max),
    "today": today,
    "now": now,
    "date": to_date,
    "date-time": to_date_time,
    "decimal-date-time": decimal_date_time,
    "decimal-time": decimal_time,
    "format-date": format_date,
    "format-date-time": format_date,
    "random": lambda env: env.random(),
    "uuid": uuid,
    "checklist": checklist,
    "weighted-checklist": weighted_checklist,
    "jr:itext": lambda env, a: env.itext(to_text(a)),
}
