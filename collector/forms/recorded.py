"""A record while it is checked by a plan (plan.py)."""

from typing import Any

from collector.forms.expressions import Env
from collector.forms.model import Form
from collector.forms.state import Filling


class Record:
    """What is known of a record while it is checked.

    row: as the engine reads it; by number, questions first, then groups: said, as it was answered, raw, as it is kept,
    shown, whether it takes part; due: a byte for each job; is_at_rest: whether nothing is due any more.
    """

    __slots__ = ("due", "env", "is_at_rest", "raw", "row", "said", "shown")

    def __init__(self, env: Env, raw: list[str], shown: list[bool], jobs: int) -> None:
        self.env = env
        self.row = env.row
        self.raw = raw
        self.said = raw.copy()
        self.shown = shown
        self.due = bytearray(jobs)
        self.is_at_rest = False


class Texts:
    """What expressions ask of the form's texts, answered by a filling that holds what the record holds now."""

    def __init__(self, form: Form, now: tuple[int, int], lang: str, row: list[Any]) -> None:
        self._filling = Filling(form, now, lang, recorded=True)
        self._row = row

    def label_of_choice(self, path: str, value: str, _row: list[Any]) -> str:
        """Return what jr:choice-name() gives."""
        return self._up_to_date().label_of_choice(path, value, self._filling.root)

    def text_of(self, text_id: str) -> str:
        """Return what jr:itext() gives."""
        return self._up_to_date().text_of(text_id)

    def _up_to_date(self) -> Filling:
        self._filling.root[1:] = self._row[1:]
        return self._filling
