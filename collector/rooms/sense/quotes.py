"""Which words may be quoted under a theme, and what may be said of who said them (privacy requirements P03 and P20)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from collector.rooms.sense.pieces import Piece
from collector.rooms.sense.screening import is_personal
from collector.rooms.sense.suppression import K_PARTNERS


@dataclass(frozen=True)
class Quote:
    """Words as they were said. place, segments: what enough people behind the theme share. No seat, no time."""

    text: str
    document: str
    place: str
    segments: Mapping[str, str] = field(default_factory=dict)


def quotes(pieces: Iterable[Piece], k: int = K_PARTNERS, most: int = 0) -> list[Quote]:
    """Return the quotes of a group of pieces (those of a theme, a question or a cell), in the order they were said.

    Only with consent to quote, and never words with what looks like a telephone, an address, an identity card or a
    name (screening.py): those wait until somebody has looked. Where fewer than k people stand behind the group, one
    quote of each at most: two of the same seat would let the room guess who it is. Place and segments stand beside a
    quote as far as k people or more of the group share them all. most: 0 for all; else everybody's first come first.
    """
    group = sorted({piece.target: piece for piece in pieces}.values(), key=lambda piece: piece.order)
    is_small = len({piece.person for piece in group}) < k
    allowed = [piece for piece in group if piece.may_quote and piece.text.strip() and not is_personal(piece.text)]
    turns = _in_turns(allowed)
    chosen = [piece for turn, piece in turns if turn == 0] if is_small else [piece for _, piece in turns]
    shown = sorted(chosen[:most] if most else chosen, key=lambda piece: piece.order)
    return [_quote(piece, group, k) for piece in shown]


def _in_turns(pieces: list[Piece]) -> list[tuple[int, Piece]]:
    """Return everybody's first piece, then everybody's second: so that few quotes are not all of one person."""
    said: dict[str, int] = {}
    turns = []
    for piece in pieces:
        turns.append((said.get(piece.person, 0), piece))
        said[piece.person] = said.get(piece.person, 0) + 1
    return sorted(turns, key=lambda turn: (turn[0], turn[1].order))


def _quote(piece: Piece, group: list[Piece], k: int) -> Quote:
    """Return the words with as much of who said them as k people of the group share, all of it together."""
    segments: dict[str, str] = {}
    same_place = _alike(group, k, lambda other: other.place == piece.place)
    alike = same_place or group
    for key, value in sorted(piece.segments.items()):
        closer = _alike(alike, k, partial(_has_segment, key, value))
        if closer:
            alike, segments[key] = closer, value
    return Quote(piece.text.strip(), piece.document, piece.place if same_place else "", segments)


def _alike(group: list[Piece], k: int, is_alike: Callable[[Piece], bool]) -> list[Piece]:
    """Return the pieces that are alike where k people or more stand behind them, else none."""
    found = [piece for piece in group if is_alike(piece)]
    return found if len({piece.person for piece in found}) >= k else []


def _has_segment(key: str, value: str, piece: Piece) -> bool:
    return piece.segments.get(key) == value
