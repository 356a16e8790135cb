"""Nodes in processes of their own that start in a moment: a parent has imported the program and forks for each start.

Usage: python -m tests.faults.forked      reads "start DATA_DIR PORT HOW" from its input, writes the process id
                                          reads "gone PID", waits for its end, writes the status

The parent opens no store and has no threads, so a child begins as a newly started program does, without the second
that importing takes.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import Engine

from collector.app import create_app
from collector.routes import sync as sync_routes
from collector.settings import Settings
from sync.receive import Received, receive_outbox

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
LATE_SECONDS = 0.3


class Forker:
    """The parent process, as those see it who want nodes."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.forked"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, data_dir: Path, port: int, how: str = "whole") -> "ForkedNode":
        """Start a node over `data_dir` and wait until it answers. how: "careless" confirms before it stores."""
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
        status = int(self._forker.ask(f"gone {self.pid}"))
        assert status == -signal.SIGKILL, f"it had ended before, with {status}"

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
        if how == "careless":
            vars(sync_routes)["receive_outbox"] = _confirm_first
        app = create_app(Settings(data_dir=Path(data_dir), name="central", sync_seconds=0))
        uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="critical")
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def _confirm_first(engine: Engine, body: bytes, *rest: Any) -> Received:
    """Do what no receiver may: say "stored", then store."""
    ids = [json.loads(line)["id"] for line in body.splitlines()]
    threading.Timer(LATE_SECONDS, receive_outbox, (engine, body, *rest)).start()
    return Received({"node": "x", "central": True, "results": dict.fromkeys(ids, "stored")}, len(ids))


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


if __name__ == "__main__":
    _follow_orders()
