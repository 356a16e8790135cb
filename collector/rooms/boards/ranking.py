"""Options put in order by each person: the mean place of each, and how often it came first."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.rooms.boards.veil import Veil, people_in, veil_of
from collector.rooms.formulas import Mean, Share, mean_with_interval, share_of
from collector.rooms.guide import Option
from collector.rooms.room import Room
from collector.rooms.secret import CountedVote


@dataclass(frozen=True)
class RankedRow:
    """An option. place: mean place by those who placed it, 1 is first, None where nobody did; first: who put it so."""

    option: Option
    place: Mean | None
    first: Share


@dataclass(frozen=True)
class RankingBoard:
    """The options, best mean place first; none while the veil is down."""

    step: str
    veil: Veil
    options: tuple[Option, ...]
    rows: tuple[RankedRow, ...]


def ranking_board(room: Room, step_name: str) -> RankingBoard:
    """Return the board of a rank step. Raises KeyError for a step that the guide has not."""
    step = room.known_step(step_name)
    veil = veil_of(room, "rank", step_name)
    votes = room.secret.of("rank", step_name) if veil.is_shown else ()
    rows = [_row(option, votes) for option in step.options] if votes else []
    rows.sort(key=lambda row: (row.place is None, row.place.mean if row.place else 0.0))
    return RankingBoard(step_name, veil, step.options, tuple(rows))


def _row(option: Option, votes: Sequence[CountedVote]) -> RankedRow:
    places = [order.index(option.name) + 1 for order in map(_order, votes) if option.name in order]
    people = people_in(votes)
    return RankedRow(option, mean_with_interval(places) if places else None, share_of(places.count(1), people, people))


def _order(vote: CountedVote) -> list[str]:
    order = vote.payload["order"]
    return [str(name) for name in order] if isinstance(order, Sequence) else []
