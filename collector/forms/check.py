"""Check a submission against its form on a node: prune, recompute, report. Never raises on any JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.forms.expressions import is_volatile
from collector.forms.model import Form
from collector.forms.state import Filling


@dataclass(frozen=True)
class Flag:
    """What the check noticed. what: required, type, choice, constraint, not_relevant, recomputed, unknown, not_text."""

    key: str
    what: str
    text: str = ""


@dataclass(frozen=True)
class Checked:
    """answers: what counts after pruning; flags: what was noticed, in form order. Nothing is refused here."""

    answers: dict[str, str]
    flags: tuple[Flag, ...]


def check(form: Form, answers: object, now: tuple[int, int], lang: str = "es") -> Checked:
    """Check `answers` as they stand in a record; `now` is the record's own end (epoch ms, offset minutes)."""
    given: Mapping[Any, Any] = answers if isinstance(answers, Mapping) else {}
    texts = {str(key): value for key, value in given.items() if isinstance(value, str)}
    filling = Filling(form, now, lang)
    filling.fill(texts)
    flags = [Flag(str(key), "not_text") for key, value in given.items() if not isinstance(value, str)]
    flags += [Flag(key, "unknown") for key in texts if key not in form.by_key()]
    for question in form.questions:
        said = texts.get(question.key, "")
        flags += _flags_of(filling, question.path, question.key, said)
    return Checked(filling.answers(), tuple(flags))


def _flags_of(filling: Filling, path: str, key: str, said: str) -> list[Flag]:
    question = filling.program.questions[path]
    if said and not filling.relevant[path]:
        return [Flag(key, "not_relevant", said)]
    if question.type == "calculate":
        ir = question.logic.calculate
        differs = ir is not None and not is_volatile(ir) and said != filling.raw[path] and filling.relevant[path]
        return [Flag(key, "recomputed", filling.raw[path])] if differs else []
    trouble = filling.trouble(path)
    if said and not filling.raw[path]:
        return [Flag(key, "choice", said)]
    return [Flag(key, trouble, said)] if trouble else []
