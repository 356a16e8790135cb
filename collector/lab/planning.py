"""What the page of a form's plan offers, and the plan that somebody posted there. Pure."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.form_plan import MOST_DAYS, Plan, Quota
from collector.forms.model import Form
from collector.lab.identifiers import direct_keys
from collector.lab.tables import Column, tables_of

MOST_CHOICES = 40  # of a question with quotas: longer lists are places and names
MOST_ANSWERS = 10_000_000
COUNTED = ("select_one", "select_multiple", "integer", "decimal", "range", "rank")
QUOTA = "quota:"
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """A question that a plan can speak of. choices: (value, label) pairs, none where only the question counts."""

    key: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Trouble:
    """What could not be read. field: frequency, expected, quota or place; said: what the person typed.

    in_rows: a quota was wanted of a question inside a repeat; said: the question.
    """

    field: str
    said: str


@dataclass(frozen=True)
class Offered:
    """What the page offers. nodes: ids below this one; places: code -> name; quotas, public: questions.

    in_rows: questions inside repeats, which could have quotas if one answer held one row of them.
    """

    nodes: frozenset[str]
    places: Mapping[str, str]
    quotas: tuple[Asked, ...]
    public: tuple[Asked, ...]
    in_rows: tuple[Asked, ...] = ()


def quota_questions(form: Form, language: str) -> tuple[Asked, ...]:
    """Return the questions for which a number of answers a choice can be wanted: one choice of a short list."""
    return tuple(_short_lists(tables_of([form]).columns, language))


def questions_in_rows(form: Form, language: str) -> tuple[Asked, ...]:
    """Return the questions of short lists inside repeats: a quota counts answers, and these count rows."""
    _, *inside = tables_of([form]).walk()
    return tuple(asked for table in inside for asked in _short_lists(table.columns, language))


def _short_lists(columns: Iterable[Column], language: str) -> Iterator[Asked]:
    for column in columns:
        if column.question.type == "select_one" and 1 < len(column.choices) <= MOST_CHOICES:
            yield Asked(column.name, column.label(language), tuple(column.choice_labels(language).items()))


def public_questions(form: Form, language: str) -> tuple[Asked, ...]:
    """Return the questions that can stand on a public page: counted ones that do not say who somebody is."""
    hidden = direct_keys([form])
    return tuple(
        Asked(column.name, column.label(language))
        for column in tables_of([form]).columns
        if column.question.type in COUNTED and column.name not in hidden and any(column.question.label.values())
    )


def read_plan(pairs: Pairs, before: Plan, offered: Offered) -> tuple[Plan, list[Trouble]]:
    """Return the plan that was posted, and what in it could not be read; that part is as in `before`.

    Nodes and places that are planned and not offered here (a node that is gone) are dropped: nobody saw them.
    Where the upstream decides about assignment, only the rest is read.
    """
    troubles: list[Trouble] = []
    plan = replace(
        before,
        frequency_days=_frequency(pairs, before, troubles),
        expected=_expected(pairs, before, offered.places, troubles),
        quotas=_quotas(pairs, before, offered, troubles),
        is_public=_has(pairs, "public_on"),
        public=_chosen(pairs, "public", (asked.key for asked in offered.public)),
    )
    if before.is_from_above:
        return plan, troubles
    nodes = _chosen(pairs, "node", offered.nodes)
    return replace(plan, nodes=nodes, municipalities=_chosen(pairs, "place", offered.places)), troubles


def _has(pairs: Pairs, name: str) -> bool:
    return any(each == name for each, _ in pairs)


def _first(pairs: Pairs, name: str) -> str:
    return next((value for each, value in pairs if each == name), "")


def _chosen(pairs: Pairs, name: str, offered: Iterable[str]) -> tuple[str, ...]:
    known = set(offered)
    return tuple(dict.fromkeys(value for each, value in pairs if each == name and value in known))


def _number(text: str, most: int) -> int | None:
    """Return a whole number as people write it ("1 200", "1,200"), None for anything else."""
    lean = text.replace(" ", "").replace(",", "").replace("\u00a0", "")
    return int(lean) if lean.isascii() and lean.isdigit() and len(lean) < 12 and int(lean) <= most else None


def _frequency(pairs: Pairs, before: Plan, troubles: list[Trouble]) -> int:
    said = _first(pairs, "frequency").strip()
    days = _number(said or "0", MOST_DAYS)
    if days is None:
        troubles.append(Trouble("frequency", said))
        return before.frequency_days
    return days


def _quotas(pairs: Pairs, before: Plan, offered: Offered, troubles: list[Trouble]) -> tuple[Quota, ...]:
    known = {(each.key, value) for each in offered.quotas for value, _ in each.choices}
    in_rows = {each.key: each.label for each in offered.in_rows}
    found: list[Quota] = []
    for name, said in pairs:
        key, _, value = name.removeprefix(QUOTA).partition(":")
        if not name.startswith(QUOTA) or not said.strip():
            continue
        if key in in_rows:
            troubles.append(Trouble("in_rows", in_rows[key]))
        if (key, value) not in known:
            continue
        target = _number(said, MOST_ANSWERS)
        if target is None:
            troubles.append(Trouble("quota", said))
            found += [quota for quota in before.quotas if (quota.question, quota.value) == (key, value)]
        elif target:
            found.append(Quota(key, value, target))
    return tuple(found)


def _expected(pairs: Pairs, before: Plan, places: Mapping[str, str], troubles: list[Trouble]) -> Mapping[str, int]:
    """Read lines as "San Miguelito: 50"; a place by its name, accents aside, or its code."""
    known = {_letters(name): code for code, name in places.items() if len(code) > 2 or not _has_districts(code, places)}
    known |= {code: code for code in known.values()}
    found: dict[str, int] = {}
    wrong: list[Trouble] = []
    for line in _first(pairs, "expected").splitlines():
        place, _, said = line.rpartition(":")
        code, count = known.get(_letters(place)), _number(said.strip(), MOST_ANSWERS)
        if not line.strip():
            continue
        if code is None or count is None:
            wrong.append(Trouble("place" if count is not None and place else "expected", line.strip()))
        elif count:
            found[code] = count
    troubles += wrong
    return before.expected if wrong else found


def _has_districts(code: str, places: Mapping[str, str]) -> bool:
    return any(len(other) > len(code) and other.startswith(code) for other in places)


def expected_lines(expected: Mapping[str, int], places: Mapping[str, str]) -> str:
    """Return what is expected as the page shows it to be edited: a line a place, by name."""
    lines = sorted(f"{places.get(code, code)}: {count}" for code, count in expected.items())
    return "\n".join(lines)


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFD", " ".join(text.split()).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
