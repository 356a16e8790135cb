"""Rules for one value of a payload: each takes (key, value), and raises `Refusal` with the value and what to do."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from collector.clock import parse_iso
from collector.rooms.refusals import Refusal, shown

Rule = Callable[[str, object], None]
NAME = re.compile(r"\w[\w.\-]{0,59}")
NAME_LENGTH = 60
UUID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DISTRICT = re.compile(r"(?:[0-9]{2}){1,2}")
TOKEN = re.compile(r"[A-Za-z0-9_\-]{8,64}")
LONG_TEXT = 2000
SHORT_TEXT = 200
MOST_ITEMS = 60


def text(most: int = SHORT_TEXT) -> Rule:
    """A text of 1 to `most` characters that is not blank."""

    def check(key: str, value: object) -> None:
        if not isinstance(value, str) or not value.strip():
            raise Refusal("not_a_text", key=key, value=shown(value))
        if len(value) > most:
            raise Refusal("too_long", key=key, length=len(value), most=most)

    return check


def text_or_blank(most: int = SHORT_TEXT) -> Rule:
    """A text of up to `most` characters: "" takes back what was said before."""
    filled = text(most)

    def check(key: str, value: object) -> None:
        if value != "":
            filled(key, value)

    return check


def name(key: str, value: object) -> None:
    """A code as guides and seats use: letters, digits, hyphens, dots."""
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise Refusal("not_a_name", key=key, value=shown(value), most=NAME_LENGTH)


def token(key: str, value: object) -> None:
    """Random letters of a device or a ballot, 8 to 64."""
    if not isinstance(value, str) or not TOKEN.fullmatch(value):
        raise Refusal("not_a_name", key=key, value=shown(value), most=64)


def uuid(key: str, value: object) -> None:
    """A UUID as records write it."""
    if not isinstance(value, str) or not UUID_FORM.fullmatch(value):
        raise Refusal("not_an_id", key=key, value=shown(value))


def moment(key: str, value: object) -> None:
    """A moment in ISO 8601 with its offset."""
    if not isinstance(value, str) or parse_iso(value) is None:
        raise Refusal("not_a_time", key=key, value=shown(value))


def day(key: str, value: object) -> None:
    """A day as 2026-11-22, and nothing else that Python would read as one."""
    if not isinstance(value, str) or not is_day(value):
        raise Refusal("not_a_date", key=key, value=shown(value))


def district(key: str, value: object) -> None:
    """The code of a province or district: two digits, or four; "" takes it back. A later release may know others."""
    if value != "" and (not isinstance(value, str) or not DISTRICT.fullmatch(value)):
        raise Refusal("not_a_district", key=key, value=shown(value))


def is_day(value: str) -> bool:
    """Tell a day that is in the calendar, written 2026-11-22."""
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def whole(least: int, most: int) -> Rule:
    """A whole number from `least` to `most`; neither yes nor 1.0 is one."""

    def check(key: str, value: object) -> None:
        if type(value) is not int or not least <= value <= most:
            raise Refusal("not_whole", key=key, value=shown(value), least=least, most=most)

    return check


def flag(key: str, value: object) -> None:
    """Yes or no."""
    if type(value) is not bool:
        raise Refusal("not_a_flag", key=key, value=shown(value))


def one_of(*known: str) -> Rule:
    """One of a few words."""

    def check(key: str, value: object) -> None:
        if value not in known:
            raise Refusal("not_one_of", key=key, value=shown(value), known=", ".join(known))

    return check


def list_of(rule: Rule, most: int = MOST_ITEMS, is_unique: bool = False) -> Rule:
    """A list whose items keep `rule`, at most `most`."""

    def check(key: str, value: object) -> None:
        if not isinstance(value, list | tuple):
            raise Refusal("not_a_list", key=key, value=shown(value))
        _check_size(key, value, most)
        for item in value:
            rule(key, item)
        if is_unique:
            _check_unique(key, value)

    return check


def _check_size(key: str, value: "list[object] | tuple[object, ...] | Mapping[str, object]", most: int) -> None:
    if len(value) > most:
        raise Refusal("too_many", key=key, count=len(value), most=most)


def _check_unique(key: str, items: Iterable[object]) -> None:
    seen: list[object] = []
    for item in items:
        if item in seen:
            raise Refusal("twice", key=key, value=shown(item))
        seen.append(item)


def map_of(rule: Rule, most: int = MOST_ITEMS, key_rule: Rule = name) -> Rule:
    """An object from names to values that keep `rule`, at most `most`."""

    def check(key: str, value: object) -> None:
        for inner, item in entries(key, value, most).items():
            key_rule(key, inner)
            rule(f"{key}.{inner}", item)

    return check


def entries(key: str, value: object, most: int = MOST_ITEMS) -> Mapping[str, object]:
    """Return `value` as an object, or refuse it."""
    if not isinstance(value, Mapping):
        raise Refusal("not_an_object", key=key, value=shown(value))
    _check_size(key, value, most)
    return value


def shape(required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    """An object with these keys; others are kept and not looked at, so that a later release may add some."""

    def check(key: str, value: object) -> None:
        found = entries(key, value)
        for inner in required:
            if inner not in found:
                raise Refusal("missing", what=key, key=inner)
        for inner, rule in (*required.items(), *optional.items()):
            if inner in found:
                rule(inner, found[inner])

    return check


def either(key: str, first: Rule, second: Rule) -> Rule:
    """Keep `first` where the object has `key`, else `second`."""

    def check(where: str, value: object) -> None:
        (first if key in entries(where, value) else second)(where, value)

    return check
