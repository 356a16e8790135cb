"""What people said of a record and what became of it: its states, its history in order of time, what an edit changed.

Pure: the caller brings the records (queries/reviews.py) and the forms. The states are those of ODK Central.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.forms.listed import labels_of
from collector.forms.model import Form
from collector.lab.tables import answers_of, language_of, tables_of
from collector.lab.whole_record import Answer, RecordReader, files_of, leaves

# how a review says it -> in words
STATES = {"received": "Recibido", "has_issues": "Con problemas", "approved": "Aprobado", "rejected": "Rechazado"}
EDITED, ANSWERED = "Corregido", "Contestó el equipo"
OF_ODK = {"has_issues": "hasIssues", "approved": "approved", "rejected": "rejected"}
MOST_COMMENT = 1000  # letters
MOST_DIFFERENCES = 100


def odk_state(review: str, kind: str) -> str | None:
    """Return the `reviewState` that ODK's clients know: of an edit that nobody has reviewed yet it is "edited".

    review: the record's column; kind: of the record that counts. None is what ODK calls received.
    """
    return OF_ODK.get(review) or ("edited" if kind == "edit" else None)


# --- what an edit changed


@dataclass(frozen=True)
class Difference:
    """One answer that is not the same in both, in words for people; "" where it is not given."""

    key: str
    label: str
    old: str
    new: str


def differences(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    forms: tuple[Form | None, Form | None],
    lang: str,
    places: Mapping[str, str],
) -> list[Difference]:
    """Return what changed between two contents, in the order of the newer form, then what only the older one has.

    forms: that of the old content and that of the new one, None where it is not here: keys stand for labels then.
    places: code -> label, for places chosen from the list.
    """
    before, after = _answers(old, forms[0], lang, places), _answers(new, forms[1], lang, places)
    found = []
    for key in dict.fromkeys((*after, *before)):
        one, other = before.get(key), after.get(key)
        if (one.text if one else "") != (other.text if other else "") or _place(one) != _place(other):
            label = (other or one or NOTHING).label
            found.append(Difference(key, label, _words(one), _words(other)))
    return found


NOTHING = Answer("", "", "", "", "", False)


def _place(answer: Answer | None) -> str:
    return answer.place if answer else ""


def _words(answer: Answer | None) -> str:
    return (answer.words or answer.place) if answer else ""


def _answers(content: Mapping[str, Any], form: Form | None, lang: str, places: Mapping[str, str]) -> dict[str, Answer]:
    chosen = labels_of(content.get("places"), places)
    reader = RecordReader(language_of(form, lang) if form else "", files_of(content), places=chosen)
    parts = reader.parts(tables_of([form] if form else []), answers_of(content))
    return {answer.key: answer for answer in leaves(parts)}


# --- the history of a record


@dataclass(frozen=True)
class Told:
    """A record of a history as the store has it: a submission, an edit, or an annotation about one of them.

    content: what its bytes say, {} once erased.
    """

    id: str
    kind: str
    about: str
    form: str
    version: str
    device_ms: int
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Event:
    """One thing that happened to a record. what: "collected", "edited", "reviewed", "commented" or "decided".

    by: an e-mail, "pin" for the team of a tablet, "person" who corrected their own answers, "" where nobody says it.
    state: of a review; comment: why, or what was said; changed: of an edit, at most 100 of `count` differences.
    """

    id: str
    what: str
    by: str
    at_ms: int
    state: str = ""
    comment: str = ""
    changed: tuple[Difference, ...] = ()
    count: int = 0


FindForm = Callable[[str, str], Form | None]


@dataclass
class _History:
    """What is looked up while a history is told."""

    records: dict[str, Told]
    find: FindForm
    lang: str
    places: Mapping[str, str]
    whys: dict[str, Told] = field(default_factory=dict)


def history(told: Sequence[Told], find: FindForm, lang: str, places: Mapping[str, str]) -> list[Event]:
    """Return what happened to a record and its edits, oldest first: by the clocks of the devices, then by id.

    What an edit was made for stands beside it, not by itself. find: form and version -> the form, None when not here;
    places: code -> label.
    """
    whys = {it.about: it for it in told if it.kind == "annotation" and "replaces" in it.content}
    beside = _History({it.id: it for it in told if it.kind in ("submission", "edit")}, find, lang, places, whys)
    reasons = {it.id for it in whys.values() if it.about in beside.records}
    ordered = sorted(told, key=lambda it: (it.device_ms, it.id))
    return [_event(it, beside) for it in ordered if it.id not in reasons and it.content]


def _event(told: Told, beside: _History) -> Event:
    if told.kind == "annotation":
        return _word(told)
    if told.kind != "edit":
        return Event(told.id, "collected", "", told.device_ms)
    why = beside.whys.get(told.id)
    found = _changes(told, beside)
    by, comment = (_text(why, "by"), _text(why, "comment")) if why else ("person" if _text(told, "claim") else "", "")
    changed = tuple(found[:MOST_DIFFERENCES])
    return Event(told.id, "edited", by, told.device_ms, comment=comment, changed=changed, count=len(found))


def _changes(edit: Told, beside: _History) -> list[Difference]:
    old = beside.records.get(edit.about)
    if old is None or not old.content:
        return []
    forms = beside.find(old.form, old.version), beside.find(edit.form, edit.version)
    return differences(old.content, edit.content, forms, beside.lang, beside.places)


def _word(told: Told) -> Event:
    by, comment = _text(told, "by"), _text(told, "comment") or _text(told, "reason")
    state = state_said(told.content)
    what = "reviewed" if state else "decided" if "decision" in told.content else "commented"
    return Event(told.id, what, by, told.device_ms, state, comment)


def _text(told: Told, key: str) -> str:
    found = told.content.get(key)
    return found if isinstance(found, str) else ""


def state_said(content: Mapping[str, Any]) -> str:
    """Return the state that an annotation gives; "" when it gives none that is known."""
    review = content.get("review")
    state = review.get("state") if isinstance(review, Mapping) else None
    return state if isinstance(state, str) and state in STATES else ""


def is_answered(words: Sequence[Told]) -> bool:
    """Tell whether somebody said something after the last review."""
    ordered = sorted((it for it in words if it.content), key=lambda it: (it.device_ms, it.id))
    return bool(ordered) and any(map(_reviews, ordered)) and not _reviews(ordered[-1])


def _reviews(told: Told) -> bool:
    return bool(state_said(told.content))


def last_comment(words: Sequence[Told]) -> str:
    """Return the comment of the last review that has one: what the team is asked for."""
    asked = [it for it in words if state_said(it.content) and _text(it, "comment")]
    last = max(asked, key=lambda it: (it.device_ms, it.id), default=None)
    return _text(last, "comment") if last else ""


def content_of(body: str | None) -> dict[str, Any]:
    """Return what a record's bytes say; {} once they are erased."""
    found = json.loads(body or "{}")
    return found if isinstance(found, dict) else {}
