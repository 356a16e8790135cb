"""Plans on their way down: which forms are closed, and whom each is for, as the upstream decides it.

hello tells when they change. They are read whole and kept in place of all that was told before: few, and short. An
upstream of an earlier release tells nothing: then every form is open and for everybody, as it was.
"""

import logging
from typing import Any

from collector.db import reading, writing
from collector.form_plan import Plan, texts_in
from collector.queries import plans, store
from sync.batches import is_number
from sync.client import Refusal
from sync.greet import Greeting
from sync.run import Run

PLANS_TAG = "plans_tag"  # the fact: the tag of the plans that stand here
MOST_PLANS = 5000
MOST_LETTERS = 300
log = logging.getLogger("collector.sync")


def pull_plans(run: Run, greeting: Greeting) -> None:
    """Take over what the upstream plans with forms, when that changed."""
    with reading(run.engine) as session:
        known = store.fact(session, PLANS_TAG)
    if greeting.plans == known:
        return
    content = _ask(run) if greeting.plans else {}
    if content is None:
        return
    place = content.get("place", "")
    with writing(run.engine) as session:
        plans.keep_told(session, place if is_short(place) else "", read_told(content.get("plans")), run.now_ms)
        store.set_fact(session, PLANS_TAG, greeting.plans)


def _ask(run: Run) -> dict[str, Any] | None:
    """Return what is told, None where the upstream cannot tell it now: the next hello brings us back here."""
    try:
        content = run.client.get("/plans").content
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        return None
    if not isinstance(content, dict):
        raise run.client.strange("the plans of the forms are not an object")
    return content


def read_told(told: Any) -> dict[str, Plan]:
    """Return form_id -> what is decided about it; an entry that is none is left out, and said in the log."""
    found: dict[str, Plan] = {}
    for entry in told[:MOST_PLANS] if isinstance(told, list) else ():
        form_id = entry.get("form_id") if isinstance(entry, dict) else None
        if not is_short(form_id) or not form_id:
            log.warning("a plan left out: %.200s", entry)
            continue
        found[str(form_id)] = _plan(entry)
    return found


def _plan(entry: dict[str, Any]) -> Plan:
    closed_ms = entry.get("closed_ms")
    return Plan(
        closed_ms=closed_ms if is_number(closed_ms) else 0,
        nodes=_codes(entry.get("nodes")),
        municipalities=_codes(entry.get("municipalities")),
        is_offered=entry.get("offered") is not False,
        is_from_above=True,
    )


def _codes(value: Any) -> tuple[str, ...]:
    return tuple(text for text in texts_in(value) if is_short(text))


def is_short(value: Any) -> bool:
    """Tell whether a value is a text that can be a name or a code."""
    return isinstance(value, str) and len(value) <= MOST_LETTERS and (value == "" or value.isprintable())
