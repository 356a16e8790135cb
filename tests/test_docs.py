"""The docs name every command, setting and address, and their links lead somewhere."""

import re
from pathlib import Path

import click
import pytest
from starlette.routing import Route

from collector.addresses import every_router
from collector.cli.main import cli

ROOT = Path(__file__).parent.parent
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")


def commands(group: click.Group, before: str = "collector") -> list[str]:
    found = []
    for name, command in group.commands.items():
        whole = f"{before} {name}"
        found += commands(command, whole) if isinstance(command, click.Group) else [whole]
    return found


def test_every_command_stands_in_the_reference() -> None:
    assert not [name for name in commands(cli) if f"`{name}" not in REFERENCE]


def test_every_setting_stands_in_the_reference() -> None:
    said = (ROOT / "collector" / "settings.py").read_text(encoding="utf-8")
    assert not [name for name in re.findall(r'"(COLLECTOR_\w+)"', said) if f"`{name}`" not in REFERENCE]


def test_every_address_stands_in_the_docs() -> None:
    everything = "\n".join(path.read_text(encoding="utf-8") for path in DOCS)
    paths = {
        route.path.replace(":path}", "}")
        for router in every_router()
        for route in router.routes
        if isinstance(route, Route)
    }
    assert len(paths) > 20
    missing = [path for path in paths if path not in everything and path.removeprefix("/sync/v1") not in everything]
    assert not missing


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_links_between_the_docs_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert not [link for link in links if not (path.parent / link).exists()]
