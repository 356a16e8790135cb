"""What each kind of contribution says: its payload, and which keys of the envelope it needs.

    facilitator   session seat consent step moderate undo close presentes guide
    secret        vote allocation rank triad dyad measure        a ballot instead of a seat
    everybody     note statement reaction score placement iceberg link expectation resource commitment objection
                  agreement selection photo minute code coding

A kind that is not here is kept and ignored: a later release may know it.
"""

from collections.abc import Mapping

from collector.rooms.guide import steps_from_json
from collector.rooms.link_codes import link_code
from collector.rooms.refusals import Refusal
from collector.rooms.rules import (
    LONG_TEXT,
    MOST_ITEMS,
    Rule,
    day,
    district,
    either,
    entries,
    flag,
    list_of,
    map_of,
    moment,
    name,
    one_of,
    shape,
    text,
    text_or_blank,
    uuid,
    whole,
)

FACILITATOR = frozenset({"session", "seat", "consent", "step", "moderate", "undo", "close", "presentes", "guide"})
SECRET = frozenset({"vote", "allocation", "rank", "triad", "dyad", "measure"})
CHOICES = ("agree", "disagree", "pass")
LEVELS = ("event", "pattern", "structure", "model")
RELATIONS = ("causes", "reinforces", "evidence")
RESOURCES = ("material", "human", "symbolic")
STEP_STATES = ("open", "locked", "revealed", "hidden")
STAGES = ("define", "decide", "implement", "evaluate")
MODES = ("phone", "pass", "paper")
MOST_PEOPLE = 5000
MOST_POINTS = 1000
MOST_SOURCE = 200_000  # letters of base64: a spreadsheet of 150 kB
ANY_WHOLE = whole(-1_000_000, 1_000_000)
LABEL = text()


def label(key: str, value: object) -> None:
    """A text people read: one text, or one for each language."""
    (map_of(LABEL) if isinstance(value, Mapping) else LABEL)(key, value)


def _sums_to_hundred(key: str, value: object) -> None:
    shape({part: whole(0, 100) for part in "abc"}, {})(key, value)
    parts = entries(key, value)
    total = sum(int(str(parts[part])) for part in "abc")
    if total != 100:
        raise Refusal("not_a_hundred", value=total)


def _always_true(key: str, value: object) -> None:
    if value is not True:
        raise Refusal("not_one_of", key=key, value=value, known="true")


def _any(_key: str, _value: object) -> None:
    """Anything: what settings may say is for the guide to check."""


SEGMENT = shape({"label": label, "values": map_of(label)}, {"place": whole(0, 99), "order": list_of(name)})
OPTION = shape({"name": name, "label": label}, {"weight": whole(0, 100)})
GUIDE_STEP = shape(
    {"type": name, "name": name, "label": label}, {"hint": label, "options": list_of(OPTION), "settings": map_of(_any)}
)


def _guide_steps(key: str, value: object) -> None:
    list_of(GUIDE_STEP)(key, value)
    steps_from_json([entries(key, step) for step in value] if isinstance(value, list | tuple) else [])


SESSION = shape(
    {},
    {
        "title": text(), "place": text_or_blank(), "district": district, "date": day, "guide": name,
        "guide_version": text(40), "round": whole(0, 99), "kind": name, "convened_by": text_or_blank(),
        "stage": one_of(*STAGES), "demo": flag, "segments": map_of(SEGMENT, 12), "steps": _guide_steps,
    },
)  # fmt: skip
TALLY = shape({"tally": shape({choice: whole(0, MOST_PEOPLE) for choice in CHOICES}, {})}, {})
NOTE = shape(
    {"text": text(LONG_TEXT)},
    {"question": text(), "theme": text(80), "quote": flag, "form": one_of("verbatim", "paraphrase")},
)
COMMITMENT = shape({"actor": text(), "text": text(LONG_TEXT)}, {"sector": text(80), "position": name, "by_when": day})
AGREEMENT = shape({"what": text(LONG_TEXT), "who": text()}, {"with_what": text(), "by_when": day, "review": day})
CONSENT = shape(
    {"purposes": map_of(flag, 20)}, {"notice_version": text(40), "how": name, "group": flag, "guardian": flag}
)
NOT_APPLICABLE = shape({"na": _always_true}, {})

# a guide of one's own, in the library of guides (collector/room_guides.py), with the file it was read from
GUIDE = shape(
    {"guide": name, "guide_version": text(40), "title": label, "steps": _guide_steps, "segments": map_of(SEGMENT, 12)},
    {"source_name": text(), "source": text(MOST_SOURCE)},
)

SHAPES: Mapping[str, Rule] = {
    "session": SESSION,
    "guide": GUIDE,
    "seat": shape({}, {"segments": map_of(name, 12)}),
    "consent": CONSENT,
    "step": shape({"state": one_of(*STEP_STATES)}, {"until": moment}),
    "moderate": shape({"state": one_of("shown", "hidden")}, {}),
    "undo": shape({}, {}),
    "close": shape({}, {"summary": text_or_blank(LONG_TEXT * 5), "read_back": flag}),
    "presentes": shape({"count": whole(0, MOST_PEOPLE)}, {}),
    "vote": either("tally", TALLY, shape({"choice": one_of(*CHOICES)}, {})),
    "allocation": shape({"points": map_of(whole(0, MOST_POINTS * MOST_PEOPLE))}, {"people": whole(1, MOST_PEOPLE)}),
    "rank": shape({"order": list_of(name, MOST_ITEMS, is_unique=True)}, {}),
    "triad": either("na", NOT_APPLICABLE, _sums_to_hundred),
    "dyad": either("na", NOT_APPLICABLE, shape({"value": whole(0, 100)}, {})),
    "measure": shape({"code": link_code, "item": name, "value": ANY_WHOLE, "round": whole(0, 99)}, {}),
    "note": NOTE,
    "statement": shape({"text": text(280)}, {}),
    "reaction": shape({"reaction": name}, {"actor": text()}),
    "score": either(
        "conflict",
        shape({"target": name, "conflict": _always_true}, {}),
        shape({"target": name, "criteria": map_of(whole(0, 100))}, {"reason": text(LONG_TEXT)}),
    ),
    "placement": shape({"group": text_or_blank(80)}, {}),
    "iceberg": shape({"text": text(LONG_TEXT), "level": one_of(*LEVELS)}, {}),
    "link": shape({"to": uuid, "relation": one_of(*RELATIONS)}, {}),
    "expectation": shape({"actor": text(), "text": text(LONG_TEXT)}, {"sector": text(80)}),
    "resource": shape(
        {"actor": text(), "kind": one_of(*RESOURCES), "text": text(LONG_TEXT)}, {"sector": text(80), "position": name}
    ),
    "commitment": COMMITMENT,
    "objection": shape({"position": name, "reason": text(LONG_TEXT)}, {}),
    "agreement": AGREEMENT,
    "selection": shape({"level": text(80), "reason": text(LONG_TEXT)}, {}),
    "photo": shape({"file": text()}, {"text": text(LONG_TEXT)}),
    "minute": shape({"text": text(LONG_TEXT * 5)}, {}),
    "code": shape(
        {"path": text()},
        {"label": label, "dimension": text(80), "description": text_or_blank(LONG_TEXT), "becomes": text()},
    ),
    "coding": shape({"target": text(), "path": text(), "coder": text(80)}, {"on": flag}),
}

# keys of the envelope without which a kind says nothing
NEEDS: Mapping[str, tuple[str, ...]] = {
    "seat": ("seat",),
    "step": ("step",),
    "moderate": ("ref",),
    "undo": ("ref",),
    "vote": ("step", "ref"),
    "allocation": ("step",),
    "rank": ("step",),
    "triad": ("step",),
    "dyad": ("step",),
    "measure": ("step",),
    "score": ("step",),
    "reaction": ("ref",),
    "placement": ("ref",),
    "link": ("ref",),
    "selection": ("ref",),
}
PAPER_KEYS = ("tally", "people")


def check_payload(what: str, mode: str, payload: Mapping[str, object]) -> None:
    """Raise Refusal where the payload of a known kind does not say what it must."""
    SHAPES[what](what, payload)
    for key in PAPER_KEYS:
        if what in SECRET and key in payload and mode != "paper":
            raise Refusal("paper_only", key=key)
