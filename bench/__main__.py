"""Run everything and print one Markdown table. Nothing here fails because of a time: figures are for reading."""

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from bench.capture import capture_rows, capture_xform
from bench.exports import export_rows, household_store
from bench.forms import check_row, publish_row, thirty_row
from bench.ingest import Source, ingest_rows, outbox_rows
from bench.lists import list_rows
from bench.node import own_store, serving
from bench.pages import bytes_rows, page_rows
from bench.pulls import pull_rows
from bench.reaction import reaction_forms, reaction_rows
from bench.report import Row, table
from bench.rooms import room_rows
from bench.samples import load_generator, long_xform, starter_answers, starter_xform, text_answers
from bench.servers import DidNotStart, Server, floor_command, free_ports, running
from bench.stages import stage_table
from bench.starts import start_rows
from bench.stores import growth_row, postgres_row
from bench.wire import wire_rows
from collector.form_store import FormStore

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "bench"
SAMPLES = 300


def main() -> None:
    """Measure what can be measured here."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with gen.py and floor_server.py")
    shared: Path = parser.parse_args().shared
    if sys.platform != "linux":
        return say("The CPU clock of another process is read as Linux has it: nothing measured here.")
    started = monotonic()
    generator = load_generator(shared)
    if generator is None:
        say(f"No gen.py in {shared}: measuring without it, records are of the starter form.")
    with TemporaryDirectory(prefix="collector-bench-") as made:
        folder = Path(made)
        xforms = {"confianza": starter_xform(), "bench_long": long_xform(), **(generator.xforms() if generator else {})}
        with own_store(folder / "own", xforms.values()) as engine:
            store = FormStore(engine)
            current = {row.form_id: store.get(row.form_id, row.version) for row in store.current()}
            source = Source(generator, {name: form for name, form in current.items() if form is not None})
            rows = measure(folder, shared, source, list(xforms.values()))
            stages = stage_table(engine, store, source)
        say("a store of a million records, and PostgreSQL…")
        rows += [growth_row(folder, source), postgres_row(source)]
        say("a hundred thousand records taken home…")
        rows += pull_rows(folder, source, list(xforms.values()))
        say("a million households: files, and the first page of every list…")
        household_store(folder / "households")
        rows += export_rows(folder / "households")
        rows += list_rows(folder / "households")
        say("a room of forty people…")
        rows += room_rows(folder)
        say("starts of the program…")
        rows += start_rows(folder)
    print(f"\n{describe()}\n\n{table(rows)}\n\n{stages}\n\nTaken in {monotonic() - started:.0f} s.")


def measure(folder: Path, shared: Path, source: Source, xforms: list[str]) -> list[Row]:
    """Measure the node, beside the bare endpoints where those can be served."""
    generator, forms, starter = source.generator, source.forms, source.forms["confianza"]
    with ExitStack() as stack:
        floor = stack.enter_context(floor_server(shared, folder))
        node = stack.enter_context(serving(folder / "central", [*xforms, *reaction_forms().values(), capture_xform()]))
        say("batches…")
        rows = ingest_rows(node, floor, source)
        say("outboxes…")
        rows += outbox_rows(node, floor, source)
        say("pages…")
        rows += page_rows(node, floor, starter, forms["bench_long"])
        say("forms…")
        rows += [thirty_row(), publish_row()]
        rows.append(check_row("the 8-item form", ((starter, starter_answers(starter, n)) for n in range(SAMPLES))))
        if generator is not None:
            samples = [(forms[one["form"]], text_answers(one["answers"])) for one in generator.raw(SAMPLES, 3)]
            rows.append(check_row("the generator's forms", samples))
            rows += wire_rows(node, source)
        say("the page of a large form…")
        rows += bytes_rows(node, starter) + reaction_rows(node)
        say("a citizen on 2G with a slow phone…")
        return rows + capture_rows(node)


@contextmanager
def floor_server(shared: Path, folder: Path) -> Iterator[Server | None]:
    """Serve the bare endpoints until the block ends; give None, and say why, where that cannot be done."""
    with ExitStack() as stack:
        server = None
        port = free_ports()
        if not (shared / "floor_server.py").is_file():
            say(f"No floor_server.py in {shared}: no ratios.")
        else:
            command = floor_command(shared, port)
            # the folder may be read-only, and its own modules are not ours to compile into
            quiet = {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder)}
            try:
                server = stack.enter_context(running(command, [port], folder / "floor.log", quiet))
            except DidNotStart as reason:
                say(f"The floor server did not start, so no ratios: {reason}")
        yield server


def describe() -> str:
    """Return what the figures were taken on."""
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, {load}"
    )


def say(sentence: str) -> None:
    """Tell how far the run is, beside the table."""
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
