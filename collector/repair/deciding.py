"""Repairing what waits in quarantine: who looks sees the contents side by side, decides, and the decision is a record.

decide()    writes decisions, lets them take effect, and checks again what they change
compare()   the contents under one id, answer by answer
preview()   what of a content would fit a form, before anybody decides
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from collector.clock import now_ms
from collector.db import reading, writing
from collector.form_store import FormStore
from collector.forms.model import Form
from collector.lab.tables import answers_of, language_of, tables_of
from collector.lab.whole_record import Answer, Notice, RecordReader, Rows, files_of, leaves, notices
from collector.problems import PROBLEMS, ProblemError
from collector.queries import quarantine
from collector.queries.erasures import wipe_traces
from collector.queries.quarantine import Content, Entry
from collector.queries.records import Arrival, ingest
from collector.queries.settling import object_of
from collector.repair.rechecking import checked_as, recheck_records
from sync.records import FORMLESS
from sync.statements import made, make_decision

OPEN_OF_A_VOTE = ("id", "kind", "session", "what", "step", "finished")
PAGE = 100  # decisions in one write: others wait for it
MOST_AT_ONCE = 500
# of a check: the answer has no place in the form, or is not one that the form takes
DOES_NOT_FIT = ("unknown", "not_text", "type", "choice", "constraint", "not_relevant", "rows")


# --- deciding


@dataclass(frozen=True)
class Verdict:
    """What a person says of contents. action: "use" or "set_aside"; form, version: given to them, or ""."""

    action: str
    by: str
    reason: str = ""
    form: str = ""
    version: str = ""


def decide(engine: Engine, forms: FormStore, contents: Sequence[Content], verdict: Verdict) -> int:
    """Write a decision on each content, let it take effect and check what changed again; return how many.

    Raises ProblemError: nothing_chosen; form_needed for contents that name no form and get none.
    """
    asked = [content for content in contents if verdict.action == "use" or _may_stay_apart(content)]
    if not asked:
        raise ProblemError(PROBLEMS["nothing_chosen"])
    if verdict.action == "use" and not verdict.form and (homeless := sum(map(lacks_form, asked))):
        raise ProblemError(PROBLEMS["form_needed"], count=homeless)
    for first in range(0, len(asked), PAGE):
        page = asked[first : first + PAGE]
        with writing(engine) as session:
            ingest(session, [_decision(content, verdict) for content in page], now_ms())
        recheck_records(forms, engine, [content.id for content in page])
    wipe_traces(engine)  # a decision may have released an erasure
    return len(asked)


def _may_stay_apart(content: Content) -> bool:
    return not content.is_record or content.state == "no_consent"


def _decision(content: Content, verdict: Verdict) -> Arrival:
    takes_form = verdict.action == "use" and not _is_formless(content)
    form, version = (verdict.form, verdict.version) if takes_form else ("", "")
    arrival = make_decision(content.id, verdict.action, content.sha256.hex(), verdict.by, form, version)
    return made(json.loads(arrival.body) | {"reason": verdict.reason}) if verdict.reason else arrival


def lacks_form(content: Content) -> bool:
    """Tell whether nobody can use this content before somebody says of which form it is."""
    named = object_of(content.body).get("form")
    return not _is_formless(content) and not (isinstance(named, str) and named)


def _is_formless(content: Content) -> bool:
    return object_of(content.body).get("kind") in FORMLESS


# --- one content as people read it


def form_named(content: Content) -> tuple[str, str]:
    """Return the form and version that a content belongs to: as given to it, else as it says."""
    said = object_of(content.body)
    form, version = said.get("form"), said.get("version")
    own = (form if isinstance(form, str) else "", version if isinstance(version, str) else "")
    return (content.form, content.version) if content.is_record else own


@dataclass(frozen=True)
class Preview:
    """A content read by a form. given: how many answers it holds; fitting: how many of them the form takes."""

    form: Form
    given: int
    fitting: int
    answers: "list[Answer | Rows]"
    flags: list[Notice]


def preview(forms: FormStore, content: Content, form_id: str, version: str, lang: str) -> Preview | None:
    """Return how a content would stand as a record of this form; None when the form is not here."""
    form = forms.get(form_id, version)
    if form is None or content.body is None:
        return None
    flags = checked_as(forms, content.body, form_id, version)
    said = object_of(content.body)
    table, language = tables_of([form]), language_of(form, lang)
    found = notices(table, flags, language)
    noticed: dict[str, list[Notice]] = {}
    for key, notice in found:
        noticed.setdefault(key, []).append(notice)
    answers = answers_of(said)
    parts = RecordReader(language, files_of(said), noticed).parts(table, answers)
    given = {part.key for part in leaves(parts) if part.text}
    wrong = {str(flag["key"]) for flag in flags if flag["what"] in DOES_NOT_FIT}
    fitting = sum(not any(key == bad or key.startswith(f"{bad}[") for bad in wrong) for key in given)
    return Preview(form, len(given), fitting, parts, [notice for _, notice in found])


# --- several contents side by side


@dataclass(frozen=True)
class Line:
    """One answer in every content, "" where it is not given. differs: not the same in all."""

    key: str
    label: str
    words: list[str]
    differs: bool


def compare(forms: FormStore, contents: Sequence[Content], lang: str) -> list[Line]:
    """Return the answers of these contents side by side: in form order, then what no form knows."""
    columns = [_answers(forms, content, lang) for content in contents]
    labels: dict[str, str] = {}
    for column in columns:
        for key, answer in column.items():
            labels.setdefault(key, answer.label)
    return [_line(key, label, columns) for key, label in labels.items()]


def _line(key: str, label: str, columns: Sequence[Mapping[str, Answer]]) -> Line:
    found = [column.get(key) for column in columns]
    texts = {answer.text if answer else "" for answer in found}
    return Line(key, label, [answer.words if answer else "" for answer in found], len(texts) > 1)


def _answers(forms: FormStore, content: Content, lang: str) -> dict[str, Answer]:
    form = forms.get(*form_named(content))
    said = object_of(content.body)
    reader = RecordReader(language_of(form, lang) if form else "", files_of(said))
    parts = reader.parts(tables_of([form] if form else []), answers_of(said))
    return {answer.key: answer for answer in leaves(parts)}


# --- which contents


def chosen(engine: Engine, picks: Sequence[tuple[str, str]]) -> list[Content]:
    """Return the contents that (id, sha256) name and whose body is here; what is not there is left out."""
    found: list[Content] = []
    with reading(engine) as session:
        for record_id in dict.fromkeys(record_id for record_id, _ in picks):
            entry: Entry | None = quarantine.entry_of(session, record_id)
            wanted = {sha256 for one, sha256 in picks if one == record_id}
            contents = entry.contents if entry else []
            found += [it for it in contents if it.sha256.hex() in wanted and it.body is not None]
    return found


def all_open(engine: Engine, why: str) -> list[Content]:
    """Return the newest open contents of one reason, as many as one decision may take."""
    with reading(engine) as session:
        return quarantine.list_open(session, why, None, MOST_AT_ONCE)


def said_of(content: Content) -> dict[str, Any]:
    """Return what a content's bytes say, {} when they cannot be read."""
    return object_of(content.body)


def shown_body(content: Content) -> str:
    """Return a content as it came, for a person to read; of a vote neither what it says nor whose it is."""
    said = said_of(content)
    if "ballot" not in said:
        return content.body or ""
    return json.dumps({key: said[key] for key in OPEN_OF_A_VOTE if key in said}, ensure_ascii=False)
