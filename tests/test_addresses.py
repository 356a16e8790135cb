"""A node imports what answers an address when somebody asks for it, and forgets none."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import collector.routes
from collector.addresses import MODULES, first_part

ROUTES = Path(collector.routes.__file__).parent
STARTS = """
import asyncio, json, sys
from pathlib import Path
import httpx
from collector.app import create_app
from collector.settings import Settings

async def visit(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://nodo") as client:
        for path in ("/", "/s"):
            assert (await client.get(path)).status_code == 200
            print(json.dumps(sorted(sys.modules)))

asyncio.run(visit(create_app(Settings(data_dir=Path(sys.argv[1])))))
"""


def paths_of(router: Any) -> Iterator[str]:
    for route in router.routes:
        if hasattr(route, "path"):
            yield route.path
        else:
            yield from (router.prefix + path for path in paths_of(route.original_router))


def modules_with_addresses() -> list[str]:
    names = [path.stem for path in sorted(ROUTES.glob("*.py")) if path.stem != "__init__"]
    modules = {name: import_module(f"collector.routes.{name}") for name in names}
    routers = {name: module.router for name, module in modules.items() if hasattr(module, "router")}
    inner = [it.original_router for each in routers.values() for it in each.routes if hasattr(it, "original_router")]
    return [name for name, router in routers.items() if not any(router is each for each in inner)]


@pytest.mark.parametrize("name", modules_with_addresses())
def test_every_address_of_a_module_leads_to_it(name: str) -> None:
    paths = list(paths_of(import_module(f"collector.routes.{name}").router))
    assert paths
    assert not [path for path in paths if name not in MODULES.get(first_part(path), ())]


def test_no_first_part_names_a_module_without_an_address_there() -> None:
    for first, names in MODULES.items():
        for name in names:
            assert first in map(first_part, paths_of(import_module(f"collector.routes.{name}").router)), (first, name)


def test_a_start_reads_no_forms_opens_no_line_and_knows_no_rooms_until_somebody_asks(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", STARTS, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    before, after = map(json.loads, done.stdout.splitlines())
    late = ("collector.rooms", "collector.forms.xform", "sync.push", "pyxform", "sqlalchemy.dialects.postgresql")
    assert not [name for name in late if name in before]
    assert "collector.rooms" in after
