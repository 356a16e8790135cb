"""The fleet: what the nodes below last said of themselves, and what this one says upwards.

A report is JSON (docs/protocol.md, "Reports"), read and cleaned by `sync/report.py` before it is kept here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func
from sqlmodel import Session, col, select

from collector.form_plan import Plan
from collector.queries import forms, plans, store
from collector.queries.contributions import rooms_from_elsewhere
from collector.queries.feed import tombstones_after
from collector.queries.nodes import get_upstream, list_nodes
from collector.queries.records import count_quarantine
from collector.tables.files import Blob, BlobName
from collector.tables.log import Quarantine, Record
from collector.tables.nodes import Node

MOST_FORMS = 50
MOST_ROOMS = 50
MOST_UNCONFIRMED = 50


@dataclass(frozen=True)
class FleetRow:
    """A node below this one. Numbers are None where it has not said them.

    above: the node it sends to, "" for this one; level: 1 when it sends here itself. waiting: entries it has not sent
    yet; lacking_forms: (form, version) published here that it should have and does not; unconfirmed: tombstones that it
    is not known to have applied; skew_ms: how far its clock is behind; alarm: "" or what a person should look at
    ("history_changed").
    """

    id: str
    name: str
    above: str
    level: int
    last_contact_ms: int | None
    report_ms: int
    is_revoked: bool
    has_key: bool
    alarm: str
    skew_ms: int
    version: str
    waiting: int | None
    quarantine: int | None
    free_bytes: int | None
    store_bytes: int | None
    missing_files: int | None
    forms: tuple[tuple[str, str], ...]
    lacking_forms: tuple[tuple[str, str], ...]
    unconfirmed: tuple[str, ...]


def list_fleet(session: Session) -> list[FleetRow]:
    """Return every node below this one, each followed by those below it, as the reports tell."""
    published = Published(_newest_forms(session), plans.assigned_plans(session))
    places, own_place = dict(plans.nodes_below(session)), store.fact(session, plans.OWN_PLACE)
    rows: list[FleetRow] = []
    for entry in reports_of_nodes(session):
        rows += _rows_of(entry, "", 1, published, places.get(entry["id"]) or own_place)
    return rows


@dataclass(frozen=True)
class Published:
    """The newest version of each form here, and the plans of those that are for some nodes only."""

    newest: list[tuple[str, str]]
    assigned: dict[str, Plan]

    def needed_by(self, receiver: plans.Receiver) -> list[tuple[str, str]]:
        """Return what a node should have."""
        left_out = {form_id for form_id, plan in self.assigned.items() if not receiver.needs(plan)}
        return [form for form in self.newest if form[0] not in left_out]


def _rows_of(entry: dict[str, Any], above: str, level: int, published: Published, place: str) -> Iterator[FleetRow]:
    report = entry.get("report", {})
    needed = published.needed_by(plans.Receiver(entry["id"], place, frozenset(plans.ids_below(report))))
    held = tuple((form, version) for form, version in report.get("forms", ()))
    knows_all = "forms" in report and len(held) < MOST_FORMS
    yield FleetRow(
        id=entry["id"],
        name=entry.get("name", ""),
        above=above,
        level=level,
        last_contact_ms=entry.get("last_contact"),
        report_ms=entry.get("report_ms", 0),
        is_revoked=entry.get("revoked", False),
        has_key=entry.get("key", True),
        alarm=entry.get("alarm", ""),
        skew_ms=entry.get("skew_ms", 0),
        version=report.get("version", ""),
        waiting=report.get("waiting"),
        quarantine=report.get("quarantine"),
        free_bytes=report.get("free_bytes"),
        store_bytes=report.get("store_bytes"),
        missing_files=report.get("missing_files"),
        forms=held,
        lacking_forms=tuple(form for form in needed if form not in held) if knows_all else (),
        unconfirmed=tuple(entry.get("unconfirmed", ())),
    )
    for lower in report.get("below", ()):
        yield from _rows_of(lower, entry["id"], level + 1, published, place)


def _newest_forms(session: Session) -> list[tuple[str, str]]:
    newest: dict[str, str] = {}
    for form_id, version, *_ in forms.list_manifest(session):
        newest.setdefault(form_id, version)
    return list(newest.items())


# --- reports


def note_report(session: Session, node_id: str, report: dict[str, Any], now_ms: int) -> None:
    """Keep what the node says of itself, in place of what it said before."""
    node = session.get(Node, node_id)
    if node is not None:
        node.report, node.report_ms = json.dumps(report, ensure_ascii=False), now_ms
        session.add(node)


def reports_of_nodes(session: Session) -> list[dict[str, Any]]:
    """Return what is known of each node that sends here, as it stands under "below" of our own report."""
    epoch = store.fact(session, "epoch")
    return [_entry_of(session, node, epoch) for node in list_nodes(session)]


def _entry_of(session: Session, node: Node, epoch: str) -> dict[str, Any]:
    applied = node.feed_n if node.feed_epoch == epoch else 0
    return {
        "id": node.id,
        "name": node.name,
        "last_contact": node.last_contact_ms,
        "revoked": node.revoked_ms is not None,
        "key": node.public_key != "",
        "alarm": node.alarm,
        "skew_ms": node.skew_ms,
        "unconfirmed": tombstones_after(session, applied, MOST_UNCONFIRMED),
        "report_ms": node.report_ms,
        "report": json.loads(node.report or "{}"),
    }


def own_report(session: Session) -> dict[str, Any]:
    """Return what this store says of itself; sizes are added by who can see the disk."""
    upstream = get_upstream(session)
    return {
        "epoch": store.fact(session, "epoch"),
        "waiting": _count_waiting(session, upstream.cursor_n if upstream else 0),
        "quarantine": count_quarantine(session),
        "forms": [[form_id, version] for form_id, version, *_ in forms.list_manifest(session)[:MOST_FORMS]],
        "missing_files": _count_missing_files(session),
        **_rooms_taken(session),
        "feed": [upstream.feed_epoch, upstream.feed_n] if upstream else ["", 0],
        "below": reports_of_nodes(session),
    }


def _count_waiting(session: Session, sent_n: int) -> int:
    counts = (select(func.count()).select_from(it).where(col(it.n) > sent_n) for it in (Record, Quarantine))
    return sum(int(session.execute(statement).scalar_one()) for statement in counts)


def _rooms_taken(session: Session) -> dict[str, list[str]]:
    """Return the key `rooms`: those that are here and were opened elsewhere, so that their facilitator sees where."""
    taken = rooms_from_elsewhere(session, MOST_ROOMS)
    return {"rooms": taken} if taken else {}


def _count_missing_files(session: Session) -> int:
    whole = exists().where(col(Blob.sha256) == col(BlobName.sha256), col(Blob.have) == col(Blob.bytes))
    named = select(func.count(func.distinct(col(BlobName.sha256)))).where(~whole)
    return int(session.execute(named).scalar_one())


def nodes_with_room(session: Session, room: str) -> list[str]:
    """Return the names of the nodes below that said that they have a room which was opened elsewhere."""
    return sorted({entry.get("name", "") for entry in _walked(reports_of_nodes(session)) if _says(entry, room)})


def _walked(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        yield entry
        yield from _walked(entry.get("report", {}).get("below", []))


def _says(entry: dict[str, Any], room: str) -> bool:
    return not entry.get("revoked") and room in entry.get("report", {}).get("rooms", ())
