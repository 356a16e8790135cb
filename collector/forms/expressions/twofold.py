"""Whether a pattern has two ways round a loop that read the same text: then n rounds have 2^n ways (automaton.py)."""

import re
from collections.abc import Iterable, Mapping
from itertools import product

from collector.forms.expressions.automaton import Automaton, takes

# One of each kind that patterns distinguish, besides the characters that the pattern itself names.
SAMPLES = "".join(map(chr, range(32, 127))) + "\t\n\r\u00a0éñ漢🥰"
HEX = re.compile(r"\\(?:x|u)([0-9A-Fa-f]{2,4})")
MAX_LOOP = 300  # a loop of more places is taken for one with two ways: comparing them all would take too long
Graph = Mapping[int, set[int]]


def is_twofold(made: Automaton) -> bool:
    """Tell whether some text leads round a loop in two ways."""
    if any(is_twofold(inner) for inner in made.inner.values()):
        return True
    ways = {place: ways_on(made, after) for place, (_, after) in made.steps.items()}
    graph = {place: set(found) for place, found in ways.items()}
    for loop in loops(graph):
        if any(ways[place].get(other, 0) > 1 for place in loop for other in loop):
            return True
        if has_twins(loop, graph, made):
            return True
    return False


def ways_on(made: Automaton, place: int) -> dict[int, int]:
    """Count the ways (2 for more than one) from a place to those that take a character next."""
    found: dict[int, int] = {}
    visits: dict[int, int] = {}
    todo = [place]
    while todo:
        here = todo.pop()
        visits[here] = visits.get(here, 0) + 1
        if visits[here] > 2:
            continue
        if here in made.steps:
            found[here] = min(2, found.get(here, 0) + 1)
        todo.extend(there for _, there in made.free.get(here, ()))
    return found


def reachable(start: Iterable[int], graph: Graph) -> set[int]:
    """Return all that `start` leads to."""
    reached: set[int] = set()
    todo = list(start)
    while todo:
        for other in graph.get(todo.pop(), set()) - reached:
            reached.add(other)
            todo.append(other)
    return reached


def loops(graph: Graph) -> list[frozenset[int]]:
    """List the loops: places that all lead to each other."""
    ahead = {place: reachable([place], graph) for place in graph}
    return list({frozenset(b for b in ahead[a] if a in ahead[b]) for a in graph if a in ahead[a]})


def has_twins(loop: frozenset[int], graph: Graph, made: Automaton) -> bool:
    """Tell whether two different ways, started at one place, can meet again having read the same text."""
    if len(loop) > MAX_LOOP:
        return True
    known = characters_read({made.steps[place][0] for place in loop})
    read = {place: known[made.steps[place][0]] for place in loop}
    forward: dict[tuple[int, int], set[tuple[int, int]]] = {}
    todo = [(place, place) for place in loop]
    while todo:
        pair = todo.pop()
        if pair in forward:
            continue
        pairs = product(graph[pair[0]] & loop, graph[pair[1]] & loop)
        forward[pair] = {other for other in pairs if read[other[0]] & read[other[1]]}
        todo.extend(forward[pair])
    return meets_again(forward)


def characters_read(atoms: set[str]) -> dict[str, set[str]]:
    """Return, of a sample of characters, those that each atom takes."""
    text = "".join(atoms)
    named = {chr(int(code, 16)) for code in HEX.findall(text)}
    sample = set(SAMPLES) | set(text) | named
    return {atom: {each for each in sample if takes(atom, each)} for atom in atoms}


def meets_again(forward: dict[tuple[int, int], set[tuple[int, int]]]) -> bool:
    """Tell whether a pair of different places leads back to a pair of the same one."""
    backward: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for pair, others in forward.items():
        for other in others:
            backward.setdefault(other, []).append(pair)
    todo = [pair for pair in forward if pair[0] == pair[1]]
    seen = set(todo)
    while todo:
        for pair in backward.get(todo.pop(), ()):
            if pair[0] != pair[1]:
                return True
            if pair not in seen:
                seen.add(pair)
                todo.append(pair)
    return False
