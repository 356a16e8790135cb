"""What of XLSForm can be published, as data: types, columns, appearances, settings. docs/publishing.md lists it.

Pure. `sheets` reads rows by it, `survey_checks` and `workbook_checks` say what is outside it; a test compares it with
the page. What pyxform calls by further old names ("add text prompt") is looked up in pyxform's own table.
"""

import re
from typing import Any

from pyxform.question_type_dictionary import QUESTION_TYPE_DICT

# --- types: as written -> kind of row
ANSWER_TYPES = {
    "text": "text", "string": "text", "integer": "integer", "int": "integer", "decimal": "decimal", "date": "date",
    "time": "time", "datetime": "datetime", "dateTime": "datetime", "range": "range", "acknowledge": "acknowledge",
    "trigger": "acknowledge", "geopoint": "geopoint", "gps": "geopoint", "location": "geopoint",
    "geotrace": "geotrace", "geoshape": "geoshape", "image": "image", "photo": "image", "audio": "audio",
    "video": "video", "file": "file", "barcode": "barcode", "note": "note", "calculate": "calculate",
    "hidden": "hidden",
}  # fmt: skip
SELECT_TYPES = {
    "select_one": "select_one", "select one": "select_one", "select one from": "select_one", "select1": "select_one",
    "add select one prompt using": "select_one", "select_multiple": "select_multiple",
    "select all that apply": "select_multiple", "select all that apply from": "select_multiple",
    "add select multiple prompt using": "select_multiple", "rank": "rank",
}  # fmt: skip
FILE_SELECT_TYPES = {
    "select_one_from_file": "select_one", "select one from file": "select_one",
    "select_multiple_from_file": "select_multiple", "select multiple from file": "select_multiple",
}  # fmt: skip
LIST_FILES = (".csv", ".xml", ".geojson")
DATA_TYPES = {"csv-external": ".csv", "xml-external": ".xml"}  # a list that expressions look into
CLOCK_TYPES = frozenset({"start", "end", "today", "deviceid"})  # filled by the device's clock; by the node's id
PLACE_TYPES = frozenset({"start-geopoint", "background-geopoint"})  # filled by the browser, if the person allows it
SILENT_TYPES = frozenset(  # accepted with a warning, left empty: a browser does not tell them
    {"username", "phonenumber", "email", "simserial", "subscriberid", "imei"}
)
IGNORED_TYPES = {  # accepted with a warning, nothing is recorded: what it would have done, in Spanish and English
    "audit": ("un registro de cada toque", "a log of every touch"),
    "background-audio": ("una grabación de fondo", "a recording in the background"),
}
DEGRADED_TYPES = {  # asked with a warning: how it is asked, in Spanish and English
    "barcode": ("como un texto que se escribe", "as a text that is typed"),
    "geotrace": ("como una lista de puntos", "as a list of points"),
    "geoshape": ("como una lista de puntos", "as a list of points"),
}
# --- types that are not coming -> what to do instead
REFUSED_TYPES = {
    "osm": ("Use text y pida el lugar con palabras.", "Use text and ask for the place in words."),
    "select_one_external": (
        "Use select_one con choice_filter, o select_one_from_file.",
        "Use select_one with choice_filter, or select_one_from_file.",
    ),
    "begin_kobomatrix": ("Use una pregunta select_one por fila.", "Use one select_one question a row."),
    "begin_loop": ("Escriba las preguntas una por una, o use begin_repeat.", "Write them out, or use begin_repeat."),
    "begin_score": ("Use una pregunta select_one por fila.", "Use one select_one question a row."),
    "begin_rank": ("Use una pregunta rank.", "Use a rank question."),
    "caseid": ("Quite la fila: es propia de SurveyCTO.", "Remove the row: it is SurveyCTO's own."),
    "calculate_here": ("Use calculate.", "Use calculate."),
    "tel": ("Use text; piense si necesita el teléfono.", "Use text; think whether you need the telephone."),
    "text audit": ("Quite la fila: Collector guarda inicio y fin.", "Remove the row: Collector keeps start and end."),
    "audio audit": ("Quite la fila: no se graba a nadie.", "Remove the row: nobody is recorded."),
}
REFUSED_PREFIXES = ("db:", "sensor_", "speed violations", "wq:")
REFUSED_ALIASES = {"select one external": "select_one_external"}

# --- columns: every name an author may write -> the one name used here
COLUMN_ALIASES = {
    "command": "type", "tag": "name", "value": "name", "caption": "label", "relevance": "relevant",
    "requiredmsg": "required_message", "jr:requiredmsg": "required_message",
    "constraining_message": "constraint_message", "jr:constraintmsg": "constraint_message",
    "calculate": "calculation", "readonly": "read_only", "count": "repeat_count", "jr:count": "repeat_count",
    "entities:saveto": "save_to",
}  # fmt: skip
CHOICE_ALIASES = {"value": "name", "caption": "label"}
TEXT_COLUMNS = ("label", "hint", "guidance_hint", "required_message", "constraint_message")  # one column a language
EXPRESSION_COLUMNS = ("relevant", "required", "read_only", "constraint", "calculation", "choice_filter")
MEDIA_COLUMNS = {"image": "image", "big-image": "image", "audio": "audio", "video": "video"}  # column -> what it holds
SURVEY_COLUMNS = frozenset(
    {"type", "name", "default", "appearance", "disabled", "repeat_count", "trigger", "parameters", "rows", "privacy"}
    | {*TEXT_COLUMNS, *EXPRESSION_COLUMNS, *MEDIA_COLUMNS}
)
PRIVACY = frozenset({"none", "quasi", "direct", "sensitive", "free_text"})  # what the column privacy may say
UNUSED_COLUMNS = frozenset({"autoplay"})
WARNED_COLUMNS = frozenset({"save_to"})  # left out, and said so: there are no entities here
REFUSED_COLUMNS = {  # refused where a cell is filled: leaving them out would change what the form asks
    "intent": ("abrir otra aplicación", "opening another application"),
    "query": ("opciones de external_choices", "choices of external_choices"),
}
SETTINGS = frozenset({
    "form_title", "form_id", "version", "default_language", "style", "name", "allow_choice_duplicates", "instance_name",
    "namespaces",
})  # fmt: skip
NOTICE_ITEMS = (  # what a notice has to say, one item a setting, in the order in which it is told
    "notice_who", "notice_purpose", "notice_legal", "notice_recipients", "notice_abroad", "notice_kept",
    "notice_rights", "notice_automated", "notice_officer",
)  # fmt: skip
CONSENT_TEXT_SETTINGS = (  # one column a language, as the columns of texts in survey
    "consent_notice", "consent_audio", "consent_title", "consent_accept", "consent_purposes", "consent_age",
    "consent_guardian", "consent_assent", *NOTICE_ITEMS,
)  # fmt: skip
CONSENT_SETTINGS = frozenset({"consent_version", "purposes", "min_age", "age_bands", *CONSENT_TEXT_SETTINGS})
# how few people a shared number may speak of: what a form says counts where it is more (lab/small_groups.py)
LEAST_GROUPS = {"k_shared": 5, "k_public": 10}
UNUSED_SETTINGS = frozenset({"submission_url", "auto_send", "auto_delete"})
SETTING_ALIASES = {
    "id_string": "form_id", "set_form_id": "form_id", "set_form_title": "form_title", "title": "form_title",
}  # fmt: skip

# --- appearances
APPEARANCES = frozenset({
    "field-list", "minimal", "autocomplete", "multiline", "numbers", "horizontal", "horizontal-compact", "vertical",
    "compact", "quick", "quickcompact", "columns", "columns-pack", "likert", "label", "list", "list-nolabel",
    "table-list", "year", "month-year", "no-calendar", "w1", "w2", "w3", "w4",
})  # fmt: skip
COLUMNS_APPEARANCE = re.compile(r"(?:columns|compact|quickcompact)-\d+")
DEGRADED_APPEARANCES = {  # with a warning: how it is asked, in Spanish and English
    "signature": ("como una foto", "as a photo"),
    "draw": ("como una foto", "as a photo"),
    "annotate": ("como una foto", "as a photo"),
}
REFUSED_APPEARANCES = ("search(", "ex:", "intent:", "printer:")
YES = frozenset({"yes", "true", "true()"})
YES_COLUMNS = ("required", "read_only")
YES_WORDS = {"sí": "yes", "si": "yes", "s": "yes", "y": "yes", "t": "yes", "x": "yes", "n": "no", "f": "no"}


def said_yes(cell: str) -> str:
    """Return "yes" or "no" for a word that means it and that pyxform does not know, "" for anything else."""
    return YES_WORDS.get(cell.strip().lower(), "")


# --- pyxform's further names for the same
INPUT_KINDS = {
    "string": "text", "int": "integer", "decimal": "decimal", "date": "date", "time": "time", "dateTime": "datetime",
    "geopoint": "geopoint", "geotrace": "geotrace", "geoshape": "geoshape", "barcode": "barcode",
}  # fmt: skip


def is_group(name: str, cell: str) -> bool:
    """Tell whether a cell of `k_shared` or `k_public` says how many people a shared number speaks of at least."""
    said = cell.strip()
    return re.fullmatch("[0-9]{1,6}", said) is not None and int(said) >= LEAST_GROUPS[name]


def old_kind(word: str) -> str:
    """Return the kind of a type by one of pyxform's old names, "" where it is none: "add text prompt" -> "text"."""
    facts: dict[str, Any] | None = QUESTION_TYPE_DICT.get(word)
    if facts is None:
        return ""
    bind, control = facts.get("bind", {}), facts.get("control", {})
    tag = control.get("tag", "")
    if "jr:preload" in bind:
        return "clock" if bind["jr:preload"] in ("timestamp", "date") else "silent"
    if tag == "upload":
        kind = str(control["mediatype"]).partition("/")[0]
        return {"application": "file", "osm": ""}.get(kind, kind)
    if tag == "input":
        return "note" if bind.get("readonly") == "true()" else INPUT_KINDS[bind["type"]]
    return {"trigger": "acknowledge", "": "calculate" if bind else ""}.get(tag, "")
