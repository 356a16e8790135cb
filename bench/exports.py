"""What it costs to take the records away as files: the CSV of a form with repeats, its time and its memory.

The store holds a million households with their people. A file is made in a process of its own, as a node makes it, and
that process says how much its memory grew: its peak after the file less that before the first record.
"""

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

from sqlalchemy import Engine, text

from bench.node import own_store
from bench.report import Bar, Row
from bench.samples import convert_sheets
from collector.clock import iso, now_ms
from collector.db import open_engine, writing
from collector.exports.records import source_of
from collector.form_store import FormStore
from collector.lab.csv import Layout
from collector.lab.tables import tables_of
from collector.lab.zipped import zipped_tables
from collector.queries.records import Arrival, ingest
from collector.settings import Settings
from sync.records import new_salt, uuid7

SMALL, LARGE, RARE = "hogares_50k", "hogares", "hogares_piloto"
MANY, FEW, HANDFUL = 1_000_000, 50_000, 40  # records of the store; of SMALL; of RARE, the oldest ones
BATCH, COMMIT = 500, 20_000
KINDS = 2_000  # different households
SECONDS = Bar(most=10, unit=" s")
GROWTH = Bar(most=50, unit=" MiB")
SURVEY = """
begin group           | lugar
select_one provincia  | provincia
text                  | comunidad
geopoint              | punto
end group             |
select_one vivienda   | vivienda
select_multiple servicio | servicios
decimal               | ingreso
begin repeat          | persona
text                  | nombre
integer               | edad
select_one sexo       | sexo
select_one estudios   | estudios
end repeat            |
select_one escala     | confia_alcaldia
select_one escala     | confia_junta
select_one escala     | confia_policia
text                  | propuesta
"""
CHOICES = {
    "provincia": ("veraguas", "panama", "colon", "chiriqui"),
    "vivienda": ("propia", "alquilada", "prestada"),
    "servicio": ("agua", "luz", "internet", "basura"),
    "sexo": ("mujer", "hombre", "otro"),
    "estudios": ("ninguno", "primaria", "secundaria", "universidad"),
    "escala": ("1", "2", "3", "4", "5", "98"),
}


# --- the store


def household_xform(form_id: str) -> str:
    """Return the XForm of a survey of households with a repeat of their people."""
    lines = [[cell.strip() for cell in line.split("|")] for line in SURVEY.strip().splitlines()]
    survey = [{"type": kind, "name": name, "label": name.replace("_", " ")} for kind, name in lines]
    choices = [
        {"list_name": list_name, "name": name, "label": name.capitalize()}
        for list_name, names in CHOICES.items()
        for name in names
    ]
    return convert_sheets(
        {
            "survey": survey,
            "choices": choices,
            "settings": [{"form_id": form_id, "version": "1", "form_title": form_id}],
        }
    )


def household_answers(seed: int) -> dict[str, object]:
    """Return what a household answers: one to six people; the same for a seed."""
    draw = random.Random(seed)
    people = [
        {
            "nombre": f"Vecina Número {draw.randrange(100_000)}",
            "edad": str(draw.randint(0, 95)),
            "sexo": draw.choice(CHOICES["sexo"]),
            "estudios": draw.choice(CHOICES["estudios"]),
        }
        for _ in range(draw.randint(1, 6))
    ]
    scale = CHOICES["escala"]
    return {
        "lugar/provincia": draw.choice(CHOICES["provincia"]),
        "lugar/comunidad": f"Comunidad de El Ñato {draw.randrange(900)}",
        "lugar/punto": f"8.{draw.randrange(10**6):06} -80.{draw.randrange(10**6):06} 20.0 5.0",
        "vivienda": draw.choice(CHOICES["vivienda"]),
        "servicios": " ".join(draw.sample(CHOICES["servicio"], draw.randint(1, 4))),
        "ingreso": f"{draw.randrange(200, 3000)}.50",
        "persona": people,
        **{f"confia_{name}": draw.choice(scale) for name in ("alcaldia", "junta", "policia")},
        "propuesta": f"Que pase la recolección {draw.randrange(7)} veces por semana, y se arregle el camino.",
    }


def _bodies(form_of: Iterable[str], start_ms: int) -> Iterator[Arrival]:
    """Give records of the forms named, one a second; their answers come from KINDS households in turn."""
    salt = new_salt()
    answers = [json.dumps(household_answers(seed), ensure_ascii=False, sort_keys=True) for seed in range(KINDS)]
    for number, form in enumerate(form_of):
        record_id, moment = uuid7(start_ms + number * 1000), iso(start_ms + number * 1000)
        body = (
            f'{{"answers":{answers[number % KINDS]},"finished":"{moment}","form":"{form}","form_sha":"",'
            f'"id":"{record_id}","kind":"submission","lang":"es","mode":"web","salt":"{salt}","started":"{moment}","version":"1"}}'
        )
        yield Arrival(
            record_id, hashlib.sha256(body.encode()).digest(), body, "submission", form, "1",
            device_ms=start_ms + number * 1000,
        )  # fmt: skip


def fill(engine: Engine, many: int = MANY, few: int = FEW) -> None:
    """Fill a store: HANDFUL records of RARE first, `few` of SMALL, and of LARGE what is missing to `many`."""
    names = (RARE if n < HANDFUL else SMALL if n < HANDFUL + few else LARGE for n in range(many))
    arrivals = _bodies(names, now_ms() - many * 1000)
    for first in range(0, many, COMMIT):
        with writing(engine) as session:
            for at in range(first, min(many, first + COMMIT), BATCH):
                wanted = min(BATCH, many - at)
                ingest(session, [next(arrivals) for _ in range(wanted)], now_ms())
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def household_store(data: Path, many: int = MANY, few: int = FEW) -> None:
    """Make the store below `data`, unless it is there."""
    if not (data / "collector.db").exists():
        with own_store(data, [household_xform(name) for name in (SMALL, LARGE, RARE)]) as engine:
            fill(engine, many, few)


# --- one file, in a process of its own


class Made(NamedTuple):
    """What one file took: seconds on the wall and of processor, MiB that the process grew by, bytes of the file."""

    seconds: float
    cpu: float
    growth_mib: float
    size: int


def make_file(data: Path, form_id: str) -> Made:
    """Make the ZIP of a form as the lab sends it, and throw it away piece by piece."""
    engine = open_engine(Settings(data_dir=data).url)
    store = FormStore(engine)
    forms = [store.get(form_id, row.version) for row in reversed(store.versions(form_id))]
    layout = Layout(tables_of([form for form in forms if form is not None]))
    source = source_of(engine, "bench", form_id)
    before, began, cpu = _peak_kib(), perf_counter(), process_time()
    size = sum(len(piece) for piece in zipped_tables(layout, form_id, source.records(), datetime.now(UTC)))
    grown = _peak_kib() - before
    return Made(perf_counter() - began, process_time() - cpu, grown / 1024, size)


def _peak_kib() -> int:
    """Return the most memory that this process has held. `ru_maxrss` will not do: a child begins with its parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])


def export_rows(data: Path, is_whole: bool = True) -> list[Row]:
    """Measure the file of 50,000 households, and with `is_whole` that of nearly a million."""
    small = _apart(data, SMALL)
    rows = [
        Row(f"CSV-ZIP of {FEW:,} records with a repeat (wall; {small.cpu:.1f} s of processor)",
            f"{small.seconds:.1f} s", small.seconds, SECONDS),
        _memory(FEW, small),
    ]  # fmt: skip
    return [*rows, _memory(MANY - FEW - HANDFUL, _apart(data, LARGE))] if is_whole else rows


def _memory(count: int, made: Made) -> Row:
    name = f"CSV-ZIP of {count:,} records with a repeat: memory grows by ({made.seconds:.0f} s, {made.size:,} bytes)"
    return Row(name, f"{made.growth_mib:.1f} MiB", made.growth_mib, GROWTH)


def _apart(data: Path, form_id: str) -> Made:
    command = [sys.executable, "-m", "bench.exports", str(data), form_id]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Made(*json.loads(found))


if __name__ == "__main__":
    print(json.dumps(make_file(Path(sys.argv[1]), sys.argv[2])))
