"""How long the first page of each list takes with a million records behind it, over HTTP, signed in; and of a program.

Beside the million records of bench/exports.py stand a million lines of the audit, and what is odd or set aside.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, sleep

import httpx
from sqlalchemy import Engine, text

from bench.exports import LARGE, MANY, RARE, SMALL
from bench.node import QUIET
from bench.report import Bar, Row
from bench.servers import Server, free_ports, node_command, running
from collector import people
from collector.db import open_engine, prepare_store, writing
from collector.queries import people as people_queries
from collector.settings import Settings

ASKS = 9
MOST_SECONDS = 300.0  # for the counts that a node makes beside its pages when it is new to a store
FIRST_PAGE = Bar(most=100, unit=" ms")
EMAIL = "bench@ejemplo.pa"
COOKIE = "collector_session"
PAGES = (
    "/lab", f"/lab/forms/{LARGE}", f"/lab/forms/{SMALL}", f"/lab/forms/{RARE}", "/lab/llegadas", "/lab/al-dia",
    "/lab/revisar", f"/lab/revisar/{LARGE}", f"/lab/revisar/{RARE}", "/lab/calidad", "/lab/cuarentena",
    "/lab/cuarentena/resueltos", "/lab/auditoria",
)  # fmt: skip
PROGRAMS = ("/api/v1/records", f"/api/v1/records?form={RARE}")
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
AUDIT = f"""{NUMBERS} INSERT INTO audit (id, at_ms, who, role, action, subject, purpose, count, detail)
SELECT printf('0190%04x-%04x-7000-8000-%012x', i / 65536, i % 65536, i), 1700000000000 + i * 1000,
    'persona' || (i % 40) || '@ejemplo.pa', 'analyst', 'read_record', 'hogares', '', 50, '' FROM n"""
QUALITY = """INSERT INTO quality (record_id, form, found)
SELECT id, form, '[{"what": "fast"}]' FROM record WHERE n % 20 = 0"""
ASIDE = f"""{NUMBERS} INSERT INTO quarantine (id, sha256, n, why, received_ms, resolved_by, via, body)
SELECT printf('0190%04x-%04x-7000-9000-%012x', i / 65536, i % 65536, i), randomblob(32), 10000000 + i, 'bad_record',
    1700000000000 + i, CASE WHEN i % 2 THEN '' ELSE 'x' END, '[]', '{{}}' FROM n"""


def list_rows(data: Path, many: int = MANY) -> list[Row]:
    """Measure the first page of every list, of the store of bench/exports.py below `data`."""
    engine = open_engine(Settings(data_dir=data).url)
    prepare_store(engine)
    _grow(engine, many)
    session, token = _let_in(engine)
    engine.dispose()
    with _served(data) as (server, url):
        browser = httpx.Client(base_url=url, cookies={COOKIE: session}, timeout=MOST_SECONDS)
        program = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=MOST_SECONDS)
        with browser, program:
            _wait(browser)
            pages = [_row(server, browser, address) for address in PAGES]
            return pages + [_row(server, program, address) for address in PROGRAMS]


def _grow(engine: Engine, many: int) -> None:
    """Fill the tables beside the records, once."""
    with engine.begin() as connection:
        if connection.execute(text("SELECT count(*) FROM audit")).scalar_one() >= many:
            return
        connection.execute(text(AUDIT), {"many": many})
        connection.execute(text(QUALITY))
        connection.execute(text(ASIDE), {"many": many // 20})


def _let_in(engine: Engine) -> tuple[str, str]:
    """Return the cookie of a signed-in browser, and a token."""
    with writing(engine) as session:
        if people_queries.get_user(session, EMAIL) is None:
            people.add_user(session, EMAIL, people.new_token())
        return people.start_session(session, EMAIL), people.make_token(session, "bench", purpose="medidas")


@contextmanager
def _served(data: Path) -> Iterator[tuple[Server, str]]:
    port = free_ports()
    with running(node_command(data, port), [port], data / "lists.log", QUIET) as server:
        yield server, f"http://127.0.0.1:{port}"


def _wait(browser: httpx.Client) -> None:
    """Wait until the node has counted what came, as after its first start on this store."""
    last, until = -1.0, monotonic() + MOST_SECONDS
    while monotonic() < until:
        began = perf_counter()
        browser.get("/lab").raise_for_status()
        last = perf_counter() - began
        if last < 0.5:
            return
        sleep(1)


def _row(server: Server, client: httpx.Client, address: str) -> Row:
    """Ask several times: the quickest counts, since a neighbour only slows it down; the first is told beside it."""
    spent, cpu = [], []
    for _ in range(ASKS):
        began, processor = perf_counter(), server.cpu_seconds()
        client.get(address).raise_for_status()
        spent.append((perf_counter() - began) * 1000)
        cpu.append((server.cpu_seconds() - processor) * 1000)
    best = min(spent)
    name = f"first page of {address} at {MANY:,} records (wall, best; asked first {spent[0]:.0f} ms)"
    return Row(f"{name}; processor {median(cpu):.0f} ms", f"{best:.1f} ms", best, FIRST_PAGE)
