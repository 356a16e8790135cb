"""How much at once: the limits of the protocol, and counters that slow down whoever asks too often."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from time import monotonic

from collector.problems import PROBLEMS, ProblemError

MAX_BATCH_RECORDS = 500
MAX_OUTBOX_RECORDS = 50
MAX_BODY_BYTES = 1024 * 1024
MAX_INFLATED_BYTES = 8 * 1024 * 1024
MAX_HOPS = 8
MAX_ASKED_IDS = 200
MAX_RECEIPTS = 1000
MAX_FEED = 500
MAX_FEED_BYTES = 1024 * 1024
MAX_TRACED_IDS = 20
MAX_PROVED = 500
MAX_REPORT_BYTES = 64 * 1024
MAX_REVOKED_RECORDS = 5_000  # that wait for a person, of one revoked node
SKEW_MS = 5 * 60_000  # clocks further apart than this are worth saying
BATCHES_AT_ONCE = 4  # SQLite has one writer: more at once would only hold memory
BATCHES_WAITING = 16
BUSY_SECONDS = 2
MAX_BLOB_CHUNK_BYTES = 256 * 1024
MIN_BLOB_CHUNK_BYTES = 4 * 1024  # but the last one: a file in pieces of one byte would be a row a byte
BLOB_BYTES_PER_ADDRESS = 256 * 1024 * 1024  # from browsers, in BLOB_WINDOW_SECONDS
BLOB_WINDOW_SECONDS = 600
DISK_RESERVE_BYTES = 512 * 1024 * 1024  # files never take the last of the disk: records must still fit


class RateLimit:
    """Counts per key in windows of `seconds`. In memory of one process: a restart forgives everybody."""

    MOST_KEYS = 10_000

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._limit, self._seconds, self._clock = limit, seconds, clock
        self._windows: dict[str, tuple[float, int]] = {}
        self._lock = Lock()

    def wait_seconds(self, key: str, cost: int = 1) -> int:
        """Return 0 when `cost` more still fit into this window of `key`, else the whole seconds until the next one."""
        with self._lock:
            started, used = self._window(key)
            if used + cost <= self._limit:
                return 0
            return max(1, round(started + self._seconds - self._clock() + 0.5))

    def count(self, key: str, cost: int = 1) -> None:
        """Note that `key` used `cost`."""
        with self._lock:
            started, used = self._window(key)
            if len(self._windows) >= self.MOST_KEYS:
                self._forget_old()
            self._windows[key] = (started, used + cost)

    def _window(self, key: str) -> tuple[float, int]:
        now = self._clock()
        started, used = self._windows.get(key, (now, 0))
        return (started, used) if now < started + self._seconds else (now, 0)

    def _forget_old(self) -> None:
        """Drop ended windows, and when all are running the whole table: memory comes before strictness."""
        now = self._clock()
        self._windows = {key: it for key, it in self._windows.items() if now < it[0] + self._seconds}
        if len(self._windows) >= self.MOST_KEYS:
            self._windows = {}


class Counter:
    """A counter as in a shop: a few are served, some may wait, the rest is asked to come back later."""

    def __init__(self, served: int, waiting: int) -> None:
        self._served, self._most = served, served + waiting
        self._inside = self._busy = 0
        self._free = Condition()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it until the block ends. Raises ProblemError store_busy when too many wait."""
        with self._free:
            if self._inside >= self._most:
                raise ProblemError(PROBLEMS["store_busy"], seconds=BUSY_SECONDS)
            self._inside += 1
            self._free.wait_for(lambda: self._busy < self._served)
            self._busy += 1
        try:
            yield
        finally:
            with self._free:
                self._inside, self._busy = self._inside - 1, self._busy - 1
                self._free.notify()
