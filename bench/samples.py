"""What is sent: submissions as records of ours, and the forms that they belong to.

The generator (`gen.py` of the shared folder) gives answers as JSON values. A record of ours carries text, as ODK stores
it: several choices with a blank between, numbers in digits. Without the generator the starter form's choices are drawn.
"""

import importlib.util
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pyxform.xls2xform import convert

from collector.forms.model import Form
from sync.records import canonical_bytes, new_salt, uuid7

STARTER = Path(__file__).parent.parent / "collector" / "starter" / "confianza.xlsx"
MANY = "several_"
SHAPES = {"int": "integer", "dec": "decimal", "dec01": "decimal", "longtext": "text", "yes": "text"}
LIKERT = ("1", "2", "3", "4", "5", "98")
MOMENT = "2026-11-20T10:42:00.123-05:00"


@dataclass(frozen=True)
class Generator:
    """The shared module, loaded."""

    module: ModuleType

    def raw(self, count: int, seed: int) -> list[dict[str, Any]]:
        """Return `count` submissions as the floor takes them: always the same ones for a seed."""
        found: list[dict[str, Any]] = self.module.records(count, seed)
        return found

    def xforms(self) -> dict[str, str]:
        """Return form_id -> XForm of the generator's forms, so that a node checks their records in full."""
        return {name: _xform(name, version, asked, self.module) for name, (version, asked) in self.module.FORMS.items()}


def load_generator(folder: Path) -> Generator | None:
    """Load gen.py of `folder`; None when there is none."""
    spec = importlib.util.spec_from_file_location("bench_shared_gen", folder / "gen.py")
    if spec is None or spec.loader is None or not (folder / "gen.py").is_file():
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Generator(module)


def _xform(form_id: str, version: str, asked: Sequence[tuple[str, str]], module: ModuleType) -> str:
    survey, choices = [], []
    for name, kind in asked:
        options = _options(kind, module)
        shape = SHAPES.get(kind.partition(":")[0], "text")
        if options:
            shape = f"select_{'multiple' if kind.startswith('multi:') else 'one'} {name}"
            choices += [{"list_name": name, "name": option, "label": option} for option in options]
        survey.append({"type": shape, "name": name, "label": name.replace("_", " ")})
    settings = [{"form_id": form_id, "version": version, "form_title": form_id}]
    return convert_sheets({"survey": survey, "choices": choices, "settings": settings})


def _options(kind: str, module: ModuleType) -> Sequence[str]:
    if kind in ("lik5", "yn", "corr"):
        return {"lik5": LIKERT, "yn": ("si", "no"), "corr": sorted(set(module.CORR))}[kind]
    return kind.partition(":")[2].split(",") if kind.startswith(("one:", "multi:")) else ()


def convert_sheets(sheets: Mapping[str, Iterable[Mapping[str, str]]]) -> str:
    """Return the XForm of an XLSForm given as rows."""
    rows = {name: [dict(row) for row in sheet] for name, sheet in sheets.items()}
    return str(convert(rows, validate=False).xform)


def starter_xform() -> str:
    """Return the XForm of the starter form of eight items."""
    return str(convert(str(STARTER), validate=False).xform)


def long_xform() -> str:
    """Return a form as long as the page that the floor renders: 34 questions with six choices each, on one page."""
    label = "¿Cuánta confianza tiene usted en la institución número {} de su corregimiento?"
    survey = [{"type": "begin group", "name": "todo", "label": "Encuesta", "appearance": "field-list"}]
    survey += [{"type": "select_one six", "name": f"q{n}", "label": label.format(n)} for n in range(34)]
    survey.append({"type": "end group", "name": "", "label": ""})
    choices = [{"list_name": "six", "name": str(n), "label": f"Opción de respuesta {n}"} for n in range(1, 7)]
    settings = [{"form_id": "bench_long", "version": "1", "form_title": "Encuesta"}]
    return convert_sheets({"survey": survey, "choices": choices, "settings": settings})


def text_answers(answers: Mapping[str, Any]) -> dict[str, str]:
    """Return the generator's answers as text."""
    return {name: _text(value) for name, value in answers.items() if value != []}


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def records_of(raw: Iterable[Mapping[str, Any]], forms: Mapping[str, Form]) -> Iterator[bytes]:
    """Give each submission of the generator as the canonical bytes of a record of ours."""
    for one in raw:
        content = {key: one[key] for key in ("id", "form", "version", "started", "finished", "lang", "mode")}
        content |= {"kind": "submission", "form_sha": forms[one["form"]].sha256[:16], "salt": new_salt()}
        yield canonical_bytes({**content, "answers": text_answers(one["answers"])})


def starter_answers(form: Form, seed: int) -> dict[str, str]:
    """Return answers to every choice question of `form`, drawn at random but the same for a seed."""
    draw = random.Random(seed)
    return {
        question.key: draw.choice(form.lists[question.list_name]).name
        for question in form.questions
        if question.list_name and question.choice_filter is None
    }


def starter_records(form: Form, seeds: Iterable[int]) -> Iterator[bytes]:
    """Give records of the starter form, for runs without the generator."""
    for seed in seeds:
        content = {
            "id": uuid7(), "kind": "submission", "form": form.form_id, "version": form.version, "lang": "es",
            "form_sha": form.sha256[:16], "started": MOMENT, "finished": MOMENT, "mode": "web", "salt": new_salt(),
            "answers": starter_answers(form, seed),
        }  # fmt: skip
        yield canonical_bytes(content)


def compact(value: object) -> bytes:
    """Return `value` as the floor's clients write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
