"""What publishing says about a form: findings that name sheet, row and column, and the report that holds them.

Pure. Findings are made by `survey_checks` (from the sheets), by `xform` (as `FormProblem`, from the XForm) and by
`publishing` (about the file itself); people read them as JSON, in the terminal or in the lab's page.

    FormErrors                a form that cannot be used
    └─ problems: FormProblem  one thing wrong, placed by its path in the XForm (no rows there)
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
SHEET_ORDER = ("", "survey", "choices", "settings")
HEADINGS = {
    "es": {"error": "Errores: hay que corregirlos", "warning": "Avisos: conviene revisarlos", "info": "Notas"},
    "en": {"error": "Errors: to be corrected", "warning": "Warnings: worth a look", "info": "Notes"},
}
WORDS = {
    "es": {"row": "fila", "column": "columna", "file": "archivo", "hint": "Qué hacer", "clean": "Sin problemas.",
           "alike": "Hay {n} líneas más como la de {first}: {at}."},
    "en": {"row": "row", "column": "column", "file": "file", "hint": "What to do", "clean": "No problems.",
           "alike": "There are {n} more lines like that of {first}: {at}."},
}  # fmt: skip
MANY_ALIKE = 20  # warnings or notes of one kind told one by one
PLACES_NAMED = 12  # of the others
CELL_SHOWN = 120  # characters of a cell shown in the terminal: enough to recognise it


@dataclass(frozen=True)
class FormProblem:
    """One thing wrong in a form, placed by path: what `read_xform` and `form_warnings` give.

    path: absolute XForm path ("/data/g/q"), "" for the whole form; property: type, relevant, required, constraint,
    calculation, choice_filter, readonly, label, hint, appearance, repeat_count, default, trigger or settings;
    text: the expression or text meant, if any. Spanish in message and hint; the English ones may be left out.
    """

    path: str
    property: str
    message: str
    hint: str
    severity: str = "error"
    text: str = ""
    message_en: str = ""
    hint_en: str = ""
    code: str = ""


class FormErrors(Exception):
    """A form that cannot be used, with every problem found."""

    def __init__(self, problems: list[FormProblem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.path} {problem.property}: {problem.message}" for problem in problems))


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    sheet: "survey", "choices", "settings", the name of an attached file, "xform" for a form that came as XML, or "" for
    the file itself; row: as the spreadsheet numbers it (header = 1), or the line of a text file, None where no row is
    meant; column: as its author wrote it, "" for none; cell: the author's text; code: its kind (sentences.py).
    """

    severity: Severity
    sheet: str
    row: int | None
    column: str
    cell: str
    message: str
    hint: str
    message_en: str = ""
    hint_en: str = ""
    code: str = ""

    @property
    def place(self) -> tuple[str, int | None, str]:
        """Where it is: two findings on one place say the same thing twice."""
        return self.sheet, self.row, self.column

    def to_json(self, lang: str = "es") -> dict[str, Any]:
        """Return the seven keys of the error contract, with the sentences in `lang`."""
        return {
            "severity": self.severity,
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "cell": self.cell,
            "message": self.sentence(lang),
            "hint": self.advice(lang),
        }

    def sentence(self, lang: str) -> str:
        """Return what happened, in `lang`; in Spanish where there is no English."""
        return (lang == "en" and self.message_en) or self.message

    def advice(self, lang: str) -> str:
        """Return what to do, in `lang`."""
        return (lang == "en" and self.hint_en) or self.hint

    def where(self, lang: str) -> str:
        """Return "survey, fila 24, columna relevant"."""
        words = WORDS["en" if lang == "en" else "es"]
        parts = [self.sheet or words["file"]]
        if self.row is not None:
            parts.append(f"{words['row']} {self.row}")
        if self.column:
            parts.append(f"{words['column']} {self.column}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Report:
    """Everything found in one file. `questions`: how many a person is asked (notes and calculates are not)."""

    form_id: str
    version: str
    findings: tuple[Finding, ...]
    questions: int

    @property
    def is_publishable(self) -> bool:
        """Say whether nothing stands in the way: no errors."""
        return not self.of("error")

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity, in sheet order."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def to_json(self, lang: str = "es") -> dict[str, Any]:
        """Return the report as JSON-able data: form_id, version, problems, questions."""
        return {
            "form_id": self.form_id,
            "version": self.version,
            "problems": [finding.to_json(lang) for finding in self.findings],
            "questions": self.questions,
        }

    def text(self, lang: str = "es") -> str:
        """Return the report for a terminal: grouped by severity, the place first, then cell, sentence and hint."""
        lang = "en" if lang == "en" else "es"
        groups = [_group_text(severity, self.of(severity), lang) for severity in SEVERITIES if self.of(severity)]
        return "\n\n".join(groups or [WORDS[lang]["clean"]])


def _group_text(severity: Severity, findings: tuple[Finding, ...], lang: str) -> str:
    heading = f"{HEADINGS[lang][severity]} ({len(findings)})"
    return "\n\n".join([heading, *(_finding_text(finding, lang) for finding in findings)])


def _finding_text(finding: Finding, lang: str) -> str:
    cell = " ".join(finding.cell.split())
    shown = cell if len(cell) <= CELL_SHOWN else cell[: CELL_SHOWN - 1] + "…"
    lines = [f"  {finding.where(lang)}" + (f": «{shown}»" if shown else "")]
    lines += [f"    {line}" for line in finding.sentence(lang).splitlines()]  # caret lines keep their columns
    if finding.advice(lang):
        lines.append(f"    {WORDS[lang]['hint']}: {finding.advice(lang)}")
    return "\n".join(lines)


def order_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort as a reader meets them: errors first, then by sheet, row and the order they were found in; no repeats.

    An error hides later errors on the same row and column, and a warning there: the first sentence is the nearer one.
    """
    kept: dict[Finding, None] = {}  # a dict for its order: reports of thousands of lines do occur
    wrong: set[tuple[str, int | None, str]] = set()
    said: set[tuple[tuple[str, int | None, str], str]] = set()
    for finding in findings:
        is_placed = finding.row is not None and bool(finding.column)
        if is_placed and finding.place in wrong and finding.severity != "info":
            continue
        if is_placed and finding.code and (finding.place, finding.code) in said:
            continue  # one line of a kind for a cell
        said.add((finding.place, finding.code))
        kept.setdefault(finding)
        if finding.severity == "error":
            wrong.add(finding.place)
    return tuple(_grouped(sorted(kept, key=_reading_order)))


def _grouped(ordered: list[Finding]) -> Iterator[Finding]:
    """Give the findings; of warnings and notes of one kind the first ones, and the rest of them in one line."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in ordered:
        if finding.code and finding.severity != "error":
            alike.setdefault((finding.severity, finding.code), []).append(finding)
    further = {each for kind in alike.values() for each in kind[MANY_ALIKE:]}
    firsts = {kind[MANY_ALIKE]: kind for kind in alike.values() if len(kind) > MANY_ALIKE}
    for finding in ordered:
        if finding in firsts:
            yield _rest(firsts[finding])
        elif finding not in further:
            yield finding


def _rest(alike: list[Finding]) -> Finding:
    """Return one line for those of a kind that are not told one by one."""
    first, rest = alike[0], alike[MANY_ALIKE:]
    places = {
        lang: "; ".join(each.where(lang) for each in rest[:PLACES_NAMED]) + ("…" if len(rest) > PLACES_NAMED else "")
        for lang in WORDS
    }
    es, en = (WORDS[lang]["alike"].format(n=len(rest), first=first.where(lang), at=places[lang]) for lang in WORDS)
    return replace(rest[0], row=rest[0].row, column="", cell="", message=es, message_en=en, hint=first.hint,
                   hint_en=first.hint_en)  # fmt: skip


def _reading_order(finding: Finding) -> tuple[int, int, str, int]:
    sheet = SHEET_ORDER.index(finding.sheet) if finding.sheet in SHEET_ORDER else len(SHEET_ORDER)
    return SEVERITIES.index(finding.severity), sheet, finding.sheet, finding.row or 0


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Return every field, both languages; `finding_from_json` gives an equal Finding back."""
    return asdict(finding)


def finding_from_json(fields: dict[str, Any]) -> Finding:
    """Rebuild the Finding that `finding_to_json` wrote."""
    return Finding(**fields)


def known_severity(text: str) -> Severity:
    """Return `text` as a Severity; anything unknown counts as an error."""
    return next((severity for severity in SEVERITIES if severity == text), "error")
