"""Check a submission against its form on a node: prune, recompute, report. Never raises on any JSON.

Forms without repeats go by their plan (plan.py), the others by filling in; what comes out is the same. Where a glance
(glance.py) can tell that nothing is wrong, neither is needed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.forms.filling_rows import FillingRow
from collector.forms.fitting import tidy
from collector.forms.flags import Checked, Flag
from collector.forms.glance import glance_of
from collector.forms.model import Form, Question, Repeat
from collector.forms.plan import Plan, plan_of
from collector.forms.recorded import Record
from collector.forms.state import MAX_ROWS, Filling

__all__ = ["Checked", "Flag", "check", "check_by_filling"]


def check(form: Form, answers: object, now: tuple[int, int], lang: str = "es") -> Checked:
    """Check `answers` as they stand in a record; `now` is the record's own end (epoch ms, offset minutes)."""
    glance = glance_of(form)
    if glance is not None and type(answers) is dict and glance.is_all_right(answers):
        return Checked(answers.copy(), ())
    plan = plan_of(form)
    return check_by_filling(form, answers, now, lang) if plan is None else check_by_plan(plan, answers, now, lang)


def check_by_plan(plan: Plan, answers: object, now: tuple[int, int], lang: str) -> Checked:
    """Check as `check` does, by the plan of a form."""
    given: Mapping[Any, Any] = answers if isinstance(answers, Mapping) else {}
    record = plan.open(now, lang)
    flags = _take(plan, record, given)
    plan.settle(record)
    kept = _judge(plan, record, flags)
    return Checked(kept, tuple(flags))


def _take(plan: Plan, record: Record, given: Mapping[Any, Any]) -> list[Flag]:
    """Read the answers into the record; return what is no answer."""
    places, said, raw, row = plan.places, record.said, record.raw, record.row
    flags = []
    for key, text in given.items():
        place = places.get(key)
        if not isinstance(text, str):
            flags.append(Flag(f"{key}", "not_text"))
        elif place is None:
            flags.append(Flag(f"{key}", "unknown"))
        else:
            number, slot, question, is_plain = place
            said[number] = text
            is_tidy = is_plain and text.isascii() and text.isprintable()
            raw[number] = row[slot] = text.strip() if is_tidy else tidy(question, text)
    return flags


def _judge(plan: Plan, record: Record, flags: list[Flag]) -> dict[str, Any]:
    """Return the answers that count; add to the flags what is wrong with them, in form order."""
    kept: dict[str, Any] = {}
    found = zip(plan.judged, record.said, record.raw, record.shown, strict=False)  # groups too are shown or not
    for (key, names, judge), said, value, is_shown in found:
        if not is_shown:
            if said:
                flags.append(Flag(key, "not_relevant", said))
            continue
        if value:
            kept[key] = value
        if value not in names:
            trouble = judge(record, value, said)
            if trouble:
                flags.append(Flag(key, trouble, value if trouble == "recomputed" else said))
    for key in plan.notes:
        kept.pop(key, None)
    return kept


# --- with rows


def check_by_filling(form: Form, answers: object, now: tuple[int, int], lang: str = "es") -> Checked:
    """Check as `check` does, for any form, by filling it in."""
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
        trouble = filling.fault(path, row) if takes_part else ""
        if trouble:
            yield Flag(key, trouble, said)
