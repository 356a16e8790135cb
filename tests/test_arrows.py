"""Imports point one way: routes -> lab | rooms | forms | sync | queries -> tables; SQL stands in queries/ only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PURE = ("collector/forms", "collector/lab", "collector/rooms")
# what a pure module may not touch: files, sockets, processes, the database, the web
DOES_IO = (
    "sqlalchemy",
    "sqlmodel",
    "fastapi",
    "starlette",
    "httpx",
    "socket",
    "subprocess",
    "pathlib",
    "os",
    "sqlite3",
)
KNOWS_TABLES = ("collector/queries", "collector/migrations", "collector/db.py", "collector/tables")
SQL_WORDS = {"select", "insert", "update", "delete", "text", "where", "execute", "exec", "scalars"}


def modules() -> list[Path]:
    return sorted(path for folder in ("collector", "sync") for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Give every imported module as it is written, `from a import b` as "a" and "a.b"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def begins(module: str, *names: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in names)


@pytest.mark.parametrize("path", [p for p in modules() if name_of(p).startswith(PURE)], ids=name_of)
def test_pure_parts_do_no_io(path: Path) -> None:
    bad = [
        m for m in imports(path) if begins(m, *DOES_IO, "collector.queries", "collector.db", "collector.routes", "sync")
    ]
    assert not bad
    calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
    assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "open"]


@pytest.mark.parametrize("path", [p for p in modules() if name_of(p).startswith("sync/")], ids=name_of)
def test_sync_knows_no_web_pages(path: Path) -> None:
    assert not [
        m for m in imports(path) if begins(m, "collector.routes", "collector.pages", "collector.app", "fastapi")
    ]


@pytest.mark.parametrize("path", [p for p in modules() if name_of(p).startswith("collector/queries")], ids=name_of)
def test_queries_know_only_tables_and_plain_things(path: Path) -> None:
    above = (
        "collector.routes",
        "collector.lab",
        "collector.rooms",
        "collector.forms",
        "collector.app",
        "fastapi",
        "sync",
    )
    assert not [m for m in imports(path) if begins(m, *above)]


@pytest.mark.parametrize("path", [p for p in modules() if not name_of(p).startswith(KNOWS_TABLES)], ids=name_of)
def test_sql_stands_in_queries_only(path: Path) -> None:
    assert not [m for m in imports(path) if begins(m, "sqlmodel.select", "sqlmodel.col", "sqlalchemy.sql")]
    calls = [n.func.attr for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if _is_sql_call(n)]  # type: ignore[union-attr]
    assert not calls


def _is_sql_call(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    return isinstance(owner, ast.Name) and owner.id in ("session", "connection") and node.func.attr in SQL_WORDS


def test_the_rules_see_a_wrong_arrow(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from collector.routes import lab\nimport sqlite3\n")
    assert {"collector.routes", "sqlite3"} <= set(imports(wrong))
