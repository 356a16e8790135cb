"""The static files that pages of forms load, and those that a phone keeps for when there is no signal."""

from collections.abc import Iterable

from collector.fill.page import has_files
from collector.fill.page_json import form_scripts
from collector.fill.rich import has_sheet, is_rich
from collector.fill.rows import ENGINE
from collector.fill.voices import speaks
from collector.forms.model import Form

# what every page of a form loads
SCRIPTS = ("js/app.js", "js/outbox.js", "js/fill.js", "js/state.js", "js/engine.js")
RICH_SCRIPTS = ("js/rich.js", "js/rich-rows.js", "js/rich-controls.js", f"js/{ENGINE}", "js/settling.js")
# what a page loads when it comes to that: the receipt
LATER = ("css/base.css", "css/pages.css", "js/worker.js", "js/receipt.js", "js/code.js", "js/sha256.js")
# drafts and "Mis respuestas": kept once there is one
MINE = ("css/mine.css", "js/begun.js", "js/mine.js", "js/save-file.js", "js/health.js")
PLACE_SCRIPTS = ("js/rich-places.js",)
FILE_SCRIPTS = ("js/rich-files.js", "js/files.js", "js/send-files.js", "js/sha256.js")


def page_scripts(form: Form) -> list[str]:
    """Return the scripts that this form's page loads, so that the browser asks for all of them at once."""
    rich = (*(RICH_SCRIPTS if is_rich(form) else ()), *(FILE_SCRIPTS if has_files(form) else ()))
    has_points = any(question.type == "geopoint" for question in form.questions)
    return [*SCRIPTS, *(f"js/{name}" for name in form_scripts(form)), *rich, *(PLACE_SCRIPTS if has_points else ())]


def offline_files(forms: Iterable[Form]) -> list[str]:
    """Return what the service worker keeps: what the pages of these forms need with the network gone, no more."""
    found = dict.fromkeys((*LATER, *SCRIPTS))
    for form in forms:
        found |= dict.fromkeys(page_scripts(form))
        if has_sheet(form):
            found["css/rich.css"] = None
        if speaks(form):
            found["js/voice.js"] = None
        if any(question.type == "audio" for question in form.questions):
            found["js/recorder.js"] = None
    return list(found)
