"""A pulled file in Datasette itself: its tables, its search, and the questions beside the columns."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector.cli.main import cli
from collector.pull.datasette import write_metadata
from tests.lab.conftest import Lab
from tests.lab.test_repeats import ANSWERS
from tests.lab.visitas import visitas_xml


@pytest.fixture
def pulled(lab: Lab, lab_db: Path) -> Path:
    """Give a file with records of two forms, pulled by the command, with its metadata beside it."""
    lab.publish(visitas_xml())
    lab.put(lab.answer(idea="El río crece", temas="agua"), lab.record("visitas", ANSWERS))
    command = ["pull", lab.node.url, "--token", lab.token(), "--to", str(lab_db), "--purpose", "pruebas", "--datasette"]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    assert "datasette-metadata.json" in done.output
    return lab_db


def shown(file: Path, path: str) -> str:
    """Return what Datasette answers at an address."""
    metadata = file.parent / "datasette-metadata.json"
    command = [sys.executable, "-m", "datasette", str(file), "--metadata", str(metadata), "--get", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_datasette_serves_the_tables_the_search_and_the_questions(pulled: Path) -> None:
    tables: dict[str, Any] = {it["name"]: it for it in json.loads(shown(pulled, "/lab.json"))["tables"]}
    assert {"barrio", "visitas", "visitas_persona", "texts", "questions", "choices", "removed"} <= {
        name for name, table in tables.items() if not table["hidden"]
    }
    assert tables["_pull"]["hidden"] and tables["texts"]["fts_table"] == "search"
    found = json.loads(shown(pulled, "/lab/texts.json?_search=RIO&_shape=array"))
    assert [row["text"] for row in found] == ["El río crece"]
    asked = json.loads(shown(pulled, "/lab/buscar.json?palabras=jose&_shape=array"))
    assert [(row["form"], row["text"]) for row in asked] == [("visitas", "José")]
    page = shown(pulled, "/lab/barrio")
    assert "¿Cuántos años tiene?" in page and "Mi barrio" in page
    assert "¿Qué temas? · Agua" in page


def test_the_questions_are_in_spanish_unless_another_language_is_asked(pulled: Path) -> None:
    def label() -> str:
        content = json.loads((pulled.parent / "datasette-metadata.json").read_text(encoding="utf-8"))
        return str(content["databases"]["lab"]["tables"]["barrio"]["columns"]["edad"])

    assert label() == "¿Cuántos años tiene?"
    write_metadata(pulled, "English (en)")
    assert label() == "How old are you?"
