"""What people wrote to one question, newest first, searched without regard to accents and capitals."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from collector.db import reading
from collector.lab.filters import plain_word
from collector.lab.identifiers import direct_keys
from collector.lab.tables import Column
from collector.pages import page
from collector.problems import PROBLEMS, ProblemError
from collector.queries.lab import newest_texts
from collector.routes.access import Person, person_who_may
from collector.routes.audited import note
from collector.routes.lab_looked import looked_at
from collector.routes.lab_opened import Opened, OpenForm
from collector.routes.lab_scope import lab_scope

router = APIRouter(prefix="/lab", include_in_schema=False)
Reader = Annotated[Person, Depends(person_who_may("records"))]
Before = Annotated[int | None, Query(ge=0, le=2**53)]
PAGE_TEXTS = 50


@router.get("/forms/{form_id}/textos/{key:path}")
def show_texts(
    request: Request, reader: Reader, opened: Opened, key: str, q: str = "", before: Before = None
) -> HTMLResponse:
    """Show the answers to one question that hold all words of `q`. Raises not_found, right_missing."""
    column = _column(request, opened, key)
    if not reader.may("identifiers") and key in direct_keys(opened.forms):
        raise ProblemError(PROBLEMS["right_missing"], role=reader.role, right="identifiers")
    looked, words = looked_at(request, opened), plain_word(q)
    with reading(request.app.state.engine) as session:
        found = newest_texts(session, opened.form_id, key, words, before, PAGE_TEXTS + 1, looked.only)
    shown = found[:PAGE_TEXTS]
    if shown:
        note(request, reader, "read_record", f"{opened.form_id}/{key}", count=len(shown))
    scope = lab_scope(request, reader.who, "")
    scope.update(opened=opened, column=column, texts=shown, words=words, filters=looked.filters)
    scope.update(older=shown[-1][0] if len(found) > PAGE_TEXTS else None)
    return page(request, "lab/texts.html", scope)


def _column(request: Request, opened: OpenForm, key: str) -> Column:
    found = next((column for column in opened.table.columns if column.key == key), None)
    if found is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return found
