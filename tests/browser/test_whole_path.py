"""The main job in one walk: publish, fill in offline, push to central, see it in the lab, pull it, open the CSV."""

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from collector import people
from collector.db import writing
from collector.settings import Settings
from tests.browser.conftest import Phone, fill_confianza, go_on, ready, until
from tests.browser.test_offline import keep_page, stored
from tests.conftest import STARTER, Node, serve


def command(*words: str) -> str:
    """Run a `collector` command as a person would; it must end well."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COLLECTOR_")}
    done = subprocess.run(
        [sys.executable, "-m", "collector.cli", *words], capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_from_an_xlsform_to_the_labs_table_through_a_browser_that_was_offline(
    make_node: Callable[..., Node], phone: Phone, lab_login: Callable[[Node], httpx.Client], tmp_path: Path
) -> None:
    central = make_node("central")
    assert "Publicado: confianza" in command(
        "form", "publish", str(STARTER / "confianza.xlsx"), "--data", str(central.data_dir)
    )
    field = make_node("campo", upstream=central)
    command("sync", "--data", str(field.data_dir))

    page = phone.open()
    page.goto(f"http://localhost:{field.port}/f/confianza")
    ready(page)
    keep_page(page)
    field.stop()
    page.goto(f"http://localhost:{field.port}/f/confianza")
    ready(page)
    fill_confianza(page)
    go_on(page, "send")
    page.wait_for_selector("text=Guardado en este dispositivo")
    phone.close()

    back = serve(Settings(data_dir=field.data_dir, sync_seconds=0), field.port)
    try:
        page = phone.open()
        page.goto(f"http://localhost:{field.port}/mis-respuestas")
        until(page, lambda: stored(back) == 1)
        status = json.loads(command("status", "--json", "--data", str(field.data_dir)))
        assert status["counts"]["guardado"] == 1
        command("sync", "--data", str(field.data_dir))
        status = json.loads(command("status", "--json", "--data", str(field.data_dir)))
        assert (status["counts"]["guardado"], status["counts"]["recibido_en_central"]) == (0, 1)
        assert status["last_contact"] and not status["last_error"]
        page.reload()
        page.wait_for_selector("text=en central")
    finally:
        back.stop()
    assert stored(central) == 1

    lab = lab_login(central)
    assert "Confianza y cohesión" in lab.get("/lab").text
    shown = lab.get("/lab/forms/confianza").text
    assert "San Miguelito" in shown and "<svg" in shown
    sheet = lab.get("/lab/forms/confianza/export.csv?purpose=prueba").content
    assert sheet.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"))))
    assert rows[0]["lugar-municipio"] == "0810"

    with writing(central.app.state.engine) as session:
        token = people.make_token(session, "prueba")
    file = tmp_path / "lab.db"
    for _ in range(2):
        command("pull", central.url, "--token", token, "--to", str(file))
    with sqlite3.connect(file) as database:
        assert database.execute('SELECT "confianza_gente" FROM confianza').fetchall() == [("7",)]
