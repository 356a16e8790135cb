"""Nodes in processes of their own that start in a moment: a parent has imported the program and forks for each start.

Usage: python -m tests.faults.forked      reads "start DATA_DIR PORT HOW" from its input, writes the process id
                                          reads "gone PID", waits for its end, writes the status

The parent keeps no store open and has no threads, so a child begins as a newly started program does, without the
seconds that importing takes and the half one in which a program makes its routes, templates and files ready.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

import sync.receive
from collector.app import create_app
from collector.queries import nodes
from collector.routes import sync as sync_routes
from collector.settings import Settings
from sync.receive import Received, receive_outbox
from tests.shared import shared_work

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
LATE_SECONDS = 0.3


class Forker:
    """The parent process, as those see it who want nodes."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.forked"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, data_dir: Path, port: int, how: str = "whole") -> "ForkedNode":
        """Start a node over `data_dir` and wait until it answers.

        how: "careless" confirms before it stores. These kill themselves over a batch: "check" has read it and stored
        nothing, "ingest" has stored it but not for good, "answer" has stored it and told nobody.
        """
        node = ForkedNode(self, int(self.ask(f"start {data_dir} {port} {how}")), port)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            assert time.monotonic() < deadline, "the node does not answer"
            time.sleep(0.005)
        return node

    def ask(self, words: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer, "the parent of the nodes has ended"
        return answer

    def stop(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(START_SECONDS)
        self._process.stdout.close()


class ForkedNode:
    """One running node."""

    def __init__(self, forker: Forker, pid: int, port: int) -> None:
        self._forker, self.pid, self.port = forker, pid, port
        self._is_gone = False

    def kill(self) -> None:
        """End it as a power cut does, and wait until it is gone. A second time is none."""
        if self._is_gone:
            return
        self._is_gone = True
        os.kill(self.pid, signal.SIGKILL)
        status = self._status()
        assert status == -signal.SIGKILL, f"it had ended before, with {status}"

    def ended(self) -> int:
        """Wait until it has ended by itself; return its status."""
        self._is_gone = True
        return self._status()

    def _status(self) -> int:
        return int(self._forker.ask(f"gone {self.pid}"))

    def again(self, data_dir: Path) -> "ForkedNode":
        """Start another one on the same port, after the end of this one."""
        return self._forker.start(data_dir, self.port)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


# --- in the parent


def _serve(data_dir: str, port: str, how: str) -> None:
    """Be a node until killed."""
    try:
        app = _make_app(Path(data_dir))
        HOW[how](app)
        uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="critical")
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def _make_app(data_dir: Path) -> FastAPI:
    return create_app(Settings(data_dir=data_dir, name="central", sync_seconds=0))


def _die(*_given: Any, **_named: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _confirm_first(engine: Engine, body: bytes, *rest: Any) -> Received:
    """Do what no receiver may: say "stored", then store."""
    ids = [json.loads(line)["id"] for line in body.splitlines()]
    threading.Timer(LATE_SECONDS, receive_outbox, (engine, body, *rest)).start()
    return Received({"node": "x", "central": True, "results": dict.fromkeys(ids, "stored")}, len(ids))


HOW: dict[str, Callable[[FastAPI], None]] = {
    "whole": lambda _app: None,
    "careless": lambda _app: vars(sync_routes).update(receive_outbox=_confirm_first),
    "check": lambda app: setattr(app.state, "check", _die),
    "ingest": lambda _app: vars(nodes).update(move_cursor=_die),  # the step after the records
    "answer": lambda _app: vars(sync.receive).update(_answer=_die),  # the step after the commit
}


def _follow_orders() -> None:
    for line in sys.stdin:
        order, *words = line.split()
        if order == "start":
            sys.stdout.flush()
            pid = os.fork()
            if pid == 0:
                os.close(sys.stdin.fileno())
                os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
                _serve(*words)
            print(pid, flush=True)
        else:
            print(os.waitstatus_to_exitcode(os.waitpid(int(words[0]), 0)[1]), flush=True)


def _warm_up() -> None:
    """Do once what each child would do again."""
    with tempfile.TemporaryDirectory() as name:
        app = _make_app(Path(name))
        app.state.turn.end()
        app.state.engine.dispose()


if __name__ == "__main__":
    with shared_work():
        _warm_up()
        _follow_orders()
