"""How long people wait: from the command to the first answer, by the clock on the wall."""

from pathlib import Path
from time import monotonic

import httpx

from bench.node import QUIET
from bench.report import Bar, Row
from bench.servers import demo_command, free_ports, node_command, running

BAR = Bar(most=3, unit=" s")


def start_rows(folder: Path) -> list[Row]:
    """Measure a new node, and the demo's two nodes when their stores are there already."""
    port = free_ports()
    serve = _seconds(node_command(folder / "new", port), [port], folder / "serve.log")
    pair = free_ports(2)
    command = demo_command(folder / "demo", pair)
    first = _seconds(command, [pair, pair + 1], folder / "demo.log")
    second = _seconds(command, [pair, pair + 1], folder / "demo.log")
    return [
        Row("`collector serve` on an empty folder, until it answers", f"{serve:.1f} s", serve, BAR),
        Row("`collector demo`, first start (publishes three forms)", f"{first:.1f} s"),
        Row("`collector demo`, second start, until both nodes answer", f"{second:.1f} s", second, BAR),
    ]


def _seconds(command: list[str], ports: list[int], log: Path) -> float:
    started = monotonic()
    with running(command, ports, log, QUIET):
        for port in ports:
            httpx.get(f"http://127.0.0.1:{port}/health").raise_for_status()
        return monotonic() - started
