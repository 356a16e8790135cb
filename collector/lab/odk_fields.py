"""The fields of a form as ODK Central lists them: every node of the primary instance, in document order. Pure.

    /casa                 structure
    /casa/miembro         repeat      rows of a table of their own, key "casa/miembro"
    /casa/miembro/edad    int         key "edad", inside its row
    /meta/instanceID      string      no question: what the record itself says

Our questions leave notes and the id of the record out and know nothing of removed fields; clients of ODK expect all of
them, so the list is made from `Form.tree` and not from the questions. docs/odk.md tells how it is used.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from collector.forms.model import Form

STRUCTURE, REPEAT = "structure", "repeat"
GEO = ("geopoint", "geotrace", "geoshape")
INSTANCE_ID = "/meta/instanceID"
AUDIT = "/meta/audit"
_PREFIX = "orx:"


@dataclass(frozen=True)
class Field:
    """One node. path: below the root, without prefixes; key: where its answer stands in its row ("" for a structure).

    type: the bind type, "structure" or "repeat"; steps: keys of the repeats around it, outermost first.
    """

    path: str
    type: str
    key: str = ""
    steps: tuple[str, ...] = ()
    is_binary: bool = False
    is_multiple: bool = False

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_value(self) -> bool:
        """Tell whether it holds an answer."""
        return self.type not in (STRUCTURE, REPEAT)


@lru_cache(maxsize=256)
def fields_of(form: Form) -> tuple[Field, ...]:
    """List the fields of a version in document order."""
    groups = {path.rpartition("/")[0] for path in form.tree}
    questions = {question.path: question for question in form.questions}
    repeats = {repeat.path: repeat for repeat in form.repeats}
    found: list[Field] = []
    for path in form.tree:
        steps = tuple(repeats[around].key for around in _around(path, repeats))
        plain = _plain(path[len(form.root) :])
        if path in repeats:
            found.append(Field(plain, REPEAT, repeats[path].key, steps))
        elif path in questions and not _is_entity(plain):
            question = questions[path]
            is_binary = question.bind == "binary" or plain == AUDIT
            is_multiple = question.type == "select_multiple"
            found.append(Field(plain, question.bind or "string", question.key, steps, is_binary, is_multiple))
        else:
            kind = STRUCTURE if path in groups or _is_entity(plain) else "string"
            found.append(Field(plain, kind, "" if kind == STRUCTURE else path[len(form.root) + 1 :], steps))
    return tuple(found)


def _is_entity(path: str) -> bool:
    """Tell whether a node makes an entity: a group even when nothing stands in it."""
    return path.endswith("/entity") and "/meta/entity" in path


def _around(path: str, repeats: Mapping[str, object]) -> Iterator[str]:
    """Give the paths of the repeats around a node, outermost first."""
    parts = path.split("/")
    return (above for end in range(2, len(parts)) if (above := "/".join(parts[:end])) in repeats)


def _plain(path: str) -> str:
    return "/".join(part.removeprefix(_PREFIX) for part in path.split("/"))


def merged(versions: Sequence[Form]) -> tuple[Field, ...]:
    """List the fields of all versions, oldest version first given; what the newest has not comes at the end of its
    group, as Central puts it with `deletedFields`.
    """
    result: list[Field] = []
    for form in versions:
        result = _revived(result, list(fields_of(form)))
    return tuple(result)


def _revived(older: Sequence[Field], newer: list[Field]) -> list[Field]:
    known = {field.path for field in newer}
    place = 0
    while place < len(older):
        field = older[place]
        end = place + 1
        if field.path not in known:
            while end < len(older) and older[end].path.startswith(f"{field.path}/"):
                end += 1
            at = _end_of(newer, field.path.rpartition("/")[0])
            newer[at:at] = older[place:end]
        place = end
    return newer


def _end_of(fields: Sequence[Field], group: str) -> int:
    """Return the place after the last field of a group; of the root's, after the last of all.

    As Central looks for it: "/casado" too begins like "/casa".
    """
    inside = [number for number, field in enumerate(fields) if field.path.startswith(group)]
    return inside[-1] + 1 if inside else len(fields)


def default_place(fields: Sequence[Field]) -> Field | None:
    """Return the first geographic field outside repeats: what a map shows when nobody names one."""
    return next((field for field in fields if field.type in GEO and not field.steps), None)


def names_of_files(fields: Sequence[Field], answers: Mapping[str, object]) -> list[str]:
    """List the files that answers name, each once, in the order of the fields."""
    found: dict[str, None] = {}
    for field in fields:
        if field.is_binary:
            texts = (row.get(field.key) for row in rows_of(field.steps, answers))
            found |= dict.fromkeys(text.strip() for text in texts if isinstance(text, str) and text.strip())
    return list(found)


def rows_of(steps: Sequence[str], answers: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Give the rows that the keys of repeats lead to; the answers themselves for none."""
    if not steps:
        yield answers
        return
    rows = answers.get(steps[0])
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            yield from rows_of(steps[1:], row)
