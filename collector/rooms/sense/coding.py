"""Who put which code on what: any note, statement or open answer, by several coders, online or not.

A target is the id of a contribution, or "RECORD#question" for an open answer of a survey. What one coder said last of
one code on one target counts; nobody takes another's code off. A coder has seen a target once they said anything of
it, also that a code does not belong there: only then their silence about other codes means no.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from collector.rooms.room import Item
from collector.rooms.sense.agreement import cohen_kappa, krippendorff_alpha, percent_agreement
from collector.rooms.sense.codebook import Code, Codebook, CodeChange, CodeError, codebook_of, is_under, path_of


@dataclass(frozen=True)
class Coding:
    """`coder` says that the code at `path` belongs to `target`, or that it does not."""

    target: str
    path: str
    coder: str
    is_on: bool = True


@dataclass(frozen=True)
class Coded:
    """What is coded. by_target: target -> coder -> paths of today; a coder who saw it and put nothing has none."""

    by_target: Mapping[str, Mapping[str, frozenset[str]]]

    def paths(self, target: str) -> frozenset[str]:
        """Return the codes that any coder put on a target."""
        return frozenset[str]().union(*self.by_target.get(target, {}).values())

    def has(self, target: str, path: str) -> bool:
        """Tell whether a target carries a code or one below it."""
        return any(is_under(each, path) for each in self.paths(target))

    def used(self) -> frozenset[str]:
        """Return the codes that anybody put on anything."""
        return frozenset[str]().union(*(paths for coders in self.by_target.values() for paths in coders.values()))

    def coders(self) -> tuple[str, ...]:
        """Return who coded, by name."""
        return tuple(sorted({coder for coders in self.by_target.values() for coder in coders}))


def read_codebook(items: Iterable[Item], language: str = "es") -> Codebook:
    """Return the book that the items "code" and "coding" make, in their order (pieces.py: said_in_order).

    language: of labels that stand in several ("es" first where it is missing).
    """
    found = list(items)
    changes = [_change(each, language) for each in found if each.what == "code"]
    return codebook_of(changes, [str(each.payload["path"]) for each in found if each.what == "coding"])


def _change(item: Item, language: str) -> CodeChange:
    payload = item.payload
    return CodeChange(
        path=str(payload["path"]),
        label=_label(payload.get("label"), language),
        dimension=_text_or_none(payload.get("dimension")),
        description=_text_or_none(payload.get("description")),
        becomes=_text_or_none(payload.get("becomes")),
    )


def _label(said: object, language: str) -> str | None:
    if isinstance(said, Mapping):
        chosen = said.get(language) or said.get("es") or next(iter(said.values()), None)
        return _text_or_none(chosen)
    return _text_or_none(said)


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def read_codings(items: Iterable[Item]) -> list[Coding]:
    """Return the codings among the items, in the order given."""
    return [
        Coding(
            str(each.payload["target"]),
            str(each.payload["path"]),
            str(each.payload["coder"]),
            each.payload.get("on") is not False,
        )
        for each in items
        if each.what == "coding"
    ]


def coded(codings: Iterable[Coding], book: Codebook) -> Coded:
    """Return what is coded today: each coder's last word on each path, then under the path that stands for it now.

    A code switched off under its old name does not take off the one that it was merged into.
    """
    last: dict[tuple[str, str, str], bool] = {}
    for coding in codings:
        last[coding.target, coding.coder, _kept_path(coding.path)] = coding.is_on
    by_target: dict[str, dict[str, set[str]]] = {}
    for (target, coder, path), is_on in last.items():
        mine = by_target.setdefault(target, {}).setdefault(coder, set())
        if is_on and path:
            mine.add(book.now(path))
    return Coded(
        {
            target: {coder: frozenset(paths) for coder, paths in sorted(coders.items())}
            for target, coders in sorted(by_target.items())
        }
    )


def _kept_path(text: str) -> str:
    try:
        return path_of(text)
    except CodeError:
        return ""


# --- how far the coders agree


@dataclass(frozen=True)
class CodeAgreement:
    """One code: n targets that two or more saw, of them `used` with the code by anybody.

    percent: share of pairs of coders who say the same, 0 to 1; kappa: with two coders only; alpha: nominal. None: not
    defined, as when nobody used the code.
    """

    code: Code
    n: int
    used: int
    percent: Fraction | None
    kappa: Fraction | None
    alpha: Fraction | None


@dataclass(frozen=True)
class CoderAgreement:
    """coders: who coded; codes: each code of the book that any of them used, in its order."""

    coders: tuple[str, ...]
    codes: tuple[CodeAgreement, ...]


def agreement(found: Coded, book: Codebook) -> CoderAgreement:
    """Compare the coders, code by code: a target has a code when it carries it or one below it."""
    coders = found.coders()
    shared = [seen for seen in found.by_target.values() if len(seen) > 1]
    codes = [_of_code(code, shared, coders) for code in book.codes.values()]
    return CoderAgreement(coders, tuple(each for each in codes if each.used))


def _of_code(code: Code, shared: list[Mapping[str, frozenset[str]]], coders: tuple[str, ...]) -> CodeAgreement:
    units = [[_carries(paths, code.path) for paths in seen.values()] for seen in shared]
    pairs = [pair for values in units for pair in combinations(values, 2)]
    used = sum(any(values) for values in units)
    kappa = cohen_kappa(pairs) if len(coders) == 2 else None
    return CodeAgreement(code, len(units), used, percent_agreement(pairs), kappa, krippendorff_alpha(units))


def _carries(paths: frozenset[str], wanted: str) -> bool:
    return any(is_under(path, wanted) for path in paths)
