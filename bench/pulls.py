"""What it costs to take the data home: `collector pull` of many records and of none, beside a bare `sqlite3` insert."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy import Engine

from bench.ingest import Source
from bench.node import QUIET, own_store
from bench.report import Bar, Row
from bench.servers import free_ports, node_command, running
from collector import people
from collector.clock import now_ms
from collector.db import writing
from collector.pull.client import pull
from collector.pull.texts import COLUMNS as TEXT_COLUMNS
from collector.queries.records import Arrival, ingest
from sync.records import read_record

MANY = 100_000
PAGE = 500
CHUNK = 10_000  # records of the generator at once
ASKS = 30
NOTHING = Bar(most=30, unit=" ms")
OF_BARE = Bar(least=0.1)
# the searched words are not rows that anybody would insert by hand, nor are explanations
NOT_BARE = ("sqlite_", "search", "forms", "questions", "choices", "removed", "_pull")


def pull_rows(folder: Path, source: Source, xforms: list[str], many: int = MANY) -> list[Row]:
    """Measure a first pull of `many` records over HTTP, and one when nothing is new. Wall time, one process each."""
    data = folder / "pulled"
    with own_store(data, xforms) as engine:
        _fill(engine, source, many)
        with writing(engine) as session:
            token = people.make_token(session, "bench", purpose="medidas")
    file = folder / "lab.db"
    with _served(data, folder) as url:
        began = perf_counter()
        pull(url, token, file)
        first = perf_counter() - began
        nothing = median(_again(url, token, file) for _ in range(ASKS))
    rows, bare = _bare(file, folder / "bare.db")
    name = f"pull of {many:,} records into SQLite: rows a second, against sqlite3 executemany of the same rows (wall)"
    return [
        Row(name, f"{rows / first:,.0f}", bare / first, OF_BARE, f"{rows / bare:,.0f}", f"{bare / first:.2f}"),
        Row(f"pull of nothing new from {many:,} records", f"{nothing:.1f} ms", nothing, NOTHING),
    ]


@contextmanager
def _served(data: Path, folder: Path) -> Iterator[str]:
    port = free_ports()
    with running(node_command(data, port), [port], folder / "pulled.log", QUIET):
        yield f"http://127.0.0.1:{port}"


def _fill(engine: Engine, source: Source, many: int) -> None:
    for chunk in range(0, many, CHUNK):
        bodies = source.bodies(min(CHUNK, many - chunk), seed=200 + chunk)
        while batch := list(islice(bodies, PAGE)):
            with writing(engine) as session:
                ingest(session, [_arrival(body) for body in batch], now_ms())


def _arrival(body: bytes) -> Arrival:
    read = read_record(body.decode())
    return Arrival(read.id, read.sha256, read.body, read.kind, read.form, read.version)


def _again(url: str, token: str, file: Path) -> float:
    """Return the milliseconds of a pull that finds nothing new, the file opened and closed."""
    began = perf_counter()
    result = pull(url, token, file)
    if result.read:
        raise ValueError(f"{result.read} records came again")
    return (perf_counter() - began) * 1000


def _bare(file: Path, other: Path) -> tuple[int, float]:
    """Insert the rows of every table of answers into a new file; return how many, and the seconds."""
    with closing(sqlite3.connect(file)) as pulled, closing(sqlite3.connect(other)) as bare:
        names = [name for (name,) in pulled.execute("select name from sqlite_master where type = 'table'")]
        found, seconds = 0, 0.0
        for name in names:
            if name.startswith(NOT_BARE):
                continue
            columns = [row[1] for row in pulled.execute(f'pragma table_info("{name}")')]
            rows = pulled.execute(f'select * from "{name}"').fetchall()
            key = "" if name == "texts" and set(columns) > set(TEXT_COLUMNS) else ", primary key (id)"
            said = ", ".join(f'"{column}"' for column in columns)
            began = perf_counter()
            bare.execute(f'create table "{name}" ({said}{key})')
            bare.executemany(f'insert into "{name}" values ({", ".join("?" * len(columns))})', rows)
            bare.commit()
            seconds += perf_counter() - began
            found += len(rows)
    return found, seconds
