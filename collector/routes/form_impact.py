"""What publishing a form would change, put together from the store and the fleet's reports."""

import time
from dataclasses import dataclass

from fastapi import Request
from sqlmodel import Session

from collector.db import reading
from collector.forms.model import Form
from collector.lab.impact import Change, Holder, Steps, compare, keys_wanted, older_holders, with_counts
from collector.lab.tables import language_of
from collector.pages import page_language
from collector.queries import lab as lab_queries
from collector.queries.fleet import list_fleet

SLOW_SECONDS, KEPT_SECONDS = 2.0, 600.0


@dataclass(frozen=True)
class Impact:
    """Before a version is published: what it changes beside `before`, the newest version here, and who holds what.

    older: version -> the nodes below whose newest version it is; asked: whether answers that are here no longer fit.
    """

    before: str
    changes: list[Change]
    older: dict[str, list[Holder]]

    @property
    def asked(self) -> bool:
        """Tell whether a person should say yes once more."""
        return any(change.takes_away for change in self.changes)


def impact_of(request: Request, form: Form) -> Impact | None:
    """Return what publishing `form` changes; None for the first version of a form, and for one that stands here.

    One pass over the form's answers for each of its tables that lose something: seconds for a million records.
    """
    versions = request.app.state.forms.versions(form.form_id)
    if not versions or form.version in {row.version for row in versions}:
        return None
    before: Form | None = request.app.state.forms.get(form.form_id, versions[0].version)
    if before is None:
        return None
    changes = slow_changes(request, before, form)
    with reading(request.app.state.engine) as session:
        holders = holders_of(session, form.form_id)
    return Impact(before.version, changes, older_holders(holders, form.version))


def slow_changes(request: Request, old: Form, new: Form) -> list[Change]:
    """Return what changes between two versions, with counts; those that took seconds stand for ten minutes.

    The same page is asked for before and after the preview, and a million answers are not counted anew for each.
    """
    state, language = request.app.state, page_language(request)
    if not hasattr(state, "slow_changes"):
        state.slow_changes = {}
    kept: dict[tuple[str, str, str], tuple[float, list[Change]]] = state.slow_changes
    key, began = (old.sha256, new.sha256, language), time.monotonic()
    known = kept.get(key)
    if known is not None and began - known[0] < KEPT_SECONDS:
        return known[1]
    with reading(state.engine) as session:
        changes = counted_changes(session, old, new, language)
    if time.monotonic() - began > SLOW_SECONDS:
        kept.clear()
        kept[key] = (began, changes)
    return changes


def counted_changes(session: Session, old: Form, new: Form, language: str) -> list[Change]:
    """Return what changes between two versions, with how many answers each change is about."""
    changes = compare(old, new, language_of(new, language))
    counted: dict[Steps, dict[str, dict[str, int]]] = {
        steps: {
            key: dict(values) for key, values in lab_queries.answer_counts(session, old.form_id, keys, steps).items()
        }
        for steps, keys in keys_wanted(old, changes).items()
    }
    return with_counts(old, changes, counted)


def holders_of(session: Session, form_id: str) -> list[Holder]:
    """Return the nodes below that said they hold the form, each with its newest version of it."""
    found: list[Holder] = []
    for row in list_fleet(session):
        held = [version for form, version in row.forms if form == form_id]  # a report lists the newest first
        if held and not row.is_revoked:
            found.append(Holder(row.id, row.name, held[0], row.waiting, row.report_ms))
    return found
