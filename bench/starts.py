"""How long people wait: from the command to the first answer, by the clock on the wall."""

from pathlib import Path
from time import monotonic, sleep

import httpx

from bench.node import QUIET
from bench.report import Bar, Row
from bench.servers import READY_SECONDS, DidNotStart, Server, demo_command, free_ports, node_command, running

BAR = Bar(most=3, unit=" s")
OF_SERVE = Bar(most=1.5, unit=" s")
OF_MEMORY = Bar(most=100, unit=" MiB")
TIMES = 2
IDLE_SECONDS = 2.0


def start_rows(folder: Path) -> list[Row]:
    """Measure a new node, and the demo's two nodes with new stores and when these are there already."""
    field = free_ports(2)
    command = demo_command(folder / "demo", field)
    asked = {field + 1: "/f/confianza", field: "/f/confianza"}  # the field node has it last: it comes down from central
    first = _seconds(command, asked, folder / "demo.log")
    second = _seconds(command, asked, folder / "demo.log")
    return [
        *serve_rows(folder),
        Row("`collector demo`, first start, until both nodes have the forms", f"{first:.1f} s"),
        Row("`collector demo`, second start, until both nodes answer", f"{second:.1f} s", second, BAR),
    ]


def serve_rows(folder: Path) -> list[Row]:
    """Measure `collector serve`: the better of two starts, since a neighbour only slows one down, and its memory."""
    port = free_ports()
    log = folder / "serve.log"
    first = min(_seconds(node_command(folder / f"new{n}", port), {port: "/"}, log) for n in range(TIMES))
    again = min(_seconds(node_command(folder / "new0", port), {port: "/"}, log) for _ in range(TIMES))
    memory = _idle_mebibytes(folder, port)
    return [
        Row("`collector serve` on an empty folder, until it answers", f"{first:.1f} s", first, OF_SERVE),
        Row("`collector serve` on a store that is there, until it answers", f"{again:.1f} s", again, OF_SERVE),
        Row("`collector serve`: memory when idle (resident)", f"{memory:.0f} MiB", memory, OF_MEMORY),
    ]


def _idle_mebibytes(folder: Path, port: int) -> float:
    """Return the resident memory of a node that has shown its first page and waits."""
    with running(node_command(folder / "new0", port), [port], folder / "serve.log", QUIET) as server:
        httpx.get(f"http://127.0.0.1:{port}/").raise_for_status()
        sleep(IDLE_SECONDS)
        return _resident_bytes(server) / 2**20


def _resident_bytes(server: Server) -> int:
    """Return the resident memory of a server, as Linux tells it."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["VmRSS"].split()[0]) * 1024


def _seconds(command: list[str], asked: dict[int, str], log: Path) -> float:
    """Return the seconds until each port has given the page that it is asked for."""
    started = monotonic()
    with running(command, list(asked), log, QUIET), httpx.Client(follow_redirects=True) as http:
        for port, path in asked.items():
            while not http.get(f"http://127.0.0.1:{port}{path}").is_success:
                if monotonic() - started > READY_SECONDS:
                    raise DidNotStart(f"{path} is not there after {READY_SECONDS:.0f} s")
                sleep(0.01)
        return monotonic() - started
