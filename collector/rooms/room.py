"""A room as its contributions make it: facts, seats, steps, what was said, and the votes without their ballots.

`room_of` is a pure function of a set: any order of arrival and any repetition give the same Room. Facts are settled
field by field, the latest wins; an undo takes back what it names, and an undo of an undo brings it back.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from collector.rooms.contributions import Contribution, in_order
from collector.rooms.fitting import fits
from collector.rooms.guide import Guide, Segment, Step, segments_from_json, steps_from_json
from collector.rooms.payloads import FACILITATOR, SECRET, SHAPES
from collector.rooms.secret import SecretVotes, count_votes
from collector.rooms.undoing import undone_ids

StepState = Literal["hidden", "open", "locked", "revealed"]
ItemState = Literal["shown", "hidden", "waiting"]
GROUP = ""  # the consent of the group stands under no seat


@dataclass(frozen=True)
class Facts:
    """What the facilitator said of the session; "" and 0 for what was not said."""

    title: str = ""
    place: str = ""
    district: str = ""  # code of collector/territory.py
    date: str = ""
    guide: str = ""
    guide_version: str = ""
    round: int = 0
    kind: str = ""
    convened_by: str = ""
    stage: str = ""
    demo: bool = False


@dataclass(frozen=True)
class Seat:
    """An anonymous participant. is_declared: the facilitator made it; else it is only known because it spoke."""

    code: str
    segments: Mapping[str, str] = field(default_factory=dict)
    is_declared: bool = True


@dataclass(frozen=True)
class Consent:
    """What a seat, or the group (seat ""), agreed to. Purposes said later replace those said before, one by one."""

    seat: str
    purposes: Mapping[str, bool]
    notice_version: str = ""
    how: str = ""
    finished: str = ""


@dataclass(frozen=True)
class StepRun:
    """How a step stands. until: when its timer ends, ISO 8601, "" for none; at_ms: when it was set last, 0 never."""

    state: StepState = "hidden"
    until: str = ""
    at_ms: int = 0


NEVER_SET = StepRun()


@dataclass(frozen=True)
class Closing:
    """How the session was closed. is_read_back: the minutes were read to the group."""

    summary: str
    is_read_back: bool
    finished: str


@dataclass(frozen=True)
class Item:
    """Something said in the open. state: shown; hidden by moderation; or waiting for it.

    It may name a seat; no vote does. payload: as docs/rooms.md lists it for its kind.
    """

    id: str
    what: str
    finished: str
    at_ms: int
    seat: str
    step: str
    ref: str
    mode: str
    by: str
    payload: Mapping[str, Any]
    state: ItemState = "shown"

    def said(self, key: str) -> str:
        """Return a text of the payload, "" where it is not there."""
        value = self.payload.get(key)
        return value if isinstance(value, str) else ""

    @property
    def text(self) -> str:
        """Return what was said."""
        return self.said("text")


@dataclass(frozen=True)
class Room:
    """A room. items: in the order of the session, also hidden ones; undone: taken back, so that it can be brought back.

    guide: the steps that travel with the session (or those given to `room_of`), None without; present: people counted
    in the room, 0 where nobody counted; misfits: votes that the guide does not allow, not counted; unknown: how many
    are of a kind that only a later release knows, ignored.
    """

    session: str
    facts: Facts
    guide: Guide | None
    segments: tuple[Segment, ...]
    present: int
    closing: Closing | None
    seats: Mapping[str, Seat]
    consents: Mapping[str, Consent]
    runs: Mapping[str, StepRun]
    items: tuple[Item, ...]
    undone: tuple[Item, ...]
    secret: SecretVotes
    misfits: int
    unknown: int

    @property
    def is_closed(self) -> bool:
        """Say whether the session was closed, and that was not undone."""
        return self.closing is not None

    def of(self, what: str, step: str | None = None, *, with_hidden: bool = False) -> tuple[Item, ...]:
        """Return the items of a kind (of a step, if given) in order; those not shown only on request."""
        return tuple(
            item
            for item in self._of_kind.get(what, ())
            if step in (None, item.step) and (with_hidden or item.state == "shown")
        )

    @cached_property
    def _of_kind(self) -> Mapping[str, Sequence[Item]]:
        """A page asks for items of a dozen kinds: the room is looked through once."""
        found: dict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            found[item.what].append(item)
        return dict(found)

    def run(self, step: str) -> StepRun:
        """Return how a step stands: hidden until somebody opens it."""
        return self.runs.get(step, NEVER_SET)

    def step(self, name: str) -> Step | None:
        """Return the guide's step `name`, None where it or the guide is not known."""
        return self.guide.step(name) if self.guide else None

    def known_step(self, name: str) -> Step:
        """Return the guide's step `name`. Raises KeyError where it or the guide is not known."""
        step = self.step(name)
        if step is None:
            raise KeyError(name)
        return step

    def voters(self, what: str, step: str) -> int:
        """Return how many people gave a vote of this kind in a step: that is told while the votes are blind."""
        return self.secret.voters.get((what, step), 0)

    def segment(self, name: str) -> Segment | None:
        """Return the declared segment `name`, None where nobody declared it."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def allows(self, seat: str, purpose: str) -> bool:
        """Say whether a seat agreed to a purpose: what it said itself counts, else what the group said, else no."""
        own = self.consents.get(seat)
        if own is not None and purpose in own.purposes:
            return own.purposes[purpose]
        group = self.consents.get(GROUP)
        return group is not None and group.purposes.get(purpose, False)


@dataclass(frozen=True)
class Led:
    """What the words of the facilitator come to, and those of people who take a seat.

    declared: seat -> segments; named: seats that a word names beside its own declaration; moderated: id -> state;
    undone: the ids of what was taken back.
    """

    facts: Facts
    guide: Guide | None
    segments: tuple[Segment, ...]
    present: int
    closing: Closing | None
    declared: Mapping[str, Mapping[str, str]]
    named: frozenset[str]
    consents: Mapping[str, Consent]
    runs: Mapping[str, StepRun]
    moderated: Mapping[str, ItemState]
    undone: frozenset[str]


def room_of(contributions: Iterable[Contribution], guide: Guide | None = None) -> Room:
    """Return the room that `contributions` make. `guide` stands in where the session carries no steps.

    Raises ValueError when they are of several sessions. Cost: about 20 µs a contribution; a room that grows by one at
    a time costs less (growing.py).
    """
    ordered = in_order(contributions)
    session = one_session(ordered)
    led = led_by([each for each in ordered if each.what in FACILITATOR], guide)
    said = [each for each in ordered if each.what not in FACILITATOR | SECRET]
    items = [item_of(each, led) for each in said if each.what in SHAPES]
    strange = [each for each in said if each.what not in SHAPES]
    votes = [each for each in ordered if each.is_secret]
    fitting = [vote for vote in votes if fits(led.guide, vote)]
    return made_room(session, led, items, strange, count_votes(fitting), len(votes) - len(fitting))


def made_room(
    session: str,
    led: Led,
    items: Collection[Item],
    strange: Collection[Contribution],
    secret: SecretVotes,
    misfits: int,
) -> Room:
    """Put a room together from its parts. items: in order, also what is undone; strange: of kinds not known here."""
    undone = led.undone
    said: list[Item | Contribution] = [*items, *strange]
    spoke = {each.seat for each in said if each.seat and each.id not in undone}
    return Room(
        session=session,
        facts=led.facts,
        guide=led.guide,
        segments=led.segments,
        present=led.present,
        closing=led.closing,
        seats=_seats(led.declared, led.named | spoke),
        consents=led.consents,
        runs=led.runs,
        items=tuple(item for item in items if item.id not in undone),
        undone=tuple(item for item in items if item.id in undone),
        secret=secret,
        misfits=misfits,
        unknown=len(strange),
    )


def one_session(contributions: Iterable[Contribution]) -> str:
    """Return the session of `contributions`, "" of none. Raises ValueError when they are of several."""
    sessions = {each.session for each in contributions}
    if len(sessions) > 1:
        raise ValueError(f"Contributions of {len(sessions)} sessions: give those of one.")
    return next(iter(sessions), "")


def led_by(words: Sequence[Contribution], given: Guide | None) -> Led:
    """Return what contributions of the kinds of FACILITATOR come to, given in order. given: a guide to stand in."""
    undone = undone_ids(words)
    standing = [each for each in words if each.id not in undone]
    told = _latest(standing, "session")
    guide = _guide(told, given)
    return Led(
        facts=_facts(told),
        guide=guide,
        segments=segments_from_json(told["segments"]) if "segments" in told else guide.segments if guide else (),
        present=int(_latest(standing, "presentes").get("count", 0)),
        closing=_closing(standing),
        declared=_declared(standing),
        named=frozenset(each.seat for each in standing if each.seat and each.what != "seat"),
        consents=_consents(standing),
        runs=_runs(standing),
        moderated=_moderated(standing),
        undone=undone,
    )


def _latest(standing: Iterable[Contribution], what: str) -> dict[str, Any]:
    """Return the fields of a kind, each as it was said last."""
    told: dict[str, Any] = {}
    for each in standing:
        if each.what == what:
            told.update(each.payload)
    return told


def _facts(told: Mapping[str, Any]) -> Facts:
    return Facts(**{key: told[key] for key in Facts.__dataclass_fields__ if key in told})


def _guide(told: Mapping[str, Any], given: Guide | None) -> Guide | None:
    if "steps" not in told:
        return given
    title = {"es": str(told.get("title", ""))}
    return Guide(str(told.get("guide", "")), str(told.get("guide_version", "")), title, steps_from_json(told["steps"]))


def _closing(standing: Iterable[Contribution]) -> Closing | None:
    closings = [each for each in standing if each.what == "close"]
    if not closings:
        return None
    told = _latest(closings, "close")
    return Closing(str(told.get("summary", "")), bool(told.get("read_back", False)), closings[-1].finished)


def _declared(standing: Iterable[Contribution]) -> dict[str, dict[str, str]]:
    """Return the segments of every declared seat, each as it was said last."""
    declared: dict[str, dict[str, str]] = {}
    for each in standing:
        if each.what == "seat":
            told: Mapping[str, Any] = each.payload
            declared.setdefault(each.seat, {}).update(told.get("segments", {}))
    return declared


def _seats(declared: Mapping[str, Mapping[str, str]], spoke: Collection[str]) -> dict[str, Seat]:
    """Return every seat by its code, in the order of codes ("P2" before "P10"), those that only spoke too."""
    codes = sorted({*declared, *spoke}, key=seat_order)
    return {code: Seat(code, declared.get(code, {}), code in declared) for code in codes}


def seat_order(code: str) -> tuple[str, int, str]:
    """Return what seats are sorted by: their letters, then their number as a number."""
    letters = code.rstrip("0123456789")
    return letters, int(code[len(letters) :] or 0), code


def _consents(standing: Iterable[Contribution]) -> dict[str, Consent]:
    found: dict[str, Consent] = {}
    for each in standing:
        if each.what == "consent":
            before = found[each.seat].purposes if each.seat in found else {}
            told: Mapping[str, Any] = each.payload
            found[each.seat] = Consent(
                each.seat,
                {**before, **told["purposes"]},
                str(told.get("notice_version", "")),
                str(told.get("how", "")),
                each.finished,
            )
    return dict(sorted(found.items()))


def _runs(standing: Iterable[Contribution]) -> dict[str, StepRun]:
    """Return how each step stands; opening it again without a time ends its timer."""
    runs: dict[str, StepRun] = {}
    for each in standing:
        if each.what == "step":
            state: Any = each.payload["state"]
            runs[each.step] = StepRun(state, str(each.payload.get("until", "")), each.at_ms)
    return dict(sorted(runs.items()))


def _moderated(standing: Iterable[Contribution]) -> dict[str, ItemState]:
    """Return the state that moderation gave last to what it names."""
    moderated: dict[str, ItemState] = {}
    for each in standing:
        if each.what == "moderate":
            state: Any = each.payload["state"]
            moderated[each.ref] = state
    return moderated


def item_of(each: Contribution, led: Led) -> Item:
    """Return something said in the open as it stands after the words of the facilitator."""
    step = led.guide.step(each.step) if led.guide else None
    waits = each.what == "statement" and step is not None and step.is_moderated_before
    state = led.moderated.get(each.id, "waiting" if waits else "shown")
    return Item(
        each.id, each.what, each.finished, each.at_ms, each.seat, each.step, each.ref, each.mode, each.by, each.payload,
        state,
    )  # fmt: skip
