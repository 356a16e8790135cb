"""Files that leave the lab: no combination of quasi-identifiers stands for fewer than `k` rows. Pure.

Quasi-identifiers are the questions marked `quasi` (docs/lab-people.md), or where a form marks none its places, age and
sex. An age in years becomes its ten: 34 is 30, from 80 on 80. Each record keeps its own values where at least k records
share them; else its municipality becomes the province; else all of them are left blank. Fewer than k records leave as
none. Left out whole: who somebody is, what people wrote or spoke, what is reckoned from answers, files, exact places
and times, rows of repeats, the number of the record (it holds the moment of its birth). An answer that is no choice of
its question, and no number where one is asked, is left blank: it may be anything.
Source: privacy requirement P21.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from collector.forms.model import Choice
from collector.lab.csv import CsvRecord
from collector.lab.tables import SELECTS, TEXT, Column, Table, answers_of, number_in, text_at
from collector.rooms.sense.suppression import K_PARTNERS

PROVINCE_LETTERS = 2  # of the code of a municipality: those of its province
AGES = ("edad", "age", "age_band")
# names of questions of choices that tell people apart, where the form marks none
_PLACES = "municipio distrito corregimiento provincia comarca municipality district province"
TELLING = frozenset([*f"{_PLACES} sexo genero sex gender".split(), *AGES])
OLDEST = 80
# what may leave: answers that a hand of people has in common; of the rest only what the author says is harmless
SHARED_TYPES = (*SELECTS, "rank", "integer", "decimal", "range", "acknowledge")
HARMLESS = ("none", "quasi")

Values = tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What the profile did: records as they were, with the province alone, and with nothing of the quasi left.

    dropped: records that did not leave, since there were fewer than k of them.
    """

    k: int
    keys: tuple[str, ...]
    whole: int
    coarse: int
    blank: int
    dropped: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it for `datapackage.json` and the audit."""
        counts = {"whole": self.whole, "coarse": self.coarse, "blank": self.blank, "dropped": self.dropped}
        return {"k": self.k, "quasi": list(self.keys), **counts}


@dataclass(frozen=True)
class Profile:
    """What becomes of each combination. told: values as they were -> values as they are written."""

    keys: tuple[str, ...]
    told: Mapping[Values, Values]
    report: Report


def quasi_keys(columns: Sequence[Column], places: Sequence[Column]) -> tuple[str, ...]:
    """Return the keys of the quasi-identifiers outside of repeats. places: the questions that say the municipality."""
    marked = [column.key for column in columns if column.question.privacy == "quasi" and not column.steps]
    if marked:
        return tuple(marked)
    telling = [column.key for column in columns if _tells_apart(column) and not column.steps]
    return tuple(dict.fromkeys([*(column.key for column in places), *telling]))


def _tells_apart(column: Column) -> bool:
    is_named = column.question.name.lower() in (TELLING if column.has_choices else AGES)
    return is_named and column.question.privacy != "none" and may_leave(column)


def may_leave(column: Column) -> bool:
    """Tell whether a shared file may hold the question: no words, files, reckoned values, exact places and times."""
    said = column.question.privacy
    return said in HARMLESS or (said in ("", "sensitive") and column.question.type in SHARED_TYPES)


def left_out(table: Table) -> frozenset[str]:
    """Return the full names of the questions that no shared file holds."""
    return frozenset(column.name for each in table.walk() for column in each.columns if not may_leave(column))


def profile_of(found: Iterable[Values], keys: Sequence[str], places: Iterable[str], k: int = K_PARTNERS) -> Profile:
    """Return what becomes of each combination. found: that of every record; places: keys whose province is told."""
    counts, coarse_keys = Counter(found), set(places)
    told: dict[Values, Values] = {}
    rest: Counter[Values] = Counter()
    for values, count in counts.items():
        if count >= k:
            told[values] = values
        else:
            rest[_coarse(values, keys, coarse_keys)] += count
    nothing = ("",) * len(keys)
    if counts.total() < k:
        return Profile(tuple(keys), {}, Report(k, tuple(keys), 0, 0, 0, counts.total()))
    whole = sum(counts[values] for values in told)
    # a coarse combination may be one that others have as it is
    as_they_are: Counter[Values] = Counter({values: counts[values] for values in told})
    blank = sum(count for values, count in rest.items() if count + as_they_are[values] < k)
    others = sorted((count, values) for values, count in rest.items() if count + as_they_are[values] >= k)
    kept = {values for _, values in others}
    while 0 < blank + as_they_are[nothing] < k and others:
        count, values = others.pop(0)
        kept.discard(values)
        blank += count
    if 0 < blank + as_they_are[nothing] < k:
        smallest = min(told, key=lambda values: (counts[values], values), default=None)
        if smallest is not None:
            told.pop(smallest)
            whole -= counts[smallest]
            blank += counts[smallest]
    for values in counts:
        if values not in told or told[values] != values:
            coarse = _coarse(values, keys, coarse_keys)
            told[values] = coarse if coarse in kept and counts[values] < k else nothing
    coarse_count = sum(rest[values] for values in kept)
    return Profile(tuple(keys), told, Report(k, tuple(keys), whole, coarse_count, blank))


def _coarse(values: Values, keys: Sequence[str], places: set[str]) -> Values:
    return tuple(value[:PROVINCE_LETTERS] if key in places else value for key, value in zip(keys, values, strict=True))


class Shared:
    """A form as it may leave the lab. table: without repeats; hidden: full names of what no file holds.

    direct: full names of the questions that say who somebody is, also where the form does not mark them. k: of how many
    people each combination speaks at least.
    """

    def __init__(
        self, table: Table, places: Sequence[Column], direct: frozenset[str] = frozenset(), k: int = K_PARTNERS
    ) -> None:
        self._k = k
        asked = [column for column in table.columns if column.name not in direct]
        self.keys = quasi_keys(asked, [column for column in places if column.name not in direct])
        self._places = [column.key for column in places]
        self.hidden = (left_out(table) | direct) - set(self.keys)
        self._kept = [column for column in asked if column.name not in self.hidden]
        self._ages = {column.key for column in self._kept if _is_age(column)}
        self.table = replace(table, parts=tuple(self._told_as(column) for column in table.columns))

    def _told_as(self, column: Column) -> Column:
        """Return the column as a shared file explains it: an age is told by its ten, a place may be its province."""
        if column.key in self._ages:
            return _labelled(column, f" (30 = 30-39, {OLDEST} = {OLDEST}+)")
        if column.key not in self._places:
            return column
        provinces = sorted({choice.name[:PROVINCE_LETTERS] for choice in column.choices})
        languages = column.form.languages or ("",)
        coarse = [Choice(code, dict.fromkeys(languages, f"{code} · …")) for code in provinces]
        taken = {choice.name for choice in column.choices}
        return replace(column, choices=(*column.choices, *(each for each in coarse if each.name not in taken)))

    def profile(self, records: Iterable[CsvRecord]) -> Profile:
        """Read the records once and return what becomes of them."""
        return profile_of((self._values(record.content) for record in records), self.keys, self._places, self._k)

    def records(self, profile: Profile, records: Iterable[CsvRecord]) -> Iterator[CsvRecord]:
        """Give the records as they may leave: of the times the day of arrival stays, of the node nothing.

        Each gets a number of its own, of this file alone: nobody can find it in another one.
        """
        for record in records:
            told = profile.told.get(self._values(record.content))
            if told is None:  # too few to share, or a record that counts only since the profile was made
                continue
            answers = {column.key: _plain_answer(column, record.content) for column in self._kept}
            answers.update(zip(self.keys, told, strict=True))
            content = {"id": str(uuid4()), "version": record.content.get("version"), "answers": answers}
            yield CsvRecord(content, record.submitted[:10], "")

    def _values(self, content: Mapping[str, Any]) -> Values:
        answers = answers_of(content)
        return tuple(
            _ten_of(text_at(answers, key)) if key in self._ages else text_at(answers, key) for key in self.keys
        )


def _is_age(column: Column) -> bool:
    return column.question.name in AGES and column.question.type not in SELECTS and column.type != TEXT


def _labelled(column: Column, words: str) -> Column:
    label = {language: text + words for language, text in column.question.label.items()}
    return replace(column, question=replace(column.question, label=label))


def _ten_of(text: str) -> str:
    """Return the ten of an age: "30" of "34"; "" of what is no age."""
    years = number_in(text)
    return "" if years is None or years < 0 else str(min(int(years // 10) * 10, OLDEST))


def _plain_answer(column: Column, content: Mapping[str, Any]) -> str:
    """Return an answer that is what the question asks for, else ""."""
    text = text_at(answers_of(content), column.key)
    if column.has_choices:
        names = {choice.name for choice in column.choices}
        given = [text] if column.question.type == "select_one" else text.split()
        return text if set(given) <= names else " ".join(name for name in given if name in names)
    return text if column.type == TEXT or number_in(text) is not None else ""
