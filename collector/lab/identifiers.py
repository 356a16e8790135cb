"""Which answers say who somebody is, and a record without them: for whoever may not see direct identifiers. Pure.

What the form says of a question counts (`bind::privacy`: none, quasi, direct, sensitive or free_text); where it says
nothing, what the publish report warns of does (forms/people.py), and a calculation that reads such an answer is one
too. docs/lab-people.md has the rules for authors.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from collector.forms.expressions import reads
from collector.forms.model import Form, Question
from collector.forms.people import asks_by_name, asks_by_text
from collector.forms.program import shape_of
from collector.lab.odk_fields import AUDIT

MASK = "•••"
DIRECT, FREE_TEXT = "direct", "free_text"
# what an author may say of a question; any other word is a slip, and a slip must not open what somebody meant to close
LEVELS = ("none", "quasi", DIRECT, "sensitive", FREE_TEXT)
# what names the device names whoever carries it
PROPERTIES = frozenset({"deviceid", "phonenumber", "email", "username", "subscriberid", "simserial"})
GUARDIAN = "consent/guardian"  # who gave leave for a child
VOICES = ("audio", "video")
# what stands in the place of an answer: None for nothing at all
Veil = Callable[[object], str | None]
_ROW_NUMBER = re.compile(r"\[[0-9]+\]")


def direct_keys(forms: Sequence[Form]) -> frozenset[str]:
    """Return the keys of the questions that ask who somebody is, in any of these versions of a form.

    Keys are whole: "grupo/nombre", inside a repeat "persona/nombre". Cost: 0.1 ms a form, once a version.
    """
    return _direct_in(tuple(forms))


@lru_cache(maxsize=256)
def _direct_in(forms: tuple[Form, ...]) -> frozenset[str]:
    return frozenset().union(*(_direct_of(form) for form in forms))


def whole_key(form: Form, question: Question) -> str:
    """Return the question's path below the root: its key with those of the repeats around it."""
    return question.path[len(form.root) + 1 :]


@lru_cache(maxsize=256)
def _direct_of(form: Form) -> frozenset[str]:
    return _with_derived(form, {question.path for question in form.questions if is_direct(question, form)})


def _with_derived(form: Form, found: set[str]) -> frozenset[str]:
    """Return the keys of these paths and of what is reckoned from them."""
    derived = _derived(form)
    while more := {path for path, read in derived.items() if path not in found and read & found}:
        found |= more
    return frozenset(path[len(form.root) + 1 :] for path in found)


def is_direct(question: Question, form: Form) -> bool:
    """Tell whether the answer says who somebody is, by itself: as the form says, else by its type, name and texts."""
    if question.privacy:
        return question.privacy == DIRECT or question.privacy not in LEVELS
    if question.property in PROPERTIES or whole_key(form, question) == GUARDIAN or question.type in VOICES:
        return True
    if question.type == "image" and "signature" in question.appearance:
        return True
    return bool(asks_by_name(question.name, question.type) or asks_by_text(question.label.values(), question.type))


def marked_keys(forms: Sequence[Form]) -> frozenset[str]:
    """Return the keys of what these versions mark `privacy = direct`, and of calculations that read it.

    Fewer than `direct_keys`: what is taken away for good must be what an author said, never what a program guessed.
    """
    return _marked_in(tuple(forms))


@lru_cache(maxsize=256)
def _marked_in(forms: tuple[Form, ...]) -> frozenset[str]:
    return frozenset().union(*(_with_derived(form, _marked_of(form)) for form in forms))


def _marked_of(form: Form) -> set[str]:
    return {question.path for question in form.questions if question.privacy == DIRECT}


def _derived(form: Form) -> dict[str, frozenset[str]]:
    """Return path -> what its answer is reckoned from, of those whose author does not say what they are."""
    shape, said = shape_of(form), {question.path for question in form.questions if question.privacy}
    found: dict[str, frozenset[str]] = {}
    for question in form.questions:
        if question.logic.calculate is not None:
            found[question.path] = reads(question.logic.calculate, shape, question.path)
    for action in form.actions:
        if action.value is not None:
            found[action.path] = found.get(action.path, frozenset()) | reads(action.value, shape, action.path)
    return {path: read for path, read in found.items() if path not in said}


# --- records


def without(content: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    """Return a copy of a record's content without the answers of these keys, at every depth.

    Gone with them: the files that no other answer names, and what was written beside a place (its code stays). A
    record that holds no answers, such as a contribution to a room, is copied as it is.
    """
    return _veiled(content, keys, lambda _value: None)


def masked(content: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    """Return the same copy for people to read: MASK stands where something was answered that they may not see."""
    return _veiled(content, keys, lambda value: MASK if value else "")


def hidden_keys(content: Mapping[str, Any], forms: Sequence[Form]) -> frozenset[str]:
    """Return the keys of a record's direct identifiers. forms: every version of its form.

    An answer that no version asks for is judged by its name; of a form that is not known here every answer is one.
    Collect's audit always is: it tells what people wrote and took back, names too.
    """
    answers = content.get("answers")
    known, asked = tuple(forms), _asked_by(tuple(forms))
    unasked = [key for key in keys_in(answers) if key not in asked] if isinstance(answers, dict) else []
    strange = {key for key in unasked if not known or asks_by_name(key.rpartition("/")[2], "text")}
    return _veiled_in(known) | strange if strange else _veiled_in(known)


@lru_cache(maxsize=256)
def _veiled_in(forms: tuple[Form, ...]) -> frozenset[str]:
    return _direct_in(forms) | {AUDIT.strip("/")}


def without_identifiers(content: Mapping[str, Any], forms: Sequence[Form]) -> dict[str, Any]:
    """Return a copy without direct identifiers, as `without` does; forms: every version of the record's form."""
    return without(content, hidden_keys(content, forms))


@lru_cache(maxsize=256)
def _asked_by(forms: tuple[Form, ...]) -> frozenset[str]:
    return frozenset(whole_key(form, question) for form in forms for question in form.questions)


def keys_in(row: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Give the whole key of every answer in a row and in the rows inside it."""
    for key, value in row.items():
        inner = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
        if not inner:
            yield prefix + key
        for each in inner:
            yield from keys_in(each, f"{prefix}{key}/")


def _veiled(content: Mapping[str, Any], keys: frozenset[str], veil: Veil) -> dict[str, Any]:
    if not isinstance(content.get("answers"), dict):
        return {name: part for name, part in content.items() if name != "answers"}
    answers = _row(content["answers"], keys, "", veil)
    kept = {**content, "answers": answers}
    if "blobs" in content:
        kept["blobs"] = _files_named(content["blobs"], answers)
    if "places" in content:
        kept["places"] = _places_without(content["places"], keys)
    return kept


@lru_cache(maxsize=256)
def _holders(keys: frozenset[str]) -> frozenset[str]:
    """Return what stands around these keys: "persona" and "persona/visita" of "persona/visita/celular"."""
    steps = [key.split("/") for key in keys]
    return frozenset("/".join(each[:length]) for each in steps for length in range(1, len(each)))


def _row(row: Mapping[str, Any], keys: frozenset[str], prefix: str, veil: Veil) -> dict[str, Any]:
    found = {}
    for name, value in row.items():
        key = f"{prefix}{name}"
        part = veil(value) if key in keys else _part(value, keys, key, veil)
        if part is not None or key not in keys:
            found[name] = part
    return found


def _part(value: object, keys: frozenset[str], key: str, veil: Veil) -> object:
    """Return an answer, or the rows of a repeat; what is no row where rows are expected might be anything."""
    holds_more = key in _holders(keys)
    if isinstance(value, dict):
        return _row(value, keys, f"{key}/", veil)
    if isinstance(value, list):
        rows = [_row(row, keys, f"{key}/", veil) if isinstance(row, dict) else row for row in value]
        return [row if isinstance(row, dict) or not holds_more else {} for row in rows]
    return "" if holds_more else value


def _files_named(blobs: object, answers: Mapping[str, Any]) -> list[object]:
    named = set(_texts_in(answers))
    entries = blobs if isinstance(blobs, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("name") in named]


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(each)


def _places_without(places: object, keys: frozenset[str]) -> dict[str, Any]:
    """Leave the code of a place: it says which municipality, as any answer may; what was written says which house."""
    given = places if isinstance(places, dict) else {}
    return {key: _code_alone(entry) if plain_key(key) in keys else entry for key, entry in given.items()}


def _code_alone(entry: object) -> dict[str, Any]:
    return {"code": entry["code"]} if isinstance(entry, dict) and isinstance(entry.get("code"), str) else {}


def plain_key(key: str) -> str:
    """Return the key without the numbers of rows: "persona[2]/nombre" is "persona/nombre"."""
    return _ROW_NUMBER.sub("", key)
