"""How long people wait: from the command to the first answer, by the clock on the wall."""

from pathlib import Path
from time import monotonic, sleep

import httpx

from bench.node import QUIET
from bench.report import Bar, Row
from bench.servers import READY_SECONDS, DidNotStart, demo_command, free_ports, node_command, running

BAR = Bar(most=3, unit=" s")


def start_rows(folder: Path) -> list[Row]:
    """Measure a new node, and the demo's two nodes with new stores and when these are there already."""
    port = free_ports()
    serve = _seconds(node_command(folder / "new", port), {port: "/"}, folder / "serve.log")
    field = free_ports(2)
    command = demo_command(folder / "demo", field)
    asked = {field + 1: "/f/confianza", field: "/f/confianza"}  # the field node has it last: it comes down from central
    first = _seconds(command, asked, folder / "demo.log")
    second = _seconds(command, asked, folder / "demo.log")
    return [
        Row("`collector serve` on an empty folder, until it answers", f"{serve:.1f} s", serve, BAR),
        Row("`collector demo`, first start, until both nodes have the forms", f"{first:.1f} s"),
        Row("`collector demo`, second start, until both nodes answer", f"{second:.1f} s", second, BAR),
    ]


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
