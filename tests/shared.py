"""What costs much and is the same for every node of a test run: done once a process, then handed to all.

Only what no test can tell apart from its own: certificates that no test needs, templates, static files and forms that
do not change during the run, and the empty tables of a new store. A node of a process of its own gets none of it.
Forms are checked in the process of the test; those about the worker's process ask for `worker_process`.
"""

import io
import json
import shutil
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jinja2
import pytest
from argon2 import PasswordHasher
from fastapi import routing as fastapi_routing
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from jinja2.bccache import Bucket
from sqlalchemy import Engine, create_engine

from collector import app, db, people
from collector.assets import Assets, load_assets
from collector.db import open_engine, prepare_store
from collector.forms import xform
from collector.forms.model import Form
from collector.pages import load_english, make_environment
from collector.publish import publishing, worker

worker_process = publishing._run_worker
SLOW_HASHER = people._HASHER
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # a log-in takes 90 ms with the slow one
ReadForm = Callable[..., Form]


class CompiledTemplates(jinja2.BytecodeCache):
    """Templates as Jinja compiled them, in memory: 20 to 50 ms a page that no other node has shown."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


def reading_once(read: ReadForm) -> ReadForm:
    """Return `read` with a memory: the same XForm with the same lists gives the same Form. What is refused is not kept.

    A Form is frozen, so many nodes can hold the same one.
    """
    held: dict[tuple[object, ...], Form] = {}

    def read_known(xform: str, *, media: Mapping[str, str] | None = None, sha256: str | None = None) -> Form:
        key = (xform, tuple(sorted((media or {}).items())), sha256)
        if key not in held:
            held[key] = read(xform, media=media, sha256=sha256)
        return held[key]

    return read_known


def taking_apart_once(take_apart: Callable[..., Dependant]) -> Callable[..., Dependant]:
    """Return `take_apart` with a memory: what FastAPI finds out about a function of ours is the same in every node."""
    held: dict[tuple[object, ...], Dependant] = {}

    def taken_apart(*, path: str, call: Callable[..., Any], scope: Any) -> Dependant:
        key = (path, call, scope)
        if key not in held:
            held[key] = take_apart(path=path, call=call, scope=scope)
        # the list is its own: FastAPI puts what a router asks for in front of it
        return replace(held[key], dependencies=[*held[key].dependencies])

    return taken_apart


class CompiledStatements(dict[tuple[Any, ...], Any]):
    """Statements as SQLAlchemy compiled them, for all engines of one kind of database: 1 ms each in every new store.

    SQLAlchemy asks for (dialect, statement, ...); a dialect is of one engine, its name is of all.
    """

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


def with_statements(create: Callable[..., Engine], known: CompiledStatements) -> Callable[..., Engine]:
    """Return `create_engine` such that its engines know the statements that others have compiled."""

    def create_knowing(url: str, **options: Any) -> Engine:
        engine = create(url, **options)
        engine._compiled_cache = known
        return engine

    return create_knowing


def worker_here(task: bytes, _seconds: float) -> tuple[bytes, str]:
    """Do here what the publishing worker does: a process of its own takes a second to import what it needs.

    Both say the same, letter by letter: tests/forms/test_publish_files.py.
    """
    said: list[dict[str, Any]] = []
    name, content, attached = worker.read_task(io.BytesIO(task))
    worker.check(name, content, said.append, attached)
    lines = [json.dumps(line, ensure_ascii=False) for line in (*said, {"step": "done"})]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"), ""


@contextmanager
def shared_work() -> Iterator[None]:
    """Let all nodes of this process share what is the same for all of them."""
    compiled = CompiledTemplates()

    def environment_of(assets: Assets) -> jinja2.Environment:
        made = make_environment(assets)
        made.bytecode_cache = compiled
        return made

    with pytest.MonkeyPatch.context() as patch:
        # httpx reads 140 certificates for every client, 85 ms: no test speaks TLS
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        patch.setattr(app, "make_environment", environment_of)
        patch.setattr(app, "load_assets", cache(load_assets))
        patch.setattr(app, "load_english", cache(load_english))
        patch.setattr(db, "create_engine", with_statements(create_engine, CompiledStatements()))
        patch.setattr(xform, "read_xform", reading_once(xform.read_xform))
        patch.setattr(publishing, "_run_worker", worker_here)
        # FastAPI takes every route of every application apart: most of the time of a node's first answer
        patch.setattr(fastapi_routing, "get_dependant", taking_apart_once(get_dependant))
        patch.setattr(people, "_HASHER", QUICK_HASHER)
        yield


# --- the tables of a new store


@cache
def _empty_tables() -> tuple[TemporaryDirectory[str], Path]:
    """Make the file of a store with its tables and nothing in it; the folder goes when the process ends."""
    folder = TemporaryDirectory(prefix="collector-tables-")
    file = Path(folder.name) / "collector.db"
    engine = open_engine(f"sqlite:///{file}")
    prepare_store(engine)
    engine.dispose()
    return folder, file


def put_empty_tables(file: Path) -> None:
    """Put a store's tables where a store will be opened for the first time: a fifth of the time of making them."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_empty_tables()[1], file)
