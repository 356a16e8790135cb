"""What of a form may be handed out to those who may not read its records: the same for pages and for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from collector.clock import now_ms
from collector.forms.model import Form
from collector.giveback_store import GivebackStore, Given
from collector.lab.giveback_parts import can_be_told
from collector.lab.identifiers import direct_keys
from collector.lab.results import territory_columns
from collector.lab.small_groups import SmallGroups, small_groups_of
from collector.lab.tables import Column, Table, tables_of
from collector.lab.told_counts import choices_as_told, counts_of, entry_as_told, places_as_told
from collector.problems import PROBLEMS, ProblemError
from collector.routes.lab_opened import municipalities, versions_of


@dataclass(frozen=True)
class Handed:
    """A form as it is handed out. forms: its versions, oldest first; columns: the questions told; places: what says
    where; groups: its k.
    """

    forms: list[Form]
    table: Table
    columns: list[Column]
    places: list[Column]
    groups: SmallGroups
    given: Given


def store_of(request: Request) -> GivebackStore:
    """Return what keeps the numbers that were handed out."""
    state = request.app.state
    if not hasattr(state, "giveback"):
        state.giveback = GivebackStore(state.engine)
    found: GivebackStore = state.giveback
    return found


def handed_out(request: Request, form_id: str, waits: bool = True) -> Handed:
    """Return what is told of a form now, and keep it as told. Raises form_not_found.

    waits: for the first count of a large form too; who does not is told nothing until it is there.
    """
    forms = versions_of(request, form_id)
    if not forms:
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)
    table, direct, groups = tables_of(forms), direct_keys(forms), small_groups_of(forms)
    places = territory_columns(table.columns, municipalities())
    columns = [each for each in table.columns if each not in places and can_be_told(each, direct)]
    known = request.app.state.arrivals.form_count(form_id)
    people = 0 if waits or known is None else known.usable
    given = store_of(request).given(form_id, columns, places, now_ms(), groups, people)
    return Handed(forms, table, columns, places, groups, given)


def counts_handed_out(request: Request, form_id: str) -> dict[str, Any]:
    """Return a form in numbers (routes/api_shapes.py: FormCounts) with small groups hidden. Raises form_not_found."""
    handed = handed_out(request, form_id)
    direct, k = direct_keys(handed.forms), handed.groups.shared
    asked = [column for column in handed.table.columns if column.question.type != "calculate"]
    others = [each for each in asked if each not in handed.columns and each not in handed.places]
    told = store_of(request).numbers(form_id, others, k, direct, handed.given)
    questions = [_question(column, handed, told.entries) for column in asked]
    return counts_of(handed.forms, questions, told.records, k, told.upto)


def _question(column: Column, handed: Handed, entries: Mapping[str, Any]) -> dict[str, Any]:
    if column in handed.places:
        return places_as_told(column, handed.given.lines)
    if column in handed.columns:
        lines: Sequence[Any] = [line for line in handed.given.lines if line.column == column]
        return choices_as_told(column, lines)
    return entry_as_told(column, entries.get(column.key))
