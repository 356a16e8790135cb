"""Which contributions are undone. An undo is a contribution too, so it can be undone itself.

Votes cannot be undone by anybody, and `room_of` does not ask: only their own ballot replaces them. An undo that names
one would tie whoever sent it to the ballot, and a facilitator could take votes away.
"""

from collections import defaultdict
from collections.abc import Sequence

from collector.rooms.contributions import Contribution


def undone_ids(contributions: Sequence[Contribution]) -> frozenset[str]:
    """Return the ids of what is undone, whatever the clocks of those who undid it said.

    An undo holds when every undo of it is itself undone; so a chain is settled from its end. Undos that name each
    other in a ring (only bad faith makes them) settle nothing: none of them holds.
    """
    undos = {each.id: each.ref for each in contributions if each.what == "undo"}
    against: dict[str, list[str]] = defaultdict(list)
    for undo, target in undos.items():
        against[target].append(undo)
    holds = _settled(undos, against)
    return frozenset(undos[undo] for undo in undos if holds.get(undo, False))


def _settled(undos: dict[str, str], against: dict[str, list[str]]) -> dict[str, bool]:
    """Return for each undo that can be settled whether it holds, from the ends of the chains inwards."""
    holds: dict[str, bool] = {}
    waiting = {undo: len(against.get(undo, ())) for undo in undos}
    ready = [undo for undo, count in waiting.items() if count == 0]
    while ready:
        undo = ready.pop()
        holds[undo] = not any(holds[other] for other in against.get(undo, ()))
        target = undos[undo]
        if target in waiting:
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return holds
