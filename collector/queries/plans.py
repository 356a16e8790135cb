"""The plans of forms: the only place that reads and writes the table form_plan, and whom a plan sends a form to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, select

from collector.form_plan import Plan, plan_content, plan_from
from collector.queries import store
from collector.queries.voices import tell_watcher
from collector.tables.forms import FormPlan
from collector.tables.nodes import Node

NO_PLAN = Plan()
ALL_PLANS = select(FormPlan)  # made once: each hello asks it
OWN_PLACE = "municipality"  # the fact: code of the place that this node works in, as its upstream says


def get_plan(session: Session, form_id: str) -> Plan:
    """Return the plan of a form; for one that nobody planned, a plan that says nothing."""
    row = session.get(FormPlan, form_id)
    return NO_PLAN if row is None else _plan_of(row)


def plans(session: Session) -> dict[str, Plan]:
    """Return form_id -> plan, of the forms that somebody planned."""
    return {row.form_id: _plan_of(row) for row in session.exec(ALL_PLANS)}


def put_plan(session: Session, form_id: str, plan: Plan, at_ms: int) -> bool:
    """Keep a plan in place of the one before; False when it says the same. The form need not be here yet."""
    content = json.dumps(plan_content(plan), ensure_ascii=False, sort_keys=True)
    row = session.get(FormPlan, form_id)
    if row is None:
        row = FormPlan(form_id=form_id)
    elif (row.closed_ms, row.frequency_days, row.plan) == (plan.closed_ms, plan.frequency_days, content):
        return False
    row.closed_ms, row.frequency_days = plan.closed_ms, plan.frequency_days
    row.plan, row.changed_ms = content, at_ms
    session.add(row)
    tell_watcher(session, form_id)
    return True


def _plan_of(row: FormPlan) -> Plan:
    try:
        content = json.loads(row.plan)
    except ValueError:
        content = {}
    return plan_from(content if isinstance(content, dict) else {}, row.closed_ms, row.frequency_days)


# --- whom a form goes to


@dataclass(frozen=True)
class Receiver:
    """A node that asks for forms. municipality: where it works, "" when nobody said; below: ids of those below it.

    A node whose place nobody said works where the node above it does.
    """

    node_id: str
    municipality: str
    below: frozenset[str]

    def is_offered(self, plan: Plan) -> bool:
        """Tell whether the node itself opens the form to people."""
        return plan.goes_to(self.node_id, self.municipality)

    def needs(self, plan: Plan) -> bool:
        """Tell whether the form goes down to the node: for itself, or for one below it."""
        return self.is_offered(plan) or not self.below.isdisjoint(plan.nodes)


def receiver_of(session: Session, node_id: str) -> Receiver:
    """Return what decides which forms a node gets: its place, and the nodes below it by its last report."""
    node = session.get(Node, node_id)
    own_place = store.fact(session, OWN_PLACE)
    if node is None:
        return Receiver(node_id, own_place, frozenset())
    try:
        report = json.loads(node.report or "{}")
    except ValueError:
        report = {}
    return Receiver(node_id, node.municipality or own_place, frozenset(ids_below(report)))


def ids_below(report: Any) -> Iterator[str]:
    """Give the ids of all nodes below the one that said this of itself."""
    for entry in report.get("below", ()) if isinstance(report, dict) else ():
        if isinstance(entry, dict):
            yield str(entry.get("id", ""))
            yield from ids_below(entry.get("report"))


def nodes_below(session: Session) -> list[tuple[str, str]]:
    """Return (id, municipality) of the nodes that send here, as somebody here said it."""
    return [(node.id, node.municipality) for node in session.exec(select(Node))]


def place_node(session: Session, node_id: str, municipality: str) -> bool:
    """Note in which place a node works, "" for none; False where no such node sends here."""
    node = session.get(Node, node_id)
    if node is None:
        return False
    node.municipality = municipality
    session.add(node)
    return True


# --- plans on their way down


def told_plans(session: Session, node_id: str) -> dict[str, Any]:
    """Return what a node below is told of plans: {} while there is nothing to tell.

    {"place": code or "", "plans": [{"form_id", "closed_ms", "offered", "nodes", "municipalities"}]}. The nodes are told
    whole: a node that knew only its own part would take a form for others for one that is for everybody.
    """
    held = {form_id: plan for form_id, plan in plans(session).items() if plan.is_closed or plan.is_assigned}
    receiver = receiver_of(session, node_id)
    told = [_told(form_id, plan, receiver) for form_id, plan in sorted(held.items())]
    if not told and not receiver.municipality:
        return {}
    return {"place": receiver.municipality, "plans": told}


def _told(form_id: str, plan: Plan, receiver: Receiver) -> dict[str, Any]:
    return {
        "form_id": form_id,
        "closed_ms": plan.closed_ms,
        "offered": receiver.is_offered(plan),
        "nodes": sorted(plan.nodes),
        "municipalities": sorted(plan.municipalities),
    }


def assigned_plans(session: Session) -> dict[str, Plan]:
    """Return form_id -> plan, of the forms that are for some nodes only."""
    return {form_id: plan for form_id, plan in plans(session).items() if plan.is_assigned}


def held_back(session: Session, node_id: str) -> frozenset[str]:
    """Return the forms that do not go down to a node, because they are for others."""
    assigned = assigned_plans(session)
    if not assigned:
        return frozenset()
    receiver = receiver_of(session, node_id)
    return frozenset(form_id for form_id, plan in assigned.items() if not receiver.needs(plan))


def not_open(session: Session) -> frozenset[str]:
    """Return the forms that this node does not open to new answers: closed, or for others."""
    return frozenset(form_id for form_id, plan in plans(session).items() if not plan.takes_answers)


def keep_told(session: Session, place: str, told: Mapping[str, Plan], at_ms: int) -> int:
    """Keep what the upstream decides in place of all it decided before; return how many plans changed."""
    if store.fact(session, OWN_PLACE) != place:
        store.set_fact(session, OWN_PLACE, place)
    here = plans(session)
    gone = [form_id for form_id, plan in here.items() if plan.is_from_above and form_id not in told]
    wanted = {form_id: here.get(form_id, NO_PLAN).decided_by(plan) for form_id, plan in told.items()}
    wanted |= {form_id: here[form_id].decided_by(NO_PLAN) for form_id in gone}
    return sum(put_plan(session, form_id, plan, at_ms) for form_id, plan in wanted.items())
