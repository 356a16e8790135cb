"""A form's questions as programs read them: one line each across all versions. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from collector.forms.model import Form, Text
from collector.lab.identifiers import direct_keys
from collector.lab.tables import Column, tables_of
from collector.lab.words import named


def codebook_of(forms: Sequence[Form]) -> dict[str, Any]:
    """Return what a form asks; give its versions oldest first, at least one. Shape: routes/api_shapes.py Codebook."""
    direct = direct_keys(forms)
    asked_in = _versions_by_name(forms)
    newest = forms[-1]
    return {
        "form_id": newest.form_id,
        "title": newest.title,
        "languages": list(languages_of(newest)),
        "questions": [
            _line(column, asked_in.get(column.name, []), column.name in direct)
            for table in tables_of(forms).walk()
            for column in table.columns
        ],
    }


def _line(column: Column, versions: list[str], is_direct: bool) -> dict[str, Any]:
    return {
        "name": column.name,
        "key": column.key,
        "repeat": "/".join(column.steps),
        "type": column.question.type,
        "sql_type": column.type,
        "label": texts_of(column.question.label, column.form),
        "choices": [
            {"name": choice.name, "label": texts_of(choice.label, column.form)}
            for choice in (column.choices if column.has_choices else ())
        ],
        "versions": versions,
        "is_removed": column.is_removed,
        "is_direct": is_direct,
    }


def _versions_by_name(forms: Sequence[Form]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for form in forms:
        for table in tables_of([form]).walk():
            for column in table.columns:
                found.setdefault(column.name, []).append(form.version)
    return found


def languages_of(form: Form) -> tuple[str, ...]:
    """Return the form's languages; one that names none has the language "" (as in pulled files)."""
    return form.languages or ("",)


def texts_of(label: Text, form: Form) -> Mapping[str, str]:
    """Return language -> text, with what it shows of other answers named: "{nombre}"."""
    return {language: named(text, form) for language, text in label.items()}
