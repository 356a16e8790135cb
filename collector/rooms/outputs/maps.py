"""Maps of nodes and arrows: the iceberg with its causes, and who brings what to which position. And their Kumu JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from collector.rooms.boards.iceberg import iceberg_board
from collector.rooms.guide import text_in
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.room import Item, Room
from collector.rooms.sense.pieces import repeatable

LEVEL_NAMES = {"event": "Evento", "pattern": "Patrón", "structure": "Estructura", "model": "Modelo mental"}
RELATION_NAMES = {"causes": "causa", "reinforces": "refuerza", "evidence": "se apoya en"}
RESOURCE_NAMES = {"material": "recurso material", "human": "recurso humano", "symbolic": "recurso simbólico"}
EVIDENCE = "Evidencia"
ACTOR, POSITION = "Actor", "Posición"
COMMITMENT = "compromiso"
LABEL_LENGTH = 120  # of a node: what is longer stands whole in its description


@dataclass(frozen=True)
class Node:
    """A node. key: its own within the map; kind, label: as people read them; sector: of an actor."""

    key: str
    label: str
    kind: str
    description: str = ""
    sector: str = ""


@dataclass(frozen=True)
class Edge:
    """An arrow between two nodes of the map, by their keys. relation: a word of ours; label: as people read it."""

    start: str
    end: str
    relation: str
    label: str
    description: str = ""


@dataclass(frozen=True)
class Map:
    """A map. key: of its session and kind; nodes: in the order they were said, kind by kind; edges: the same."""

    key: str
    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def iceberg_map(room: Room, step: str, tongue: Tongue = SPANISH) -> Map:
    """Return the iceberg of a step: its items from events down to mental models, their links, and what they rest on.

    Evidence is a node when its text is in this room and shown; a record of elsewhere is only counted by the board.
    """
    board = iceberg_board(room, step)
    shown = {item.id: item for item in room.items if item.state == "shown" and item.text}
    rests = [(item.id, record) for item in board.items for record in item.evidence if record in shown]
    evidence = [shown[record] for record in dict.fromkeys(record for _, record in rests)]
    nodes = [_node(item.id, item.text, tongue(LEVEL_NAMES[item.level])) for item in board.items]
    known = {node.key for node in nodes}
    nodes += [_evidence(room, item, tongue) for item in evidence if item.id not in known]
    links = [(link.start, link.end, link.relation) for link in board.links]
    links += [(item, record, "evidence") for item, record in rests]
    edges = [Edge(start, end, relation, tongue(RELATION_NAMES[relation])) for start, end, relation in links]
    return Map(f"{room.session}/{step}", room.facts.title, tuple(nodes), tuple(edges))


def _evidence(room: Room, item: Item, tongue: Tongue) -> Node:
    """Return the node of a record; one whose words may not be repeated is named by its number in the room."""
    text = repeatable(room, item)
    number = 1 + [each.id for each in room.of(item.what, with_hidden=True)].index(item.id)
    return _node(item.id, text or tongue("Nota {n}", n=number), tongue(EVIDENCE))


def _node(key: str, text: str, kind: str) -> Node:
    words = " ".join(text.split())
    short = words if len(words) <= LABEL_LENGTH else words[: LABEL_LENGTH - 1] + "…"
    return Node(key, short, kind, "" if short == words else words)


def actor_map(room: Room, tongue: Tongue = SPANISH) -> Map:
    """Return who brings what where: actors, the positions they offer to, their resources and dated commitments.

    Actors are organisations (privacy requirement P35); one that says only what it expects stands alone.
    """
    said = [item for item in room.items if item.what in ("expectation", "resource", "commitment")]
    shown = [item for item in said if item.state == "shown"]
    actors: dict[str, Node] = {}
    for item in shown:
        name = " ".join(item.said("actor").split())
        key = f"actor:{name.casefold()}"
        sector = item.said("sector") or (actors[key].sector if key in actors else "")
        actors[key] = Node(key, actors[key].label if key in actors else name, tongue(ACTOR), "", sector)
    names = _position_names(room, tongue)
    aimed = [item for item in shown if item.said("position")]
    positions = {
        f"position:{item.said('position')}": names.get(item.said("position"), item.said("position")) for item in aimed
    }
    nodes = [*actors.values(), *(Node(key, positions[key], tongue(POSITION)) for key in sorted(positions))]
    edges = dict.fromkeys(_offer(item, tongue) for item in aimed if item.what != "expectation")
    return Map(f"{room.session}/actors", room.facts.title, tuple(nodes), tuple(edges))


def _position_names(room: Room, tongue: Tongue) -> dict[str, str]:
    steps = room.guide.steps if room.guide else ()
    return {option.name: text_in(option.label, tongue.language) for step in steps for option in step.options}


def _offer(item: Item, tongue: Tongue) -> Edge:
    actor = " ".join(item.said("actor").split()).casefold()
    kind = item.said("kind")
    label = tongue(RESOURCE_NAMES[kind]) if item.what == "resource" else tongue(COMMITMENT)
    due = f" ({tongue.day(item.said('by_when'))})" if item.said("by_when") else ""
    relation = kind or item.what
    return Edge(f"actor:{actor}", f"position:{item.said('position')}", relation, label, item.text + due)


# --- Kumu


def kumu(maps: Iterable[Map]) -> str:
    """Return Kumu's JSON, one file for all maps: elements with their type, and connections between their labels.

    Kumu joins by label, so labels that are equal get a number: "Municipio (2)".
    """
    elements: list[dict[str, str]] = []
    connections: list[dict[str, str]] = []
    taken: set[str] = set()
    for each in sorted(maps, key=lambda each: each.key):
        labels = {node.key: _only(node.label, taken) for node in each.nodes}
        elements += [_element(node, labels[node.key]) for node in each.nodes]
        connections += [_connection(edge, labels) for edge in each.edges]
    content = {"elements": elements, "connections": connections}
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _only(label: str, taken: set[str]) -> str:
    """Return a label that nothing else has, whatever its capitals; Kumu takes those for one."""
    found, number = label, 1
    while found.casefold() in taken:
        number += 1
        found = f"{label} ({number})"
    taken.add(found.casefold())
    return found


def _element(node: Node, label: str) -> dict[str, str]:
    filled = {"label": label, "type": node.kind, "description": node.description, "sector": node.sector}
    return {key: value for key, value in filled.items() if value}


def _connection(edge: Edge, labels: dict[str, str]) -> dict[str, str]:
    filled = {
        "from": labels[edge.start],
        "to": labels[edge.end],
        "type": edge.label,
        "direction": "directed",
        "description": edge.description,
    }
    return {key: value for key, value in filled.items() if value}
