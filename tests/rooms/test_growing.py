"""A room that grows one contribution at a time is the room that the whole set makes, whatever came first."""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.rooms.contributions import Contribution
from collector.rooms.growing import GrowingRoom
from collector.rooms.guide import Guide
from collector.rooms.room import room_of
from collector.rooms.secret import VoteCount, count_votes
from tests.rooms.making import START_MS, Making, made_id, step_of
from tests.rooms.sample import OPTIONS, link_code_of, sample_room

STATEMENTS = (step_of("statements", "s"), step_of("statements", "s", moderation="before"))
SEATS = ("P1", "P2", "P10")
CODES = [link_code_of(random.Random(seed)) for seed in (1, 2)]
WORDS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "undo": [{}],
    "moderate": [{"state": "shown"}, {"state": "hidden"}],
    "seat": [{}, {"segments": {"generacion": "joven"}}, {"segments": {"generacion": "mayor"}}],
    "consent": [{"purposes": {"quote": True}}, {"purposes": {"quote": False, "photo": True}}],
    "step": [{"state": "open"}, {"state": "locked"}, {"state": "revealed"}],
    "presentes": [{"count": 7}, {"count": 40}],
    "close": [{"summary": "Fin", "read_back": True}, {}],
    "photo": [{"file": "pared.jpg"}],
    "hologram": [{"x": 1}],
}
REFS = [made_id(number, START_MS) for number in range(20_000, 20_040)]  # of what never comes


def grown(contributions: Sequence[Contribution], guide: Guide | None = None) -> GrowingRoom:
    room = GrowingRoom((), guide)
    for each in contributions:
        room.add(each)
    return room


def any_room(chance: random.Random) -> list[Contribution]:
    """Return a room with everything of `sample_room`, and what turns a room upside down."""
    made = sample_room(chance.randrange(2**16))
    more = Making()
    more.numbers = itertools.count(10_000)  # ids of their own
    for _ in range(chance.randint(10, 30)):
        # mostly of what can be hidden or taken back
        about = made if chance.random() < 0.2 else [each for each in made if not each.is_secret]
        made.append(upheaval(chance, more, [each.id for each in about] + REFS[:2]))
    return made


def upheaval(chance: random.Random, making: Making, ids: Sequence[str]) -> Contribution:
    """Return a word of the facilitator, a kind nobody knows, or a vote that replaces another, at any moment."""
    at, ref = chance.randint(1, 200), chance.choice(ids)
    what = chance.choice((*WORDS, "session", "vote", "tally", "allocation", "measure"))
    if what == "session":
        return told_again(chance, making, at)
    if what not in WORDS:
        return voted(chance, making, what, at, ref)
    about: dict[str, str] = {"ref": ref} if what in ("undo", "moderate") else {"seat": chance.choice(SEATS)}
    return making.make(what, chance.choice(WORDS[what]), at=at, **about, **({"step": "s"} if what == "step" else {}))


def told_again(chance: random.Random, making: Making, at: int) -> Contribution:
    """Return facts that are told later, with another guide half of the time: votes may fit no more."""
    if chance.random() < 0.5:
        return making.make("session", {"title": f"Sala {at}"}, at=at)
    steps = [chance.choice(STATEMENTS)]
    if chance.random() < 0.5:
        steps.append(step_of("dots", "d", *OPTIONS[: chance.randint(2, 3)], points=chance.randint(1, 6)))
    (session, *_) = making.guided(*steps)
    return making.make("session", session.payload, at=at)


def voted(chance: random.Random, making: Making, what: str, at: int, ref: str) -> Contribution:
    voter, count = f"voter-{chance.randint(0, 14)}", chance.randint(0, 6)
    if what == "tally":
        tally = {choice: chance.randint(0, 3) for choice in ("agree", "disagree", "pass")}
        return making.vote("vote", "paper", {"tally": tally}, step="s", ref=ref, at=at, mode="paper", count=count)
    if what == "allocation":
        payload = {"points": {"agua": chance.randint(0, 9)}}
        return making.vote(what, voter, payload, step="d", at=at, count=count)
    if what == "measure":  # of a code the newest of all ballots counts
        item, value = {"code": chance.choice(CODES), "item": "confianza"}, chance.randint(0, 9)
        said = item | {"value": value, "round": chance.randint(0, 1)}
        return making.vote(what, voter, said, step="m", at=at, count=count)
    choice = chance.choice(("agree", "disagree", "pass"))
    return making.vote("vote", voter, {"choice": choice}, step="s", ref=ref, at=at, count=count)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_room_grown_one_by_one_equals_the_room_made_whole(chance: random.Random) -> None:
    contributions = any_room(chance)
    whole = room_of(contributions)
    chance.shuffle(contributions)
    room = grown(contributions)
    assert room.room() == whole
    assert repr(room.room()) == repr(whole)
    assert set(room.said) == {each.id for each in contributions}


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_at_every_moment_of_its_growth_it_is_the_room_of_what_has_come(chance: random.Random) -> None:
    contributions = any_room(chance)
    chance.shuffle(contributions)
    begun = chance.randrange(len(contributions))
    room = GrowingRoom(contributions[:begun])
    for at in range(begun, min(begun + 12, len(contributions))):
        assert room.room() == room_of(contributions[:at])
        room.add(contributions[at])


def test_a_room_that_was_shown_does_not_change_when_more_is_said() -> None:
    making = Making()
    start = [*making.guided(step_of("statements", "s")), making.make("statement", {"text": "a"}, step="s")]
    room = GrowingRoom(start)
    shown = room.room()
    for each in (
        making.make("statement", {"text": "b"}, step="s", seat="P1"),
        making.vote("vote", "one", {"choice": "agree"}, step="s", ref=start[-1].id),
        making.make("seat", {"segments": {"sector": "publico"}}, seat="P1"),
        making.make("moderate", {"state": "hidden"}, ref=start[-1].id),
    ):
        room.add(each)
    assert shown == room_of(start)
    assert room.room() != shown


def test_a_guide_that_stands_in_does_so_while_a_room_grows() -> None:
    making = Making()
    guide = Guide("g", "1", {"es": "Guía"}, (step_of("dots", "d", "a", "b", points=3),))
    votes = [making.vote("allocation", f"v{points}", {"points": {"a": points}}, step="d") for points in (2, 3, 4)]
    room = grown(votes, guide)
    assert room.room() == room_of(votes, guide)
    assert (room.room().misfits, len(room.room().secret.votes)) == (1, 2)


def test_what_a_ballot_said_stands_in_the_order_of_the_session() -> None:
    making = Making()
    votes = [making.vote("vote", "one", {"choice": "agree"}, step="s", ref=ref) for ref in REFS[:5]]
    other = making.vote("vote", "two", {"choice": "pass"}, step="s", ref=REFS[0])
    note = making.make("note", {"text": "a"})
    for room in (GrowingRoom([note, other, *votes[::-1]]), grown([*votes[::-1], other, note])):
        assert [each.id for each in room.of_ballot("ballot-one")] == [each.id for each in votes]
        assert room.of_ballot("ballot-two") == (other,)
        assert room.of_ballot("") == room.of_ballot("nobody") == ()


def test_a_room_takes_each_id_once_and_nothing_of_another_session() -> None:
    note = Making().make("note", {"text": "a"})
    room = GrowingRoom([note])
    with pytest.raises(ValueError, match="already"):
        room.add(note)
    with pytest.raises(ValueError, match="2 sessions"):
        room.add(Making(session=made_id(7, START_MS)).make("note", {"text": "b"}, at=77))
    assert room.room() == room_of([note])


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_votes_counted_one_by_one_come_to_what_the_rule_says(chance: random.Random) -> None:
    """The rule written down once more, as plainly as can be: the newest of each ballot on each thing."""
    making = Making()
    votes = [voted(chance, making, "vote", chance.randint(1, 200), chance.choice(REFS[:6])) for _ in range(120)]
    newest: dict[tuple[str, str], Contribution] = {}
    for each in sorted(votes, key=lambda vote: (vote.count, vote.at_ms, vote.by, vote.id)):
        newest[each.ballot, each.ref] = each
    count = VoteCount()
    for each in votes:
        count.add(each)
    said = Counter((each.ref, each.payload["choice"]) for each in newest.values())
    assert Counter((vote.ref, vote.payload["choice"]) for vote in count.votes().votes) == said
    assert count.votes().voters == {("vote", "s"): len({each.ballot for each in votes})}
    choices: dict[str, list[str]] = defaultdict(list)
    for (ballot, _), each in newest.items():
        choices[ballot].append(str(each.payload["choice"]))
    lines = sum(len(of_one) >= 5 and len(set(of_one)) == 1 for of_one in choices.values())
    assert count.votes().straight_lines == ({"s": lines} if lines else {})
    assert count.votes() == count_votes(votes)


def test_a_pile_of_papers_counts_as_large_as_it_was_at_its_largest() -> None:
    making = Making()
    piles = [(REFS[0], 3, 1), (REFS[1], 9, 2), (REFS[2], 5, 3), (REFS[1], 4, 4)]  # the second is counted once more
    votes = [
        making.vote("vote", "pile", {"tally": {"agree": size - 1, "disagree": 0, "pass": 1}}, step="s", ref=ref,
                    mode="paper", count=number)
        for ref, size, number in piles
    ]  # fmt: skip
    count = VoteCount()
    for each, people in zip(votes, (3, 9, 9, 5), strict=True):
        count.add(each)
        assert count.votes().voters == {("vote", "s"): people}
    assert sorted(vote.people for vote in count.votes().votes) == [1, 1, 1, 2, 3, 4]
    assert count.votes() == count_votes(votes)
