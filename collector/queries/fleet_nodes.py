"""One node of the fleet, as the lab manages it: what this store knows of it by itself, and its name here."""

from dataclasses import dataclass

from sqlalchemy import update
from sqlmodel import Session, col

from collector.problems import PROBLEMS, ProblemError
from collector.queries.nodes import count_of_revoked, cursors_of
from collector.tables.nodes import Node


@dataclass(frozen=True)
class KnownNode:
    """A node that sends here, beside what its report says.

    lives: how many epochs of its log were read here: more than one when it was restored, copied or emptied.
    kept_apart: what it has sent since it was revoked and nobody has looked at. municipality: code of the place in which
    it works, "" when nobody said.
    """

    id: str
    name: str
    enrolled_ms: int
    revoked_ms: int | None
    lives: int
    kept_apart: int
    municipality: str


def known_node(session: Session, node_id: str) -> KnownNode:
    """Return the node that sends here. Raises ProblemError node_not_found."""
    node = session.get(Node, node_id)
    if node is None:
        raise ProblemError(PROBLEMS["node_not_found"], node=node_id)
    lives, apart = len(cursors_of(session, node_id)), count_of_revoked(session, node_id)
    return KnownNode(node.id, node.name, node.enrolled_ms, node.revoked_ms, lives, apart, node.municipality)


def rename_node(session: Session, node_id: str, name: str) -> None:
    """Call the node so on this store, until it enrols again and says its own name."""
    session.execute(update(Node).where(col(Node.id) == node_id).values(name=name))
