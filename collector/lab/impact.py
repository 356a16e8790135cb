"""What a new version of a form changes for the answers that are here: said before it is published. Pure.

    old Form, new Form -> compare -> changes -> keys_wanted -> (the store counts) -> with_counts -> changes with numbers

Nothing is lost by publishing: records keep their version, and the columns of older versions stand after the newest. But
a question that is gone gets no new answers, and one with another type or other choices no longer says the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.exports.codebook import TYPE_WORDS
from collector.forms.model import Form
from collector.lab.tables import Column, tables_of

# letters of an answer that tell its choices apart: a hundred choices of twenty letters
CHOICE_CHARS = 2000
# in the order in which a reader must know them
KINDS = (
    "dropped", "renamed", "type", "choices_dropped", "choices_said", "required", "text", "choices_added", "added",
)  # fmt: skip
TAKES_AWAY = frozenset({"dropped", "renamed", "type", "choices_dropped"})
Steps = tuple[str, ...]


@dataclass(frozen=True)
class ChoiceChange:
    """A choice that came, went or says something else. was, now: its labels, "" where it is not there."""

    name: str
    was: str = ""
    now: str = ""
    count: int = 0


@dataclass(frozen=True)
class Change:
    """One change of one question.

    kind: one of KINDS. name: of the question as columns name it ("persona/edad"), in the old version where it was
    there; label: as people read it. was, now: names (renamed), types (type) or labels (text). count: answers that the
    question has in the records here, of any version; choices: those meant.
    """

    kind: str
    name: str
    label: str
    was: str = ""
    now: str = ""
    count: int = 0
    choices: tuple[ChoiceChange, ...] = ()

    @property
    def types(self) -> tuple[str, str]:
        """Return the types before and after as people read them, of a change of type."""
        return TYPE_WORDS.get(self.was, self.was), TYPE_WORDS.get(self.now, self.now)

    @property
    def answers(self) -> int:
        """Return how many answers the change is about: of choices, those that took them."""
        return sum(choice.count for choice in self.choices) if self.choices else self.count

    @property
    def takes_away(self) -> bool:
        """Tell whether answers that are here no longer fit what the form asks."""
        return self.kind in TAKES_AWAY and self.answers > 0


def compare(old: Form, new: Form, language: str = "") -> list[Change]:
    """List what changes from `old` to `new`, the gravest first, without counts. language: of the labels shown."""
    before, after = _columns(old), _columns(new)
    renamed = _renamed(before, after, language)
    changes = [Change("renamed", name, before[name].label(language), name, other) for name, other in renamed.items()]
    gone = [name for name in before if name not in after and name not in renamed]
    come = [name for name in after if name not in before and name not in renamed.values()]
    changes += [Change("dropped", name, before[name].label(language)) for name in gone]
    for name in come:
        kind = "required" if _is_required(after[name]) else "added"
        changes.append(Change(kind, name, after[name].label(language)))
    kept = {name: name for name in before if name in after} | renamed
    for name, other in kept.items():
        changes += _in_place(name, before[name], after[other], language)
    return sorted(changes, key=lambda change: KINDS.index(change.kind))


def _columns(form: Form) -> dict[str, Column]:
    return {column.name: column for table in tables_of([form]).walk() for column in table.columns}


def _renamed(before: Mapping[str, Column], after: Mapping[str, Column], language: str) -> dict[str, str]:
    """Return old name -> new name of the questions that ask the same, in the same words, under another name."""
    come: dict[tuple[str, str], list[str]] = {}
    for name, column in after.items():
        if name not in before and column.question.label:
            come.setdefault((column.question.type, column.label(language)), []).append(name)
    found: dict[str, str] = {}
    for name, column in before.items():
        others = come.get((column.question.type, column.label(language)), [])
        if name not in after and column.question.label and len(others) == 1:
            found[name] = others.pop()
    return found


def _in_place(name: str, old: Column, new: Column, language: str) -> list[Change]:
    """Return what changed in a question that both versions ask."""
    label = old.label(language)
    found: list[Change] = []
    if old.question.type != new.question.type:
        found.append(Change("type", name, label, old.question.type, new.question.type))
    if label != new.label(language):
        found.append(Change("text", name, label, label, new.label(language)))
    if _is_required(new) and not _is_required(old):
        found.append(Change("required", name, label))
    if old.has_choices and new.has_choices:
        found += _choices(name, label, old.choice_labels(language), new.choice_labels(language))
    return found


def _choices(name: str, label: str, was: Mapping[str, str], now: Mapping[str, str]) -> list[Change]:
    gone = tuple(ChoiceChange(each, said) for each, said in was.items() if each not in now)
    come = tuple(ChoiceChange(each, now=said) for each, said in now.items() if each not in was)
    said = tuple(ChoiceChange(each, was[each], now[each]) for each in was if each in now and was[each] != now[each])
    kinds = (("choices_dropped", gone), ("choices_said", said), ("choices_added", come))
    return [Change(kind, name, label, choices=choices) for kind, choices in kinds if choices]


def _is_required(column: Column) -> bool:
    return column.question.logic.required is not None


# --- numbers


def keys_wanted(old: Form, changes: Iterable[Change]) -> dict[Steps, dict[str, int]]:
    """Return steps of the repeats -> key -> letters to tell apart, of what the store must count for `changes`."""
    columns = _columns(old)
    wanted: dict[Steps, dict[str, int]] = {}
    for change in changes:
        column = columns.get(change.name)
        if column is not None and change.kind not in ("added", "choices_added"):
            keys = wanted.setdefault(column.steps, {})
            keys[column.key] = max(keys.get(column.key, 0), CHOICE_CHARS if change.choices else 0)
    return wanted


def with_counts(
    old: Form, changes: Sequence[Change], counted: Mapping[Steps, Mapping[str, Mapping[str, int]]]
) -> list[Change]:
    """Return the changes with how many answers each is about, those that take answers away first.

    counted: steps -> key -> value -> how many, as `keys_wanted` asked.
    """
    columns = _columns(old)
    found: list[Change] = []
    for change in changes:
        column = columns.get(change.name)
        values = counted.get(column.steps, {}).get(column.key, {}) if column is not None else {}
        counted_choices = [replace(choice, count=_taken(values, choice.name)) for choice in change.choices]
        choices = tuple(sorted(counted_choices, key=lambda choice: -choice.count))
        found.append(replace(change, count=sum(values.values()), choices=choices))
    return sorted(found, key=lambda change: not change.takes_away)


def _taken(values: Mapping[str, int], choice: str) -> int:
    """Return how often a choice was taken, alone or among others."""
    return sum(count for value, count in values.items() if choice in value.split())


# --- who still holds what


@dataclass(frozen=True)
class Holder:
    """A node that holds a form, by its last report. newest: the newest version there; waiting: entries it has not sent,
    of all its forms, None where it has not said.
    """

    node_id: str
    name: str
    newest: str
    waiting: int | None
    report_ms: int


def older_holders(holders: Iterable[Holder], version: str) -> dict[str, list[Holder]]:
    """Return version -> the nodes whose newest version it is, without those that have `version`."""
    found: dict[str, list[Holder]] = {}
    for holder in holders:
        if holder.newest != version:
            found.setdefault(holder.newest, []).append(holder)
    return found
