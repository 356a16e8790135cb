"""Whether a room takes what a phone kept while its node was out of reach, and what comes when a step is over. Pure.

As strict as the page: nobody speaks for another seat or ballot, and only what a form of the open step could have given.
What was made in time is not late: a step that was locked meanwhile was open then.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from collector.rooms.accepting import check_accepts
from collector.rooms.contributions import MINUTE_MS, SECRET, Contribution, in_order, parse_contribution
from collector.rooms.fitting import check_fits
from collector.rooms.given import READERS, Said, check_known
from collector.rooms.guide import STEP_TYPES
from collector.rooms.refusals import Refusal, shown
from collector.rooms.room import Room
from collector.rooms.undoing import undone_ids

REFUSED, LATE = "room_refused", "room_late"  # reasons of quarantine
TOLERANCE_MS = 30_000  # a tap while the step is being locked
OVER = ("step_closed", "room_closed")
NEVER_MS = 2**62
History = Callable[[], Iterable[Contribution]]


@dataclass(frozen=True)
class Holder:
    """For whom a phone may speak: a seat, or a ballot, never both. by: the seat's writer, or the ballot itself."""

    by: str
    mode: str
    seat: str = ""
    is_ballot: bool = False
    segments: Mapping[str, str] = field(default_factory=dict)


def reason_against(room: Room, body: Mapping[str, object], holder: Holder, history: History, skew_ms: int = 0) -> str:
    """Return why what a phone kept is put apart: REFUSED, LATE, or "" when the room takes it.

    history: gives the room's contributions, asked only when something comes after its step was over; skew_ms: how far
    the phone's clock is behind.
    """
    if str(body.get("what")) not in READERS:
        return REFUSED
    try:
        said = parse_contribution(body)
        _check_holder(said, holder)
        _check_form(room, said)
    except Refusal:
        return REFUSED
    try:
        check_accepts(room, said)
    except Refusal as refusal:
        if refusal.code not in OVER:
            return REFUSED
        return "" if was_taken_then(history(), said, skew_ms) else LATE
    return ""


def _check_holder(said: Contribution, holder: Holder) -> None:
    """Refuse what speaks for somebody else."""
    told = said.by, said.mode, said.seat, said.is_secret, dict(said.segments)
    if told != (holder.by, holder.mode, holder.seat, holder.is_ballot, dict(holder.segments)):
        raise Refusal("not_one_of", key="by", value=shown(said.by), known="–")


def _check_form(room: Room, said: Contribution) -> None:
    """Refuse what no form of the step gives, and what speaks of things that the room does not hold."""
    step = room.step(said.step)
    if step is None or said.what not in STEP_TYPES[step.type]:
        kind = step.type if step else "–"
        raise Refusal("wrong_step", step=said.step, type=kind, what=said.what)
    check_fits(room.guide, said)
    # hidden or taken back since it was on the screen: the person still saw it
    check_known(Said(said.what, said.payload, said.ref), {item.id for item in (*room.items, *room.undone)})


def was_taken_then(history: Iterable[Contribution], said: Contribution, skew_ms: int = 0) -> bool:
    """Tell whether the room took this kind when it was made, by the word of the phone and the room's own history.

    A vote says only its minute: one of its moments is enough.
    """
    lasts_ms = MINUTE_MS if said.is_secret else 0
    first_ms = said.at_ms + skew_ms - TOLERANCE_MS
    last_ms = said.at_ms + skew_ms + lasts_ms + TOLERANCE_MS
    step = said.step if said.what in SECRET | {"statement"} else ""
    return any(since_ms <= last_ms and first_ms <= until_ms for since_ms, until_ms in open_times(history, step))


def open_times(history: Iterable[Contribution], step: str) -> Iterator[tuple[int, int]]:
    """Give (from, to) in epoch ms for each time that a step was open; of step "" the room itself."""
    ordered = in_order(history)
    undone = undone_ids(ordered)
    since_ms = None if step else 0
    for each in ordered:
        is_of_step = each.what == "step" and bool(step) and each.step == step
        if each.id in undone or not (is_of_step or each.what == "close"):
            continue
        is_open = is_of_step and each.payload["state"] == "open"
        if is_open and since_ms is None:
            since_ms = each.at_ms
        elif not is_open and since_ms is not None:
            yield since_ms, each.at_ms
            since_ms = None
    if since_ms is not None:
        yield since_ms, NEVER_MS
