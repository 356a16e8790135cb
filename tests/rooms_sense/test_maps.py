"""Maps have the nodes and arrows that were said, and what another program reads back are as many."""

import json

from collector.rooms.outputs.maps import Edge, Map, Node, actor_map, iceberg_map, kumu
from collector.rooms.room import Room, room_of
from tests.rooms.making import Making, step_of


def reread(text: str) -> tuple[int, int]:
    """Read Kumu's JSON as Kumu does: elements by label, connections only between labels that are there."""
    content = json.loads(text)
    labels = {element["label"].casefold() for element in content["elements"]}
    joined = [each for each in content["connections"] if {each["from"].casefold(), each["to"].casefold()} <= labels]
    return len(labels), len(joined)


def test_the_iceberg_carries_its_levels_links_and_evidence(room: Room) -> None:
    drawn = iceberg_map(room, "iceberg")
    assert [(node.label, node.kind) for node in drawn.nodes] == [
        ("Protestas de 2023", "Evento"),
        ("Todo se decide en la capital", "Estructura"),
        ("El camión no pasa.", "Evidencia"),
        ("Nota 11", "Evidencia"),  # its words may not be repeated
    ]
    assert [edge.label for edge in drawn.edges] == ["causa", "se apoya en", "se apoya en"]


def test_the_actor_map_joins_actors_to_positions(room: Room) -> None:
    drawn = actor_map(room)
    assert [(node.label, node.kind) for node in drawn.nodes] == [
        ("Junta comunal", "Actor"), ("Escuela Sol", "Actor"), ("plastico", "Posición"),
    ]  # fmt: skip
    assert [(edge.relation, edge.description) for edge in drawn.edges] == [
        ("commitment", "Pone un contenedor (1 de febrero de 2027)"), ("human", "Diez jóvenes"),
    ]  # fmt: skip
    assert drawn.nodes[0].sector == "gobierno"


def test_kumu_reads_back_as_many_nodes_and_arrows(room: Room) -> None:
    maps = [iceberg_map(room, "iceberg"), actor_map(room)]
    wanted = sum(len(each.nodes) for each in maps), sum(len(each.edges) for each in maps)
    assert reread(kumu(maps)) == wanted == (7, 5)
    assert kumu(maps) == kumu(maps[::-1])


def test_equal_labels_get_a_number_so_that_kumu_keeps_them_apart() -> None:
    nodes = (Node("a", "Agua", "Evento"), Node("b", "agua", "Evento"), Node("c", "Agua (2)", "Evento"))
    drawn = Map("k", "t", nodes, (Edge("a", "b", "causes", "causa"), Edge("b", "c", "causes", "causa")))
    content = json.loads(kumu([drawn]))
    assert [element["label"] for element in content["elements"]] == ["Agua", "agua (2)", "Agua (2) (2)"]
    assert reread(kumu([drawn])) == (3, 2)


def test_long_texts_stand_whole_in_the_description() -> None:
    make = Making()
    said = [
        *make.guided(step_of("iceberg", "hielo")),
        make.make("iceberg", {"text": "x" * 500, "level": "model"}, step="hielo"),
    ]
    (node,) = iceberg_map(room_of(said), "hielo").nodes
    assert len(node.label) == 120 and node.description == "x" * 500
