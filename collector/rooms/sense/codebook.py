"""The codebook: codes as paths in a tree under dimensions, built from contributions that add, describe, move and merge.

    confianza                    a dimension
    └─ confianza/vecinos         a code
       └─ confianza/vecinos/otro-origen

A code's path is its name for ever: codings made offline under an old path find the new one through `Codebook.now`.
Two codes are merged by saying that one becomes the other; what stands below moves along. To take a merge back, undo
its contribution. Order is that of the session, so two people who work offline get the same book.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from collector.fill.search_text import folded

DEEPEST = 6
# key -> Spanish label; others are made by using them
DIMENSIONS = {"desigualdades": "Desigualdades", "gobernanza": "Gobernanza", "confianza": "Confianza"}


class CodeError(ValueError):
    """A code that cannot be used; the sentence names it and says what to do."""


@dataclass(frozen=True)
class CodeChange:
    """One contribution about a code. None: says nothing about it. becomes: the path that stands for it from now on."""

    path: str
    label: str | None = None
    dimension: str | None = None
    description: str | None = None
    becomes: str | None = None


@dataclass(frozen=True)
class Code:
    """A code of the book. path: parts joined by "/", small letters; dimension: a key, the path's first part usually."""

    path: str
    label: str
    dimension: str
    description: str = ""

    @property
    def parent(self) -> str:
        """Return the path right above, "" at the top."""
        return self.path.rpartition("/")[0]

    @property
    def depth(self) -> int:
        """Return 1 at the top."""
        return self.path.count("/") + 1


@dataclass(frozen=True)
class Codebook:
    """codes: by path, in the order of the tree; moves: (path, what it became), in the order it happened."""

    codes: Mapping[str, Code]
    moves: tuple[tuple[str, str], ...] = ()

    def now(self, path: str) -> str:
        """Return the path that stands for `path` today, itself when it never moved."""
        return _moved(path_of(path), self.moves)

    def below(self, path: str) -> tuple[Code, ...]:
        """Return the code at `path` and all under it, in the order of the tree."""
        return tuple(code for code in self.codes.values() if is_under(code.path, path))

    def children(self, path: str = "") -> tuple[Code, ...]:
        """Return the codes right under `path`, those at the top for ""."""
        return tuple(code for code in self.codes.values() if code.parent == path)

    def dimensions(self) -> tuple[str, ...]:
        """Return the dimensions in use: ours first, in their order, then the others by name."""
        used = {code.dimension for code in self.codes.values()}
        return (*(name for name in DIMENSIONS if name in used), *sorted(used - set(DIMENSIONS)))

    def label(self, path: str) -> str:
        """Return what people read for a path: its code's label, else its last part."""
        found = self.codes.get(self.now(path))
        return found.label if found else _plain_label(self.now(path))


def path_of(text: str) -> str:
    """Return a path as it is kept: " Confianza / Vecinos" is "confianza/vecinos". Accents stay: "daño" is no "dano".

    Raises CodeError when nothing is left of it or it is deeper than DEEPEST.
    """
    parts = [" ".join(part.casefold().split()) for part in unicodedata.normalize("NFC", text).split("/")]
    parts = [part.replace(" ", "-") for part in parts if part]
    if not parts:
        raise CodeError(f"The code {text!r} has no letters: write it as confianza/vecinos")
    if len(parts) > DEEPEST:
        raise CodeError(f"The code {text!r} has {len(parts)} levels and {DEEPEST} fit: shorten it")
    return "/".join(parts)


def is_under(path: str, above: str) -> bool:
    """Tell whether `path` is `above` or stands below it; everything is under ""."""
    return not above or path == above or path.startswith(f"{above}/")


def codebook_of(changes: Iterable[CodeChange], used: Iterable[str] = ()) -> Codebook:
    """Return the book after `changes`, in the session's order. used: paths in codings; those without a code get one.

    Codes above another exist by themselves. The newest word on each field wins; of a merge, that of the code that
    stays wins over that of the code that goes. A path that cannot be is left out: nobody could have coded with it.
    """
    usable = [change for change in map(_tidied, changes) if change is not None]
    moves = tuple((change.path, change.becomes) for change in usable if change.becomes)
    said: dict[str, Code] = {}
    # those that go speak first, so that those that stay have the last word
    for change in sorted(usable, key=lambda change: _moved(change.path, moves) == change.path):
        path = _moved(change.path, moves)
        said[path] = _with(said.get(path) or _bare(path), change)
    paths = {*said, *(_moved(path, moves) for path in map(_path_or_nothing, used) if path)}
    paths.update(each for path in list(paths) for each in above(path))
    codes: dict[str, Code] = {}
    for path in sorted(paths, key=_tree_order):
        codes[path] = _in_dimension(said.get(path) or _bare(path), codes)
    return Codebook(codes, moves)


def used_book(book: Codebook, used: Iterable[str]) -> Codebook:
    """Return the part of a book that some codings use: their codes and those above them."""
    paths = {path for each in used for path in (each, *above(each))}
    return Codebook({path: code for path, code in book.codes.items() if path in paths}, book.moves)


def _in_dimension(code: Code, above: Mapping[str, Code]) -> Code:
    """Return the code under the dimension it names, else that of the code above it, else its own first part."""
    inherited = above[code.parent].dimension if code.parent else code.path
    return code if code.dimension else replace(code, dimension=inherited)


def search(book: Codebook, words: str) -> tuple[Code, ...]:
    """Return the codes that hold every word, wherever, whatever the accents: "participacion" finds "Participación"."""
    wanted = folded(words).split()
    return tuple(code for code in book.codes.values() if _holds(_said_of(code), wanted))


def finds(text: str, words: str) -> bool:
    """Tell whether a text holds every word, whatever accents and capitals; no words are in every text."""
    return _holds(text, folded(words).split())


def _holds(text: str, wanted: list[str]) -> bool:
    plain = folded(text)
    return all(word in plain for word in wanted)


def _said_of(code: Code) -> str:
    return f"{code.label} {code.path} {code.path.replace('-', ' ')} {code.description}"


def _tidied(change: CodeChange) -> CodeChange | None:
    path = _path_or_nothing(change.path)
    if not path:
        return None
    becomes = _path_or_nothing(change.becomes or "")
    # a code cannot move under itself: its path would grow with every look
    return replace(change, path=path, becomes=becomes if becomes and not is_under(becomes, path) else None)


def _path_or_nothing(text: str) -> str:
    try:
        return path_of(text)
    except CodeError:
        return ""


def _moved(path: str, moves: Iterable[tuple[str, str]]) -> str:
    """Follow each move once, in their order: so A to B and later B to A leads somewhere, and never round for ever."""
    for old, new in moves:
        if is_under(path, old):
            path = new + path[len(old) :]
    return path


def _bare(path: str) -> Code:
    return Code(path, _plain_label(path), "")


def _plain_label(path: str) -> str:
    last = path.rpartition("/")[2]
    return DIMENSIONS.get(path) or last.replace("-", " ")[:1].upper() + last.replace("-", " ")[1:]


def _with(code: Code, change: CodeChange) -> Code:
    """Return the code with what a change says; words that are blank take nothing away but the description."""
    label = code.label if change.becomes or not (change.label or "").strip() else str(change.label).strip()
    dimension = _path_or_nothing(change.dimension or "").partition("/")[0] or code.dimension
    description = code.description if change.description is None else change.description.strip()
    return replace(code, label=label, dimension=dimension, description=description)


def above(path: str) -> list[str]:
    """Return the paths above a path, the dimension first."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _tree_order(path: str) -> tuple[int, tuple[str, ...]]:
    """Order ours first, as they stand, then by name without accents; each code right after the one above it."""
    ours = list(DIMENSIONS)
    first = path.partition("/")[0]
    place = ours.index(first) if first in ours else len(ours)
    return place, tuple(part for name in path.split("/") for part in (folded(name), name))
