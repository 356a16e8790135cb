"""Publishing takes real files: every format gives the same form, and no file gets further than a finding."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from openpyxl import Workbook

from collector.forms.readers import read_sheets
from collector.publish import publishing
from collector.publish.publishing import MAX_BYTES, Checked, check_file, check_path, put_together, task_of
from tests.shared import worker_here, worker_process

SAMPLES = Path(__file__).parent / "samples"
STARTER = Path(__file__).parents[2] / "collector" / "starter"
SURVEY = [["type", "name", "label"], ["text", "idea", "¿Qué cambiaría?"]]
SETTINGS = [["form_id", "version"], ["prueba", "1"]]
Grid = list[list[str]]


def workbook(**sheets: Iterable[list[str]]) -> bytes:
    """Write a workbook of these sheets; an empty cell is left unwritten, as a spreadsheet does."""
    book = Workbook()
    book.remove(book["Sheet"])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(rows, start=1):
            for column, text in enumerate(row, start=1):
                if text:
                    sheet.cell(number, column, text)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def only_error(checked: Checked) -> str:
    """Return the sentence of the one finding of a refused file."""
    (found,) = checked.report.findings
    assert found.severity == "error" and found.hint and checked.form is None and checked.xform == ""
    return found.message


def grids() -> dict[str, Grid]:
    """Return the Markdown sample as grids, so that the workbook of the test says the same."""
    sheets = read_sheets("agua.md", (SAMPLES / "agua.md").read_bytes())
    filled: dict[str, Grid] = {}
    for name in ("survey", "choices", "settings"):
        headers = sheets.headers[name]
        by_number = {row.row: row for row in sheets.rows(name)}
        filled[name] = [headers] + [
            [by_number[number].cells.get(header, "") if number in by_number else "" for header in headers]
            for number in range(2, max(by_number) + 1)
        ]
    return filled


# --- formats


def test_every_format_gives_the_same_form() -> None:
    files = {f"agua.{ending}": (SAMPLES / f"agua.{ending}").read_bytes() for ending in ("md", "csv", "xls")}
    files["agua.xlsx"] = workbook(**grids())
    files["agua.XLSX"] = files["agua.xlsx"]
    checked = {name: check_file(name, content) for name, content in files.items()}
    assert {name: each.report.findings for name, each in checked.items()} == dict.fromkeys(files, ())
    first = checked["agua.md"]
    assert first.form is not None and first.report.questions == 6
    assert all(each.form == first.form and each.xform == first.xform for each in checked.values())


@pytest.mark.parametrize("ending", ["md", "csv", "xls", "xlsx"])
def test_row_numbers_are_those_the_author_sees(ending: str) -> None:
    content = workbook(**grids()) if ending == "xlsx" else (SAMPLES / f"agua.{ending}").read_bytes()
    rows = {row.cells.get("name", ""): row.row for row in read_sheets(f"agua.{ending}", content).survey}
    assert (rows["inicio"], rows["casa"], rows["hay_agua"], rows["pocas"]) == (2, 4, 5, 12)


def test_an_error_far_below_blank_rows_has_its_true_row() -> None:
    gap: Grid = [["", "", ""] for _ in range(70)]
    content = workbook(survey=[*SURVEY, *gap, ["osm", "lugar", "¿Dónde?"]], settings=SETTINGS)
    (found,) = check_file("prueba.xlsx", content).report.findings
    assert (found.row, found.column, found.cell) == (73, "type", "osm")


def test_a_csv_with_semicolons_is_read_too() -> None:
    text = (SAMPLES / "agua.csv").read_text("utf-8").replace(",", ";")
    assert read_sheets("agua.csv", text.encode("utf-8-sig")).choices[0].cells["name"] == "si"


def test_the_starter_forms_have_neither_errors_nor_warnings() -> None:
    for name in ("confianza.xlsx", "servicios.xlsx", "tarjeta.xlsx"):
        checked = check_path(STARTER / name)
        assert checked.report.is_publishable and checked.report.of("warning") == () and checked.form is not None


# --- files that are not opened


def test_a_file_over_the_limit_is_answered_without_reading_it(tmp_path: Path) -> None:
    large = tmp_path / "grande.xlsx"
    with large.open("wb") as file:
        file.truncate(50_000_000)
    assert "50.0 MB" in only_error(check_path(large))
    assert "20.0 MB" in only_error(check_file("grande.xlsx", b"PK\x03\x04" + bytes(MAX_BYTES)))


def test_a_name_with_folders_or_odd_characters_is_taken_as_a_name() -> None:
    content = workbook(survey=SURVEY, settings=[["version"], ["1"]])
    for name in ("/tmp/a/Mi encuesta.xlsx", "C:\\libros\\Mi encuesta.xlsx", "Mi\0 encuesta.xlsx"):
        assert check_file(name, content).report.form_id == "Mi_encuesta"


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("encuesta.docx", b"PK\x03\x04", "encuesta.docx"),
        ("encuesta", b"hola", "encuesta"),
        ("encuesta.xlsx", b"", "vacío"),
        ("encuesta.md", b"  \n ", "vacío"),
        ("encuesta.xlsx", b"no es un libro", ".xlsx"),
        ("encuesta.xlsx", b"\xd0\xcf\x11\xe0 con clave", ".xlsx"),
        ("encuesta.xls", b"PK\x03\x04", ".xls"),
        ("encuesta.csv", b"PK\x03\x04 zip", ".csv"),
        ("encuesta.xlsx", b"PK\x03\x04 cortado", "dañado"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_in_words(name: str, content: bytes, part: str) -> None:
    assert part in only_error(check_file(name, content))


def test_a_small_file_that_unpacks_to_very_much_is_not_unpacked() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 150_000_000)
    content = written.getvalue()
    assert len(content) < 1_000_000
    assert "150 MB" in only_error(check_file("bomba.xlsx", content))


# --- files that are opened and turn out bad


@pytest.fixture
def _own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker be a process, as it is outside of tests."""
    monkeypatch.setattr(publishing, "_run_worker", worker_process)


def test_the_worker_says_in_a_process_of_its_own_what_it_says_here() -> None:
    wrong = [["osm", "lugar", "¿Dónde?"], ["select_one_from_file lugares.csv", "pueblo", "¿Pueblo? \U0001f3e0"]]
    task = task_of("Mi año.xlsx", workbook(survey=[*SURVEY, *wrong]), {"lugares.csv": b"name,label\na,\xc3\xb1\n"})
    for each in (task, task_of("tarjeta.xlsx", (STARTER / "tarjeta.xlsx").read_bytes(), {})):
        said, failure = worker_process(each, 20)
        assert (said, failure) == worker_here(each, 20) and said.endswith(b'{"step": "done"}\n')


@pytest.mark.usefixtures("_own_process")
def test_damaged_insides_are_told_by_the_worker() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("hola.txt", "no hay libro aquí")
    assert "dañado" in only_error(check_file("raro.xlsx", written.getvalue()))
    assert "dañado" in only_error(check_file("raro.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600))


def test_text_that_is_not_utf8_is_named() -> None:
    assert "UTF-8" in only_error(check_file("f.csv", "survey,,\n,type,name\n,text,año\n".encode("latin-1")))


def test_a_book_without_survey_names_the_sheets_it_has() -> None:
    assert "Hoja1, Hoja2" in only_error(check_file("f.xlsx", workbook(Hoja1=SURVEY, Hoja2=[["a"]])))


def test_a_form_that_asks_nothing_is_published_with_a_warning() -> None:
    only_notes = [["type", "name", "label"], ["note", "hola", "Buenos días."]]
    checked = check_file("f.xlsx", workbook(survey=only_notes, settings=SETTINGS))
    assert "no pregunta nada" in checked.report.of("warning")[0].message
    assert checked.form is not None and checked.report.questions == 0


def test_a_survey_without_type_column_says_so() -> None:
    checked = check_file(
        "f.xlsx", workbook(survey=[["tipo", "name", "label"], ["text", "a", "¿A?"]], settings=SETTINGS)
    )
    assert "no tiene la columna type" in checked.report.of("error")[0].message


@pytest.mark.usefixtures("_own_process")
def test_a_check_that_takes_too_long_is_stopped_and_said() -> None:
    checked = check_file("f.xlsx", workbook(survey=SURVEY, settings=SETTINGS), seconds=0.01)
    assert "0.01 segundos" in only_error(checked)


def test_what_was_found_before_the_worker_ended_is_kept() -> None:
    """The worker is asked for real, read up to its first line, and killed with the rest unsaid."""
    content = workbook(survey=[*SURVEY, ["osm", "lugar", "¿Dónde?"]], settings=SETTINGS)
    command = [sys.executable, "-P", "-m", "collector.publish.worker", "20"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(task_of("prueba.xlsx", content, {}))
        worker.stdin.close()
        first = worker.stdout.readline()
        worker.kill()
    report = put_together("prueba.xlsx", first + b'{"step": "gate", "fin', "timeout", 20).report
    assert [(each.sheet, each.row, each.column) for each in report.of("error")] == [
        ("", None, ""),
        ("survey", 3, "type"),
    ]
    assert (report.form_id, report.version, report.questions) == ("prueba", "1", 1)


def test_the_report_as_json_has_the_agreed_keys() -> None:
    content = workbook(survey=[*SURVEY, ["osm", "lugar", "¿Dónde?"]], settings=SETTINGS)
    said = check_file("prueba.xlsx", content).report.to_json()
    assert list(said) == ["form_id", "version", "problems", "questions"]
    assert (said["form_id"], said["version"], said["questions"]) == ("prueba", "1", 1)
    (problem,) = said["problems"]
    assert list(problem) == ["severity", "sheet", "row", "column", "cell", "message", "hint"]
    assert (problem["sheet"], problem["row"], problem["column"]) == ("survey", 3, "type")
