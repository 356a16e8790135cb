"""A facilitator brings a guide of her own: what is wrong in it is said row by row, a good one is there to use again."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from openpyxl import Workbook

from collector.publish import guide_worker
from collector.publish import guides as publishing
from collector.publish.guides import MAX_GUIDE_BYTES, check_guide
from collector.publish.publishing import run_worker
from collector.publish.worker import read_task
from collector.room_guides import LIBRARY, kept_guides, starter_file, starter_guides
from collector.room_store import Writer, make_contribution
from collector.rooms.refusals import Refusal
from tests.conftest import Node
from tests.rooms_web.furnished_room import told_in

SURVEY = (
    "| survey |\n| | type | name | label::Español (es) | parameters |\n"
    "| | segment edades | edad | Edad | |\n| | question | abrir | ¿Qué pasa aquí? | minutes=10 |\n"
    "| | dots opciones | puntos | Reparta sus puntos | points=5 |\n"
)
CHOICES = (
    "| choices |\n| | list_name | name | label::Español (es) | weight |\n| | edades | joven | Joven | |\n"
    "| | edades | mayor | Mayor | |\n| | opciones | agua | Agua | |\n| | opciones | luz | Luz | |\n"
)


PROCESS = run_worker


def worker_here(module: str, task: bytes, _seconds: float) -> tuple[bytes, str]:
    """Do what a worker process does, in this one: starting one takes a second."""
    assert module == guide_worker.__name__
    name, content, _ = read_task(io.BytesIO(task))
    return json.dumps(guide_worker.check(name, content), ensure_ascii=False).encode() + b"\n", ""


@pytest.fixture(autouse=True)
def _quick_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "run_worker", worker_here)


def guide_text(name: str = "propia", survey: str = SURVEY, choices: str = CHOICES) -> bytes:
    settings = (
        f"| settings |\n| | form_id | version | form_title::Español (es) |\n| | {name} | 3 | Reunión de {name} |\n"
    )
    return (survey + choices + settings).encode()


def workbook(content: bytes, macros: bool = False) -> bytes:
    """Return the guide in `content` as an .xlsx, with a part as macros have it if asked."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for line in content.decode().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 1:
            sheet = book.create_sheet(cells[0])
        else:
            sheet.append([cell or None for cell in cells[1:]])
    made = io.BytesIO()
    book.save(made)
    if macros:
        with zipfile.ZipFile(made, "a") as parts:
            parts.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    return made.getvalue()


def bring(client: httpx.Client, content: bytes, name: str = "guía.md") -> httpx.Response:
    return client.post("/sala/guias", files={"file": (name, content)})


def report(answer: httpx.Response) -> list[tuple[str, str, str]]:
    """Return (where, what the cell says, sentence) of every line of the page's report."""
    table = re.search(r"<tbody>(.*?)</tbody>", answer.text.partition("Qué encontramos")[2], re.S)
    assert table is not None
    rows = re.findall(r'<th scope="row">(.*?)</th><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td>', table.group(1), re.S)
    return [(where, re.sub("<[^>]+>", "", cell), sentence.strip()) for where, cell, sentence in rows]


@pytest.mark.parametrize("as_file", [lambda content: (content, "g.md"), lambda content: (workbook(content), "g.xlsx")])
def test_a_guide_is_read_opens_a_session_and_is_there_again(
    host: httpx.Client, node: Node, as_file: Callable[[bytes], tuple[bytes, str]]
) -> None:
    content, file_name = as_file(guide_text(f"propia-{len(kept_guides(node.app.state.engine))}"))
    asked = bring(host, content, file_name)
    assert asked.status_code == 200 and "Título de la sesión" in asked.text
    key = asked.url.params["guia"]
    opened = host.post("/sala/nueva", data={"guide": key, "title": "Con la mía", "district": "0911", "seats": "2"})
    room = node.app.state.rooms.get(opened.url.path.rpartition("/")[2])
    assert [step.name for step in room.guide.steps] == ["abrir", "puntos"] and room.segments[0].name == "edad"
    assert room.facts.guide_version == "3" and room.facts.district == "0911"
    again = bring(host, content, file_name)
    assert again.url.params["guia"] == key
    assert key in host.get("/sala/nueva").text
    back = host.get(f"/sala/guias/{key}/archivo")
    assert back.content == content and file_name.rpartition(".")[2] in back.headers["content-disposition"]


def test_a_newer_guide_of_the_same_name_takes_the_place_of_the_older(host: httpx.Client, node: Node) -> None:
    bring(host, guide_text("dos-veces"))
    changed = guide_text("dos-veces", SURVEY.replace("points=5", "points=9"))
    key = bring(host, changed).url.params["guia"]
    mine = [kept for kept in kept_guides(node.app.state.engine) if kept.guide.name == "dos-veces"]
    assert [kept.id for kept in mine] == [key] and mine[0].guide.steps[1].points == 9


def test_a_guide_taken_off_the_list_is_gone_and_its_sessions_keep_it(host: httpx.Client, node: Node) -> None:
    key = bring(host, guide_text("por-quitar")).url.params["guia"]
    session = host.post("/sala/nueva", data={"guide": key, "seats": "0"}).url.path.rpartition("/")[2]
    assert host.post(f"/sala/guias/{key}/quitar").url.path == "/sala/guias"
    assert key not in host.get("/sala/guias").text and host.get(f"/sala/guias/{key}/archivo").status_code == 404
    assert len(node.app.state.rooms.get(session).guide.steps) == 2
    assert host.post("/sala/nueva", data={"guide": key}).status_code == 422


def test_the_library_is_no_room(host: httpx.Client, node: Node) -> None:
    bring(host, guide_text("biblioteca"))
    assert LIBRARY not in node.app.state.rooms.ids() and host.get(f"/sala/{LIBRARY}").status_code == 404
    assert {body["what"] for body in told_in(node, LIBRARY)} <= {"guide", "undo"}


def test_everything_that_is_wrong_is_listed_with_sheet_row_and_value(host: httpx.Client, node: Node) -> None:
    before = told_in(node, LIBRARY)
    wrong = guide_text(
        "con-errores",
        SURVEY
        + "| | baile | x | Bailar | |\n| | score criterios | jurado | Calificar | |\n"
        + "| | prompt | abrir | Otra vez | |\n",
        CHOICES + "| | criterios | impacto | Impacto | 60 |\n| | criterios | costo | Costo | 30 |\n",
    )
    answer = bring(host, workbook(wrong), "con errores.xlsx")
    assert answer.status_code == 422 and "hay 3 errores" in answer.text
    assert report(answer) == [
        ("survey, fila 5", "baile", report(answer)[0][2]),
        ("survey, fila 6", "jurado", "Fila 6: los pesos de «jurado» suman 90 y deben sumar 100."),
        ("survey, fila 7", "abrir", "Fila 7: el nombre «abrir» ya está en otra fila. Use otro."),
    ]
    assert "no hay pasos de tipo «baile»" in report(answer)[0][2]
    english = host.post("/sala/guias?lang=en", files={"file": ("g.xlsx", workbook(wrong))})
    assert "there are 3 errors" in english.text and "weights" in english.text
    assert told_in(node, LIBRARY) == before


def bomb() -> bytes:
    made = io.BytesIO(workbook(guide_text()))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/grande.bin", bytes(60_000_000))
    return made.getvalue()


OLD_MACROS = b"\xd0\xcf\x11\xe0" + bytes(600) + "_VBA_PROJECT".encode("utf-16-le") + bytes(600)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("foto.jpg", b"\xff\xd8\xff\xe0", "«foto.jpg» no es un archivo de guía"),
        ("guia.xlsm", workbook(guide_text()), "«guia.xlsm» no es un archivo de guía"),
        ("guia.xlsx", b"%PDF-1.7 and no more", "lo que hay dentro no es .xlsx"),
        ("guia.xlsx", workbook(guide_text(), macros=True), "El archivo trae macros"),
        ("guia.xls", OLD_MACROS, "El archivo trae macros"),
        ("guia.xlsx", bomb(), "abierto ocuparía 60 MB; el límite es 20 MB"),
        ("guia.xlsx", b"PK\x03\x04" + b"x" * 300, "El archivo está dañado"),
        ("guia.md", b"a" * (MAX_GUIDE_BYTES + 1), "El archivo pesa 150 KB"),
        ("guia.md", b"", "El archivo está vacío"),
        ("guia.md", b"| survey |\n| | type | name |\n", "La guía no tiene pasos"),
        ("guia.csv", "tipo;nombre\nañadir;1\n".encode("latin-1"), "UTF-8"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_a_wrong_file_is_said_and_not_kept(
    host: httpx.Client, node: Node, name: str, content: bytes, told: str
) -> None:
    before = told_in(node, LIBRARY)
    assert len(content) < 4 * MAX_GUIDE_BYTES
    answer = bring(host, content, name)
    assert answer.status_code == 422 and any(told in sentence for _, _, sentence in report(answer))
    assert told_in(node, LIBRARY) == before


def test_a_text_that_no_screen_shows_whole_is_told_with_its_row(host: httpx.Client) -> None:
    answer = bring(host, guide_text("larga", SURVEY.replace("¿Qué pasa aquí?", "¿Qué pasa aquí? " * 20)))
    ((where, _, sentence),) = report(answer)
    assert where == "survey, fila 3" and "caben 200" in sentence


def test_a_guide_that_fits_into_no_record_is_refused(host: httpx.Client, node: Node) -> None:
    steps = "".join(f"| | dots muchas | paso{n} | {'¿Qué pasa? ' * 17} | |\n" for n in range(55))
    choices = "".join(f"| | muchas | o{n} | {'Una opción larga ' * 11} | |\n" for n in range(55))
    answer = bring(host, guide_text("enorme", SURVEY + steps, CHOICES + choices))
    assert answer.status_code == 422 and any("una guía puede pesar" in sentence for _, _, sentence in report(answer))
    assert "enorme" not in {kept.guide.name for kept in kept_guides(node.app.state.engine)}


def test_no_file_a_name_that_is_taken_and_one_without_measure(host: httpx.Client) -> None:
    assert "Falta elegir un archivo" in host.post("/sala/guias", files={"file": ("", b"")}).text
    taken = bring(host, guide_text("municipal"))
    assert taken.status_code == 422 and "viene con el programa" in taken.text
    assert bring(host, bytes(2_000_000)).status_code == 422


def test_a_guide_is_read_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "run_worker", PROCESS)
    checked = check_guide("guia.xlsx", workbook(guide_text()), seconds=100)
    assert checked.findings == () and checked.guide is not None and len(checked.guide.steps) == 2
    wrong = check_guide("guia.md", guide_text(survey=SURVEY + "| | baile | x | X | |\n"), seconds=100)
    assert wrong.guide is None and [(each.row, each.cell) for each in wrong.findings] == [(5, "baile")]


def test_a_reader_that_hangs_or_dies_leaves_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "run_worker", PROCESS)
    slow = check_guide("guia.md", guide_text(), seconds=0.001)
    assert slow.guide is None and slow.findings[0].code == "guide_slow"
    monkeypatch.setattr(publishing, "run_worker", lambda *_told: (b"", "MemoryError"))
    dead = check_guide("guia.md", guide_text())
    assert dead.guide is None and "MemoryError" in dead.findings[0].message


def test_the_page_explains_every_type_and_gives_the_examples(host: httpx.Client) -> None:
    page = host.get("/sala/guias").text
    for name in starter_guides():
        for ending in ("xlsx", "md"):
            assert f"/sala/guias/ejemplo/{name}.{ending}" in page
            assert host.get(f"/sala/guias/ejemplo/{name}.{ending}").content == starter_file(name, ending)
    assert host.get("/sala/guias/ejemplo/otra.xlsx").status_code == 404
    assert host.get("/sala/guias/ejemplo/municipal.py").status_code == 404
    rows = re.findall(r'<th scope="row"><code>(\w+)</code></th><td[^>]*>(.*?)</td>', page)
    assert len(rows) == 18 and all(use for _, use in rows)


def test_a_guide_that_is_none_cannot_be_put_in_by_another_way() -> None:
    with pytest.raises(Refusal):
        make_contribution(
            LIBRARY, "guide", {"guide": "x", "guide_version": "1", "title": "x"}, Writer("tablet-of-host"), 1
        )


IN_ONE_PROCESS = """
import sys
from pathlib import Path
from starlette.testclient import TestClient
from collector import people
from collector.app import create_app
from collector.db import writing
from collector.settings import Settings

app = create_app(Settings(data_dir=Path(sys.argv[1]), name="Tableta", sync_seconds=0))
with writing(app.state.engine) as session:
    people.set_pin(session, "482913")
client = TestClient(app, headers={"Accept": "text/html"})
assert client.post("/equipo/pin", data={"pin": "482913", "next": "/sala"}).status_code == 200
assert "Subir una guía" in client.get("/sala/nueva").text
assert client.get("/sala/guias").status_code == 200
opened = client.post("/sala/nueva", data={"guide": "municipal", "title": "Taller", "seats": "3"})
assert opened.status_code == 200 and opened.url.path.startswith("/sala/"), opened.url
with open(sys.argv[2], "rb") as file:
    assert client.post("/sala/guias", files={"file": ("g.md", file.read())}).status_code == 200
print(sorted(name for name in ("pyxform", "openpyxl", "xlrd") if name in sys.modules))
"""


def test_the_web_process_opens_a_room_and_takes_a_guide_in_without_loading_what_reads_spreadsheets(
    tmp_path: Path,
) -> None:
    guide = tmp_path / "propia.md"
    guide.write_bytes(guide_text())
    command = [sys.executable, "-c", IN_ONE_PROCESS, str(tmp_path / "datos"), str(guide)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr[-2000:]
