"""Check a submission against its form on a node: prune, recompute, report. Never raises on any JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.forms.filling_rows import FillingRow
from collector.forms.model import Form, Question, Repeat
from collector.forms.state import MAX_ROWS, Filling


@dataclass(frozen=True)
class Flag:
    """What the check noticed. key: as in the answers, rows numbered from 1 ("persona[2]/edad").

    what: required, type, choice, constraint, not_relevant, recomputed, unknown, not_text, rows (their number differs
    from what the form counts, or there are too many to read).
    """

    key: str
    what: str
    text: str = ""


@dataclass(frozen=True)
class Checked:
    """answers: what counts after pruning; flags: what was noticed, in form order. Nothing is refused here."""

    answers: dict[str, Any]
    flags: tuple[Flag, ...]


def check(form: Form, answers: object, now: tuple[int, int], lang: str = "es") -> Checked:
    """Check `answers` as they stand in a record; `now` is the record's own end (epoch ms, offset minutes)."""
    given: Mapping[Any, Any] = answers if isinstance(answers, Mapping) else {}
    filling = Filling(form, now, lang, recorded=True)
    filling.fill(given)
    return Checked(filling.answers(), tuple(_row_flags(filling, filling.root, given, "")))


def _row_flags(filling: Filling, row: FillingRow, given: Mapping[Any, Any], prefix: str) -> Iterator[Flag]:
    """Give what is noticed in one row, then in the rows inside it."""
    level = filling.program.levels[row.path]
    questions = {question.key for question in level.questions}
    repeats = {repeat.key for repeat in level.repeats}
    for key, value in given.items():
        is_known = isinstance(value, list) if key in repeats else isinstance(value, str)
        if not is_known:
            yield Flag(f"{prefix}{key}", "not_text")
        elif key not in questions and key not in repeats:
            yield Flag(f"{prefix}{key}", "unknown")
    for question in level.questions:
        said = given.get(question.key)
        yield from _question_flags(filling, row, question, prefix, said if isinstance(said, str) else "")
    for repeat in level.repeats:
        rows = given.get(repeat.key)
        yield from _repeat_flags(filling, row, repeat, prefix, rows if isinstance(rows, list) else [])


def _repeat_flags(filling: Filling, row: FillingRow, repeat: Repeat, prefix: str, given: list[Any]) -> Iterator[Flag]:
    wanted = filling.wanted_rows(repeat, row)
    if len(given) > MAX_ROWS or (wanted is not None and wanted != len(given) and row.relevant[repeat.path]):
        yield Flag(f"{prefix}{repeat.key}", "rows", str(len(given)))
    for number, (inner, answers) in enumerate(zip(row.rows[repeat.path], given, strict=False), 1):
        here = f"{prefix}{repeat.key}[{number}]"
        if not isinstance(answers, Mapping):
            yield Flag(here, "not_text")
        yield from _row_flags(filling, inner, answers if isinstance(answers, Mapping) else {}, here + "/")


def _question_flags(filling: Filling, row: FillingRow, question: Question, prefix: str, said: str) -> Iterator[Flag]:
    key, path = prefix + question.key, question.path
    takes_part = row.is_on and row.relevant[path]
    if said and not takes_part:
        yield Flag(key, "not_relevant", said)
    elif question.type == "calculate":
        is_ours = question.logic.calculate is not None and path not in filling.program.tainted
        if takes_part and is_ours and said != row.raw[path]:
            yield Flag(key, "recomputed", row.raw[path])
    elif said and not row.raw[path]:
        yield Flag(key, "choice", said)
    else:
        trouble = filling.trouble(path, row) if takes_part else ""
        if trouble:
            yield Flag(key, trouble, said)
