"""What the pages of reviewing share: the words of states, who asks, and one record with its story."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from collector.lab.quality_words import KIND_WORDS, Said, say_finding
from collector.lab.reviewing import ANSWERED, EDITED, MOST_COMMENT, STATES
from collector.lab.tables import language_of, tables_of
from collector.lab.whole_record import MOST_NOTICES
from collector.pages import page_language, translator
from collector.review_store import SHORT_HASH, Reader, Story, read_story
from collector.routes.access import Person
from collector.territory import place_labels

# what a button of the pages says -> the state that it gives
ACTIONS = {"approve": "approved", "has_issues": "has_issues", "reject": "rejected", "receive": "received"}


def reader_of(request: Request, sees_identifiers: bool) -> Reader:
    """Return who reads records in this request."""
    return Reader(request.app.state.forms, page_language(request), sees_identifiers)


def story_scope(request: Request, record_id: str, sees_identifiers: bool) -> dict[str, Any]:
    """Return what templates/lab/_review.html asks for to draw a record with its story. Raises record_not_found."""
    story: Story = read_story(request.app.state.engine, record_id, reader_of(request, sees_identifiers))
    found = {"story": story, "short_hash": story.record.sha256.hex()[:SHORT_HASH], "odd": _odd(request, story)}
    return found | words_scope()


def _odd(request: Request, story: Story) -> list[Said]:
    """Return in words what looks odd in a record beside the others of its form."""
    lang = page_language(request)
    language = language_of(story.form, lang) if story.form else ""
    columns = tables_of([story.form]).columns if story.form else ()
    known = [it for it in story.quality if it.get("what") in KIND_WORDS]
    translate = translator(request.app.state.english, lang)
    return [say_finding(it, columns, language, place_labels(), translate) for it in known]


def words_scope() -> dict[str, Any]:
    """Return the words and limits of the pages."""
    return {
        "states": STATES,
        "edited": EDITED,
        "answered": ANSWERED,
        "most_comment": MOST_COMMENT,
        "most_notices": MOST_NOTICES,
    }


def as_query(values: Mapping[str, str]) -> str:
    """Return "?…" of the values that say something, "" when none does."""
    said = {name: value for name, value in values.items() if value}
    return "?" + urlencode(said) if said else ""


FACILITATOR = Person("pin", "facilitator")
