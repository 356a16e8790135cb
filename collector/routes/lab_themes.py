"""Themes over all rooms and open answers: counts for who holds the records, and protected tables to be handed out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.rooms.outputs.csv import csv_text
from collector.rooms.outputs.document import as_html
from collector.rooms.outputs.matrices import HIDDEN, MatrixWords, matrix_csv, matrix_document
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.sense.matrices import NOT_SAID, Matrix, theme_by_place, theme_by_segment
from collector.rooms.sense.pieces import Piece
from collector.rooms.sense.release import Release, release
from collector.rooms.sense.suppression import Policy
from collector.routes.access import Person, person_who_may, posted_fields, who_may
from collector.routes.audited import note
from collector.routes.lab_scope import lab_scope
from collector.routes.lab_sense import Segments, Work, segments_of, work_on_all
from collector.routes.rooms_outputs import PAGE_RULES
from collector.sense_store import GROUPS, choose_smallest_group, hand_out, last_release, smallest_group
from collector.territory import place_labels

router = APIRouter(prefix="/lab/temas", include_in_schema=False)
User = Annotated[str, Depends(who_may("rooms"))]
Coder = Annotated[Person, Depends(person_who_may("rooms"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
Name = Annotated[str, Query(max_length=80)]
PLACE = "place"  # the table by municipality; the others are called by their segment, "segment:generacion"
SEGMENT = "segment:"


@dataclass(frozen=True)
class Themes:
    """The themes of a node. matrices: table name -> counts as they are; axes: table name -> what people call it."""

    work: Work
    matrices: Mapping[str, Matrix]
    axes: Mapping[str, str]
    segments: Segments

    def columns(self, table: str, nobody: str) -> dict[str, str]:
        """Return column key -> what people read, of one table. nobody: of what says nothing."""
        known = place_labels() if table == PLACE else self.segments.values[table.removeprefix(SEGMENT)]
        return {key: known.get(key, key) if key != NOT_SAID else nobody for key in self.matrices[table].columns}


@router.get("")
def show_themes(request: Request, user: User, por: Name = PLACE) -> HTMLResponse:
    """Show the counts of one table with a way to the records of each cell, and what would be handed out of it."""
    found = _themes(request)
    table = _table(request, found, por)
    tongue = _tongue(request)
    scope: dict[str, Any] = {
        "axes": found.axes,
        "por": table,
        "matrix": found.matrices[table],
        "columns": found.columns(table, tongue("Sin municipio") if table == PLACE else tongue("sin dato")),
        "published": _release(request, found, last_release(request.app.state.engine)).published(table),
        "book": found.work.book,
        "hidden": HIDDEN,
        "k": smallest_group(request.app.state.engine),
        "groups": GROUPS,
        "cell_address": lambda path, column: (
            f"/lab/temas/celda?{urlencode({'por': table, 'tema': path, 'col': column})}"
        ),
    }
    return page(request, "lab/themes.html", scope | lab_scope(request, user, "/lab/salas"))


def _query(table: str, path: str, column: str) -> str:
    return urlencode({"por": table, "tema": path, "col": column})


@router.post("")
def choose_group(request: Request, _user: User, posted: Posted) -> Response:
    """Set the fewest people that a shown cell may speak of."""
    k = posted.get("k", "")
    if k not in map(str, GROUPS):
        raise ProblemError(PROBLEMS["bad_request"], reason=f"k: {k}")
    choose_smallest_group(request.app.state.engine, int(k))
    return RedirectResponse("/lab/temas", 303)


@router.get("/celda")
def show_cell(request: Request, coder: Coder, por: Name, tema: str = "", col: str = "") -> HTMLResponse:
    """Show the records behind a cell, as many as it counts: for who holds them, never handed out."""
    found = _themes(request)
    table = _table(request, found, por)
    try:
        records = found.matrices[table].drill_down(tema, col)
    except KeyError:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path) from None
    pieces = _behind(found.work, records, tema)
    note(request, coder, "read_record", f"theme {tema}", count=len(records), table=table, column=col)
    tongue = _tongue(request)
    scope: dict[str, Any] = {
        "por": table,
        "label": found.work.book.label(tema),
        "column": found.columns(table, tongue("sin dato"))[col],
        "records": records,
        "pieces": pieces,
        "places": place_labels(),
        "values": found.segments.values,
    }
    return page(request, "lab/room_cell.html", scope | lab_scope(request, coder.who, "/lab/salas"))


def _behind(work: Work, records: tuple[str, ...], path: str) -> list[Piece]:
    """Return the texts that carry the theme in some records, in the order they were said."""
    mine = [piece for piece in work.pieces if piece.record in records and work.coded.has(piece.target, path)]
    return sorted(mine, key=lambda piece: piece.order)


# --- what is handed out


@router.get(".csv")
def get_csv(request: Request, coder: Coder, por: Name = PLACE) -> Response:
    """Give a protected table as CSV, and remember what was given."""
    found, given = _handed_out(request, coder, por)
    table = _table(request, found, por)
    published = given.published(table)
    words = _words(request, found, table)
    content = matrix_csv(published, words) if published.rows else csv_text([words.tongue("Tema")], [])
    headers = {"Content-Disposition": f"attachment; filename={_file_name(table)}.csv"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.get(".html")
def get_html(request: Request, coder: Coder, por: Name = PLACE) -> Response:
    """Give a protected table as a page to read and print, and remember what was given."""
    found, given = _handed_out(request, coder, por)
    table = _table(request, found, por)
    content = as_html(matrix_document(given.published(table), _words(request, found, table)))
    return HTMLResponse(content, headers={"Content-Security-Policy": PAGE_RULES, "Cache-Control": "no-store"})


def _handed_out(request: Request, coder: Person, table: str) -> tuple[Themes, Release]:
    """Protect the tables, and note who took one: counts that point at nobody, so no purpose is asked."""
    found = _themes(request)
    note(request, coder, "release", f"themes {table}", file=request.url.path.rpartition(".")[2])
    return found, hand_out(request.app.state.engine, lambda earlier: _release(request, found, earlier))


def _release(request: Request, found: Themes, earlier: Release | None) -> Release:
    policy = Policy(smallest_group(request.app.state.engine))
    return release(found.matrices, found.work.book, policy, earlier)


def _words(request: Request, found: Themes, table: str) -> MatrixWords:
    tongue = _tongue(request)
    axis = found.axes[table]
    title = tongue("Temas por municipio") if table == PLACE else tongue("Temas por «{what}»", what=axis)
    columns = found.columns(table, tongue("sin dato"))
    return MatrixWords(title, axis, columns, found.work.book, tongue, has_column_totals=False)


def _file_name(table: str) -> str:
    return "temas-por-municipio" if table == PLACE else f"temas-por-{table.removeprefix(SEGMENT)}"


# --- the tables


def _themes(request: Request) -> Themes:
    work, segments = work_on_all(request), segments_of(request)
    matrices = {PLACE: theme_by_place(work.pieces, work.coded, work.book)}
    axes = {PLACE: _tongue(request)("Municipio")}
    for name, label in segments.labels.items():
        matrices[SEGMENT + name] = theme_by_segment(work.pieces, work.coded, work.book, name)
        axes[SEGMENT + name] = label
    return Themes(work, matrices, axes, segments)


def _table(request: Request, found: Themes, name: str) -> str:
    """Return the name of a table that is there. Raises ProblemError not_found."""
    if name not in found.matrices:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return name


def _tongue(request: Request) -> Tongue:
    return Tongue(page_language(request), request.app.state.english, place_labels())
