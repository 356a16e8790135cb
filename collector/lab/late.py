"""Who is late, as text for a message, and the board as rows for a file. Pure; words come through `translate`."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from collector.lab.freshness import LATE, PROTECTED, Board, Cell, FormLine, Row
from collector.lab.reporting import Report, date_of

Translate = Callable[..., str]
MOST_LINES = 12  # of each kind: a message is read on a phone

MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip

# what each state is called: a shape, a word, and then a colour (docs/design.md)
STATES = {
    "fresh": "Al día",
    "due": "Toca",
    "overdue": "Atrasado",
    "delinquent": "Muy atrasado",
    "waiting": "todavía no toca",
    "not_assigned": "no se pide aquí",
    "closed": "formulario cerrado",
    "no_frequency": "sin frecuencia",
    "protected": "datos protegidos",
}


def late_text(board: Board, node_name: str, translate: Translate) -> str:
    """Return who is late, worst first, as plain text that fits a message. It names municipalities, forms and days."""
    titles = {form.form_id: form.title for form in board.forms}
    head = translate("{node}: quién está al día, {date}", node=node_name, date=_date(board.today, translate))
    parts = [part for state in LATE if (part := _part(board, state, titles, translate))]
    if not parts:
        return f"{head}\n\n{translate(_nobody_late(board))}\n"
    end = translate("Si ya recogieron respuestas, conecten la tableta: se envían solas. Gracias.")
    return "\n\n".join([head, *parts, end]) + "\n"


def _nobody_late(board: Board) -> str:
    """Return why nobody is called: all are in time, nothing is due yet, or no form says how often."""
    states = {cell.state for row in board.rows for cell in row.cells if row.code}
    if "fresh" in states:
        return "Todos los municipios están al día. Gracias."
    if "waiting" in states:
        return "Todavía no toca enviar nada. Gracias."
    if PROTECTED in states:
        return "No hay nadie de quien se pueda decir, para no señalar a nadie, si está atrasado."
    return "Ningún formulario abierto dice cada cuánto se espera una respuesta: nadie está atrasado."


def _part(board: Board, state: str, titles: Mapping[str, str], translate: Translate) -> str:
    late = board.late(state)
    if not late:
        return ""
    lines = [f"- {row.name}: {_cells(cells, titles, translate)}" for row, cells in late[:MOST_LINES]]
    if len(late) > MOST_LINES:
        lines.append(translate("- y {n} municipios más", n=len(late) - MOST_LINES))
    return "\n".join([f"{translate(STATES[state])}:", *lines])


def _cells(cells: Sequence[Cell], titles: Mapping[str, str], translate: Translate) -> str:
    return ", ".join(f"{titles[cell.form_id]} ({since(cell, translate)})" for cell in cells)


def since(cell: Cell, translate: Translate) -> str:
    """Return "33 días", or that nothing came in so many."""
    days = cell.days or 0
    if cell.has_none:
        return translate("nada en {n} días", n=days) if days != 1 else translate("nada en 1 día")
    return translate("{n} días", n=days) if days != 1 else translate("1 día")


def _date(day: int, translate: Translate) -> str:
    moment = date_of(day)
    return translate(
        "{day} de {month} de {year}", day=moment.day, month=translate(MONTHS[moment.month - 1]), year=moment.year
    )


# --- files

BOARD_HEAD = (
    "municipality", "municipality_name", "province", "form", "title", "frequency_days", "status", "days_since_last",
    "last_answer", "answers", "answers_90_days", "due_days", "overdue_days", "delinquent_days",
)  # fmt: skip
REPORT_HEAD = (
    "municipality", "form", "period_start", "period_end", "EXPECTED_REPORTS", "ACTUAL_REPORTS", "REPORTING_RATE",
    "REPORTING_RATE_ON_TIME", "answers", "answers_needed", "answers_on_time",
)  # fmt: skip


def board_rows(board: Board) -> Iterator[tuple[str, ...]]:
    """Give the board as text, a cell a row, the head first. What is not known, or protected, is blank."""
    yield BOARD_HEAD
    for row in board.rows:
        for form, cell in zip(board.forms, row.cells, strict=True):
            yield _board_row(row, form, cell)


def _board_row(row: Row, form: FormLine, cell: Cell) -> tuple[str, ...]:
    limits = form.limits
    is_shown = cell.state != PROTECTED
    return (
        row.code, row.name, row.province, form.form_id, form.title, str(form.plan.frequency_days or ""), cell.state,
        "" if cell.days is None else str(cell.days),
        "" if cell.last_day is None else date_of(cell.last_day).isoformat(),
        str(cell.count) if is_shown else "", str(cell.recent) if is_shown else "",
        *((str(limits.due), str(limits.overdue), str(limits.delinquent)) if limits else ("", "", "")),
    )  # fmt: skip


def report_rows(reports: Sequence[Report]) -> Iterator[tuple[str, ...]]:
    """Give the reports as text under DHIS2's own names, the head first."""
    yield REPORT_HEAD
    for one in reports:
        told = one.reports
        yield (
            one.municipality, one.form_id, date_of(one.period.first).isoformat(), date_of(one.period.last).isoformat(),
            str(told.expected), str(told.actual), str(told.rate), str(told.rate_on_time),
            str(one.count), str(one.needed), str(one.in_time),
        )  # fmt: skip
