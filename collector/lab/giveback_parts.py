"""What a give-back page says of each question: labels, counts, shares. `lab/giveback.py` says what may be told."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from collector.lab.charts import wilson
from collector.lab.giveback import NO_ANSWER, OTHERS, Told, public_totals
from collector.lab.tables import SELECTS, Column
from collector.rooms.sense.suppression import K_PUBLIC

MOST_CHOICES = 30  # of a question that is told: longer lists are places and names
YES = "1"
SENSITIVE = ("direct", "sensitive", "free_text")


@dataclass(frozen=True)
class Said:
    """One answer. count: people, None is protected; share, low, high: of all who were asked, with its interval.

    share_of_all: the share in all municipalities together, None where that is not told.
    """

    label: str
    count: int | None
    share: float = 0.0
    low: float = 0.0
    high: float = 1.0
    share_of_all: float | None = None


@dataclass(frozen=True)
class Part:
    """A question: n people were asked. is_several: they could take several answers."""

    key: str
    label: str
    n: int
    said: tuple[Said, ...]
    is_several: bool = False


@dataclass(frozen=True)
class Words:
    """How a page calls what has no label: answers that stand together, and no answer."""

    others: str
    nothing: str


@dataclass(frozen=True)
class Line:
    """What is told of a question, or of one choice of a question with several (`choice`, else "")."""

    column: Column
    choice: str
    told: Told


def can_be_told(column: Column, direct: frozenset[str]) -> bool:
    """Tell whether a question may stand on such a page: one with a short list of choices, asked once, of nobody's name.

    direct: the keys that say who somebody is.
    """
    question = column.question
    if column.steps or question.type not in SELECTS or column.key in direct or question.privacy in SENSITIVE:
        return False
    return 0 < len(column.choices) <= MOST_CHOICES


def municipality_parts(lines: Iterable[Line], municipality: str, language: str, words: Words) -> list[Part]:
    """Return the questions of which something may be told of one municipality by itself."""
    return _parts(_of_municipality(line, municipality, language, words) for line in lines)


def public_parts(lines: Iterable[Line], language: str, words: Words, k: int = K_PUBLIC) -> list[Part]:
    """Return the questions as everybody may see them: all municipalities together, nothing of fewer than k people."""
    return _parts(_of_all(line, language, words, k) for line in lines)


def _parts(found: Iterable[Part | None]) -> list[Part]:
    """Put the choices of a question with several together."""
    parts: dict[str, Part] = {}
    for part in found:
        if part is not None:
            known = parts.get(part.key)
            said = (*known.said, *part.said) if known else part.said
            parts[part.key] = Part(part.key, part.label, part.n, said, part.is_several)
    return list(parts.values())


def _of_municipality(line: Line, municipality: str, language: str, words: Words) -> Part | None:
    name = line.told.column_of(municipality)
    if name is None:
        return None
    n, of_all = line.told.column_total(name), line.told.totals()
    counts = line.told.column(name)
    shares = {row: of_all[row] / line.told.n for row in of_all}
    return _part(line, n, counts, shares, language, words)


def _of_all(line: Line, language: str, words: Words, k: int) -> Part | None:
    totals = public_totals(line.told, k)
    return _part(line, line.told.n, totals, {}, language, words) if totals else None


def _part(
    line: Line, n: int, counts: Mapping[str, int | None], shares: Mapping[str, float], language: str, words: Words
) -> Part | None:
    labels = line.column.choice_labels(language)
    if line.choice:
        if YES not in counts and OTHERS in counts:
            return None  # who took it stands together with who did not
        counts = {line.choice: counts.get(YES, 0)}
        shares = {line.choice: shares[YES]} if YES in shares else {}
    said = tuple(_in_order(counts, labels, shares, n, words))
    return Part(line.column.key, line.column.label(language), n, said, bool(line.choice))


def _in_order(
    counts: Mapping[str, int | None], labels: Mapping[str, str], shares: Mapping[str, float], n: int, words: Words
) -> Iterator[Said]:
    """Give the choices as the form lists them, then what stands together, then who gave no answer."""
    last = {OTHERS: words.others, NO_ANSWER: words.nothing}
    for name, label in (*labels.items(), *last.items()):
        if name in counts:
            count = counts[name]
            low, high = wilson(count, n) if count is not None else (0.0, 1.0)
            yield Said(label, count, count / n if count is not None and n else 0.0, low, high, shares.get(name))
