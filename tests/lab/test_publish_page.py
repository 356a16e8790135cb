"""The lab publishes a form from the browser, with the same report as the command."""

from collections.abc import Callable

import httpx
import pytest

from collector.publishing import check_file
from tests.conftest import STARTER, Node

GOOD = (STARTER / "tarjeta.xlsx").read_bytes()
BAD = b"| survey |\n| | type | name | label | relevant |\n| | text | a | A <b>x</b> | foo(${nada}) |\n"


@pytest.fixture
def lab(make_node: Callable[..., Node], lab_login: Callable[[Node], httpx.Client]) -> tuple[Node, httpx.Client]:
    node = make_node("central")
    return node, lab_login(node)


def post(client: httpx.Client, name: str, content: bytes, go: str = "publish") -> httpx.Response:
    return client.post("/lab/publicar", files={"file": (name, content)}, data={"go": go})


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


def test_other_content_under_a_published_version_is_refused(lab: tuple[Node, httpx.Client]) -> None:
    sheet = (
        "| survey |\n| | type | name | label |\n| | text | a | {} |\n"
        "| settings |\n| | form_id | version |\n| | f | 1 |\n"
    )
    assert post(lab[1], "f.md", sheet.format("A").encode()).status_code == 200
    answer = post(lab[1], "f.md", sheet.format("B").encode())
    assert answer.status_code == 422 and "Cambie «version»" in answer.text


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
