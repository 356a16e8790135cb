"""Carrying and bringing in the browser and at the command line, over real stores."""

import html
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from collector import people
from collector.cli.main import cli
from collector.db import writing
from collector.problems import ProblemError
from collector.queries import nodes
from sync.records import canonical_bytes
from tests.conftest import Node, submission

PAGE = "/equipo/paquetes"


@contextmanager
def facilitator(node: Node) -> Iterator[httpx.Client]:
    """Give a browser-like client that has given the PIN."""
    with writing(node.app.state.engine) as session:
        people.set_pin(session, "482913")
    html_only = {"Accept": "text/html"}
    # closing with a passphrase is slow on purpose
    with httpx.Client(base_url=node.url, follow_redirects=True, headers=html_only, timeout=60) as client:
        assert client.post("/equipo/pin", data={"pin": "482913", "next": PAGE}).status_code == 200
        yield client


def bring(client: httpx.Client, content: bytes, **fields: str) -> httpx.Response:
    return client.post(f"{PAGE}/traer", files={"file": ("algo", io.BytesIO(content))}, data=fields)


def receipt_in(page: str) -> str:
    found = re.search(r'name="receipt" value="([^"]*)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def counts(node: Node) -> nodes.Counts:
    with writing(node.app.state.engine) as session:
        return nodes.node_status(session).counts


def test_a_bundle_goes_from_page_to_page_and_its_receipt_comes_back(
    make_node: Callable[..., Node], send_outbox: Callable[..., httpx.Response]
) -> None:
    central = make_node("central")
    field = make_node("campo", upstream=central)
    send_outbox(field, *(submission() for _ in range(3)))
    with facilitator(field) as here, facilitator(central) as there:
        assert "Llevar y traer" in here.get("/equipo").text
        page = here.get(PAGE).text
        assert "Respuestas que esperan para ir a central: 3." in page and "Solo central" in page
        made = here.post(f"{PAGE}/hacer", data={"lock": "central"})
        assert made.headers["content-disposition"].startswith("attachment")
        assert made.content.startswith(b"age-encryption.org/v1")
        assert "Sin recibo todavía" in here.get(PAGE).text
        answer = bring(there, made.content).text
        assert "Paquete de campo" in answer and "Nuevas: 3. Ya estaban: 0. En revisión: 0." in answer
        receipt = there.post(f"{PAGE}/recibo", data={"receipt": receipt_in(answer)})
        assert "attachment" in receipt.headers["content-disposition"] and receipt.json()["central"] is True
        back = bring(here, receipt.content).text
        assert "Central tiene ese paquete" in back and "Recibido en central" in back
        assert counts(field).central == 3
        nothing = here.post(f"{PAGE}/hacer", data={"lock": "central"})
        assert nothing.status_code == 409 and "No hay nada que llevar" in nothing.text


def test_a_passphrase_is_asked_for_and_a_wrong_one_is_said(
    make_node: Callable[..., Node], send_outbox: Callable[..., httpx.Response]
) -> None:
    central = make_node("central")
    field = make_node("campo", upstream=central)
    send_outbox(field, submission())
    with facilitator(field) as here, facilitator(central) as there:
        short = here.post(f"{PAGE}/hacer", data={"lock": "passphrase", "passphrase": "corta"})
        assert (short.status_code, "son muy pocas" in short.text) == (400, True)
        assert here.post(f"{PAGE}/hacer", data={"lock": "passphrase"}).status_code == 400
        made = here.post(f"{PAGE}/hacer", data={"lock": "passphrase", "passphrase": "tres palabras así"}).content
        assert "se abre con una clave" in bring(there, made).text
        assert "Esa clave no abre" in bring(there, made, passphrase="otra cosa larga").text
        assert "Nuevas: 1." in bring(there, made, passphrase="tres palabras así").text


def test_what_is_no_file_of_ours_is_a_sentence_in_both_languages(make_node: Callable[..., Node]) -> None:
    with facilitator(make_node("central")) as there:
        answer = bring(there, b"\x89PNG\r\n")
        assert (answer.status_code, "no es un paquete de Collector" in answer.text) == (400, True)
        english = there.post(f"{PAGE}/traer?lang=en", files={"file": ("algo", io.BytesIO(b"hola"))})
        assert "This file is no bundle" in english.text and "Bring a file" in english.text
        assert there.post(f"{PAGE}/traer", data={"passphrase": "x"}).status_code == 400
        assert there.post(f"{PAGE}/recibo", data={"receipt": "<script>"}).status_code == 400


def test_only_facilitators_and_the_lab_reach_the_page(
    make_node: Callable[..., Node], lab_login: Callable[[Node], httpx.Client]
) -> None:
    node = make_node("central")
    assert httpx.get(f"{node.url}{PAGE}").status_code == 401
    for address in ("hacer", "traer", "recibo"):
        assert httpx.post(f"{node.url}{PAGE}/{address}").status_code == 401
    assert lab_login(node).get(PAGE).status_code == 200


def test_a_file_beyond_the_limit_is_not_read_to_its_end(
    make_node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.routes.bundles.MAX_UPLOAD_BYTES", 100_000)
    with facilitator(make_node("central")) as there:
        assert bring(there, b"{" * 400_000).status_code == 413


# --- the command line


def run(data: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, [*words, "--data", str(data)], input=typed)


def test_the_commands_carry_a_bundle_there_and_its_receipt_back(
    make_node: Callable[..., Node], send_outbox: Callable[..., httpx.Response], tmp_path: Path
) -> None:
    central = make_node("central")
    field = make_node("campo", upstream=central)
    send_outbox(field, submission(), submission())
    file = tmp_path / "viaje.cbundle"
    made = run(field.data_dir, "bundle", "export", str(file))
    assert made.exit_code == 0 and "2 registros y 0 archivos" in made.output
    taken = run(central.data_dir, "bundle", "import", str(file))
    assert "Paquete de campo." in taken.output and "Nuevos: 2. Ya estaban: 0. En revisión: 0." in taken.output
    receipt = tmp_path / "viaje.cbundle.recibo.json"
    assert json.loads(receipt.read_text())["central"] is True
    back = run(field.data_dir, "bundle", "receipt", str(receipt))
    assert back.exit_code == 0 and "Central recibió 2 registros" in back.output
    assert counts(field).central == 2


def test_the_commands_take_a_phones_file_and_ask_for_a_passphrase_when_one_is_needed(
    make_node: Callable[..., Node], tmp_path: Path
) -> None:
    node = make_node("central")
    outbox = tmp_path / "mis-respuestas.ndjson"
    outbox.write_bytes(canonical_bytes(submission()) + b"\nbasura\n")
    taken = run(node.data_dir, "bundle", "import", str(outbox))
    assert "Nuevos: 1." in taken.output and "Líneas dañadas que no se pudieron leer: 1 (2)." in taken.output
    phrase = "una clave larga\n"
    file = tmp_path / "x.cbundle"
    assert run(node.data_dir, "bundle", "export", str(file), "--passphrase", typed=phrase * 2).exit_code == 0
    other = run(tmp_path / "otro", "bundle", "import", str(file), typed=phrase)
    assert other.exit_code == 0 and "no está inscrito aquí" in other.output and "Nuevos: 1." in other.output


@pytest.mark.parametrize(
    ("words", "code"), [(("import", "/no/existe"), "file_not_found"), (("receipt", __file__), "bundle_unknown")]
)
def test_the_commands_say_what_is_wrong(tmp_path: Path, words: tuple[str, ...], code: str) -> None:
    found: Any = run(tmp_path, "bundle", *words).exception
    assert isinstance(found, ProblemError) and found.problem.code == code
