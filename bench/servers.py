"""Programs under measurement: each a process of its own on 127.0.0.1, its CPU time read from outside."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_SECONDS = 40.0
STOP_SECONDS = 15.0
CPU_OF_ANOTHER = 2  # CPUCLOCK_SCHED of the Linux kernel: all threads of a process, ended ones too, in nanoseconds


class DidNotStart(Exception):
    """A server ended, or did not listen in time; the text is the last that it said."""


@dataclass(frozen=True)
class Server:
    """A running server. `port` listens on 127.0.0.1."""

    process: subprocess.Popen[bytes]
    port: int

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process so far. Linux only: the clock of another process by its id."""
        return time.clock_gettime((~self.process.pid << 3) | CPU_OF_ANOTHER)


def free_ports(count: int = 1) -> int:
    """Return the first of `count` neighbouring ports that are free."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextmanager
def running(
    command: Sequence[str], ports: Sequence[int], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run `command` until the block ends; the block begins when every one of `ports` takes connections."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(environment or {})})
    try:
        _wait_for(process, ports, log)
        yield Server(process, ports[0])
    finally:
        _stop(process)


def _wait_for(process: subprocess.Popen[bytes], ports: Sequence[int], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    for port in ports:
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise DidNotStart(said[-1] if said else f"{process.args!r} said nothing")
            time.sleep(0.01)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # as Ctrl-C: `collector demo` ends both of its nodes
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def node_command(data: Path, port: int) -> list[str]:
    """Return how a node is served: the program that people start."""
    return [sys.executable, "-m", "collector.cli", "serve", "--data", str(data), "--port", str(port)]


def demo_command(data: Path, port: int) -> list[str]:
    """Return how the demo's two nodes are started, on `port` and the next one."""
    started = [sys.executable, "-m", "collector.cli", "demo", "--host", "127.0.0.1"]
    return [*started, "--data", str(data), "--port", str(port)]


def floor_command(folder: Path, port: int) -> list[str]:
    """Return how the bare endpoints are served: the same uvicorn, without access log, as a node."""
    options = ["--app-dir", str(folder), "--port", str(port), "--log-level", "warning", "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", "floor_server:app", *options]
