"""The lab publishes a form from the browser, with the same report as the command."""

from collections.abc import Callable, Mapping

import httpx
import pytest

from collector.publish.publishing import check_file
from tests.conftest import STARTER, Node
from tests.forms.household import household_xml

GOOD = (STARTER / "tarjeta.xlsx").read_bytes()
BAD = b"| survey |\n| | type | name | label | relevant |\n| | text | a | A <b>x</b> | foo(${nada}) |\n"


@pytest.fixture
def lab(make_node: Callable[..., Node], lab_login: Callable[[Node], httpx.Client]) -> tuple[Node, httpx.Client]:
    node = make_node("central")
    return node, lab_login(node)


WITH_FILES = (
    b"| survey |\n| | type | name | label | image |\n| | select_one_from_file lugares.csv | a | A | mapa.png |\n"
    b"| settings |\n| | form_id | version |\n| | mapa | 1 |\n"
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PLACES = b"name,label\na,A\n"


def post(
    client: httpx.Client, name: str, content: bytes, go: str = "publish", media: Mapping[str, bytes] | None = None
) -> httpx.Response:
    files = [("file", (name, content)), *(("media", (each, inside)) for each, inside in (media or {}).items())]
    return client.post("/lab/publicar", files=files, data={"go": go})


def test_a_good_file_is_published_and_its_page_opens(lab: tuple[Node, httpx.Client]) -> None:
    node, client = lab
    answer = post(client, "tarjeta.xlsx", GOOD)
    assert answer.status_code == 200 and "Publicado: tarjeta" in answer.text
    assert client.get("/f/tarjeta").status_code == 200
    assert "Ya estaba publicado" in post(client, "tarjeta.xlsx", GOOD).text
    assert len(node.app.state.forms.current()) == 1


def test_checking_publishes_nothing(lab: tuple[Node, httpx.Client]) -> None:
    node, client = lab
    assert "Se puede publicar." in post(client, "tarjeta.xlsx", GOOD, "check").text
    assert node.app.state.forms.current() == []


def test_errors_are_listed_as_in_the_command_and_nothing_is_published(lab: tuple[Node, httpx.Client]) -> None:
    node, client = lab
    answer = post(client, "mala.md", BAD)
    assert answer.status_code == 422
    errors = check_file("mala.md", BAD).report.of("error")
    assert errors and all(error.where("es") in answer.text for error in errors)
    assert node.app.state.forms.current() == []


def test_what_the_file_holds_is_shown_as_text(lab: tuple[Node, httpx.Client]) -> None:
    sheet = b"| survey |\n| | type | name | label |\n| | <script>alert(1)</script> | a | A |\n"
    answer = post(lab[1], "x.md", sheet)
    assert "<script>alert" not in answer.text and "&lt;script&gt;alert" in answer.text


def test_several_files_go_with_the_form(lab: tuple[Node, httpx.Client]) -> None:
    node, client = lab
    answer = post(client, "mapa.md", WITH_FILES)
    assert answer.status_code == 422 and "lugares.csv" in answer.text and "mapa.png" in answer.text
    answer = post(client, "mapa.md", WITH_FILES, media={"lugares.csv": PLACES, "mapa.png": PNG, "otra.png": PNG})
    assert answer.status_code == 200 and "Publicado: mapa" in answer.text and "otra.png" in answer.text
    held = {each.name for each in node.app.state.forms.files("mapa", "1")}
    assert held == {"lugares.csv", "mapa.png"}
    again = post(client, "mapa.md", WITH_FILES, media={"lugares.csv": PLACES + b"b,B\n", "mapa.png": PNG})
    assert again.status_code == 422 and "Cambie la versión" in again.text


def test_an_xform_is_published_too(lab: tuple[Node, httpx.Client]) -> None:
    answer = post(lab[1], "hogar.xml", household_xml().encode())
    assert answer.status_code == 200 and "Publicado: hogar" in answer.text
    assert lab[1].get("/f/hogar").status_code == 200


def test_other_content_under_a_published_version_is_refused(lab: tuple[Node, httpx.Client]) -> None:
    sheet = (
        "| survey |\n| | type | name | label |\n| | text | a | {} |\n"
        "| settings |\n| | form_id | version |\n| | f | 1 |\n"
    )
    assert post(lab[1], "f.md", sheet.format("A").encode()).status_code == 200
    answer = post(lab[1], "f.md", sheet.format("B").encode())
    assert answer.status_code == 422 and "Cambie la versión" in answer.text


@pytest.mark.parametrize(
    ("name", "content", "status"), [("", b"", 422), ("a.xlsx", b"", 422), ("a.csv", b"x" * 21_000_000, 413)]
)
def test_no_file_an_empty_file_and_a_huge_file_are_answered(
    lab: tuple[Node, httpx.Client], name: str, content: bytes, status: int
) -> None:
    assert post(lab[1], name, content).status_code == status


def test_nobody_publishes_without_signing_in(lab: tuple[Node, httpx.Client]) -> None:
    node, _client = lab
    answer = httpx.post(f"{node.url}/lab/publicar", files={"file": ("tarjeta.xlsx", GOOD)}, data={"go": "publish"})
    assert answer.status_code == 401
    assert node.app.state.forms.current() == []
