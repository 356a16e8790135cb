"""Municipalities as tiles of one size, a block a province or comarca, the blocks beside each other roughly as they lie.

No map: a big empty district would hide a small full one. On a wide page the blocks stand from west to east, what lies
on the Caribbean above (static/css/staff.css: .tile-map); on a phone one after the other, each below its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.territory import Place, provinces

# code of the province or comarca -> how many tiles wide it is; their places stand in staff.css
WIDTHS: Mapping[str, int] = {
    "01": 2, "02": 2, "03": 3, "04": 4, "05": 2, "06": 3, "07": 4, "08": 3, "09": 2, "10": 1, "11": 2, "12": 3,
    "13": 2, "14": 1,
}  # fmt: skip
LEVELS = 5  # of colour
LETTERS = 3


@dataclass(frozen=True)
class Tile:
    """One municipality. column, row: where it stands in its block, from 0; level: 0 for none, 1 to 5 by its count."""

    code: str
    label: str
    short: str
    count: int
    column: int
    row: int
    level: int


@dataclass(frozen=True)
class Block:
    """A province or comarca with a tile for each of its municipalities; wide, tall: in tiles."""

    code: str
    label: str
    wide: int
    tall: int
    tiles: tuple[Tile, ...]


def blocks_of(counts: Mapping[str, int]) -> list[Block]:
    """Return a tile for every municipality, by province. counts: code -> answers; codes of no municipality are not."""
    most = max((count for code, count in counts.items() if code in _codes()), default=0)
    found = []
    for province in provinces():
        places = province.districts or (province.place,)
        wide = WIDTHS.get(province.place.code, 2)
        shorts = _shorts([place.label for place in places])
        tiles = tuple(
            _tile(place, short, counts.get(place.code, 0), most, (at % wide, at // wide))
            for at, (place, short) in enumerate(zip(places, shorts, strict=True))
        )
        found.append(Block(province.place.code, province.place.label, wide, tiles[-1].row + 1, tiles))
    return found


def _codes() -> frozenset[str]:
    return frozenset(place.code for each in provinces() for place in (each.districts or (each.place,)))


def _tile(place: Place, short: str, count: int, most: int, at: tuple[int, int]) -> Tile:
    level = 0 if not count else max(1, -(-count * LEVELS // most))
    return Tile(place.code, place.label, short, count, *at, level)


def _shorts(labels: Sequence[str]) -> list[str]:
    """Return three letters of each name, as far as they differ no two the same in a province.

    The first letters of a name of one word; of more the first of the first and two of the last: San Félix, SFé. Where
    two are the same, the third letter is the first in which their names differ: Boquerón, Boquete: Bor, Bot.
    """
    found = [_short(label) for label in labels]
    return [
        short if found.count(short) == 1 else _apart(label, [each for each in labels if _short(each) == short])
        for label, short in zip(labels, found, strict=True)
    ]


def _short(label: str) -> str:
    words = [word for word in label.partition(" (")[0].split() if word[0].isupper()] or [label]
    return words[0][:LETTERS] if len(words) == 1 else words[0][0] + words[-1][: LETTERS - 1]


def _apart(label: str, same: Sequence[str]) -> str:
    place = next((at for at in range(LETTERS, len(label)) if len({each[at : at + 1] for each in same}) == len(same)), 2)
    return label[:2] + label[place]
