"""The thread that keeps a node in step with its upstream.

What sends (`push.py`) is imported when there is somewhere to send to: not on every start, and at central never.
"""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from random import SystemRandom
from threading import Event, Thread
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from collector.clock import now_ms
from collector.db import reading
from collector.problems import ProblemError
from collector.queries import erasures, nodes

if TYPE_CHECKING:
    import httpx

    from sync.run import InstallForm, SyncResult

SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 900.0
KICK_SECONDS = 30.0
WIPE_SECONDS = 15.0
GATHER_SECONDS = 1.0  # records that come together go together
JITTER = SystemRandom()
log = logging.getLogger("collector.sync")


class SyncLoop:
    """A thread that keeps this node in step with its upstream; while there is none it only does what is due here.

    That is `chores` (what its term takes away, collector/retention.py), and letting the bytes of what was erased leave.

    After a success it rests `idle_seconds`, or until `kick`; with 0 of them it never sends, as where there is no
    upstream. After trouble it waits 2 s, then twice as long each time up to 15 minutes, with jitter so that tablets in
    one room do not all come at once. One exchange at a time.
    """

    def __init__(
        self,
        engine: Engine,
        idle_seconds: float,
        install_form: "InstallForm",
        make_http: "Callable[[], httpx.Client] | None" = None,
        chores: "Callable[[], None] | None" = None,
    ) -> None:
        self._engine, self._idle_seconds, self._install_form = engine, idle_seconds, install_form
        self._make_http, self._chores = make_http, chores
        self._stop, self._wake = Event(), Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread unless it runs."""
        if self._thread is None:
            self._stop.clear()
            self._thread = Thread(target=self._run, name="sync", daemon=True)
            self._thread.start()

    def stop(self, patience_seconds: float = 5.0) -> bool:
        """End the thread and tell whether it has ended in time.

        A request on a dead line ends by its own timeout; leaving it behind loses nothing, answers are kept or not.
        """
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(patience_seconds)
            if self._thread.is_alive():
                return False
        self._thread = None
        return True

    def kick(self) -> None:
        """There are new records: go soon. During trouble not before 30 seconds, to spare the battery."""
        self._wake.set()

    def _run(self) -> None:
        failures = 0
        talk: Callable[[], SyncResult] | None = None
        with ExitStack() as lines:
            while not self._stop.is_set():
                self._wake.clear()
                self._do_chores()
                self._wipe()
                result = None
                try:
                    if talk is None and self._has_upstream():
                        talk = self._open_talk(lines)
                    result = talk() if talk else None
                    failures = failures + 1 if result and result.error else 0
                except Exception:  # the thread must outlive a full disk or a locked store
                    log.exception("sync")
                    failures += 1
                self._rest(result, failures)

    def _has_upstream(self) -> bool:
        if not self._idle_seconds:
            return False
        with reading(self._engine) as session:
            return nodes.get_upstream(session) is not None

    def _open_talk(self, lines: ExitStack) -> "Callable[[], SyncResult]":
        """Return what does one exchange; what it remembers and its line stay until `lines` ends."""
        from sync.line import open_line
        from sync.push import SyncResult, SyncState, sync_once

        state, http = SyncState(), lines.enter_context((self._make_http or open_line)())

        def talk() -> SyncResult:
            try:
                return sync_once(self._engine, http, now_ms(), self._install_form, state, self._stop.is_set)
            except ProblemError as error:
                if error.problem.code == "no_upstream":
                    return SyncResult()
                log.warning("sync: %s", error)
            except Exception:
                state.is_warm = False
                raise
            state.is_warm = False
            return SyncResult(error="server_error")

        return talk

    def _do_chores(self) -> None:
        if self._chores is None:
            return
        try:
            self._chores()
        except Exception:  # done with a later round; sending goes on
            log.exception("chores")

    def _wipe(self) -> None:
        """Let what was erased leave the disk, where that could not be done at once."""
        try:
            erasures.wipe_traces(self._engine, at_leisure=True)
        except Exception:  # tried again with the next round; sending goes on
            log.exception("traces of what was erased")

    def _rest(self, result: "SyncResult | None", failures: int) -> None:
        if failures:
            seconds = pause_seconds(failures, result)
            deaf = min(seconds, KICK_SECONDS)
        else:
            idle_seconds = self._idle_seconds or WIPE_SECONDS
            seconds = min(GATHER_SECONDS, idle_seconds) if result and result.has_more else idle_seconds
            deaf = min(GATHER_SECONDS, idle_seconds)
        if not self._stop.wait(deaf):
            self._wake.wait(seconds - deaf)


def pause_seconds(failures: int, result: "SyncResult | None") -> float:
    """Return how long to wait after so many failures in a row: at least what the upstream asked for."""
    if result and result.is_final:
        return LONGEST_SECONDS
    doubled = min(LONGEST_SECONDS, SHORTEST_SECONDS * 2.0 ** min(failures - 1, 16))
    return max(result.retry_seconds if result else 0.0, doubled * JITTER.uniform(0.7, 1.0), SHORTEST_SECONDS)
