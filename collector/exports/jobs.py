"""Files being made for the lab: in a thread of their own, on the disk of this node, with how far they are.

    exports/ID.json   what is made, for whom, how far     exports/ID   the file itself, once `state` is "done"

Beside the store and not in it: they are copies, and go after an hour. Every worker of this machine can read them.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import BoundedSemaphore, Event, Thread
from time import time
from typing import Any

from collector.exports.writing import Counts, NotInstalledError, TooManyError

KEPT_SECONDS = 3600
MOST_AT_ONCE = 2
PIECE_BYTES = 1 << 20
TICK_SECONDS = 0.5
BEAT_SECONDS = 5.0  # whoever makes a file says so often that it is alive
GONE_SECONDS = 60.0  # without a beat: the program was ended while it made the file
log = logging.getLogger("collector.exports")


@dataclass(frozen=True)
class Job:
    """A file being made. state: "waiting", "working", "done" or "failed"; done, total: records.

    problem: code of what went wrong (`full`, `not_installed`, `too_many`, `stopped`, `failed`), with its values.
    asked: fingerprint of what was asked for; notes: what the page tells of a file that is done.
    """

    id: str
    who: str
    form_id: str
    format: str
    name: str
    media_type: str
    begun: float
    total: int
    state: str = "waiting"
    done: int = 0
    sha256: str = ""
    size_bytes: int = 0
    problem: str = ""
    values: Mapping[str, str] | None = None
    counts: Mapping[str, int] | None = None
    asked: str = ""
    notes: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Made:
    """What was written: rows of each sheet, that of the records first, and what there is to tell of it."""

    counts: Counts
    notes: Mapping[str, Any]


Write = Callable[[Path, Callable[[int], None]], Made]
Ended = Callable[[Job], None]


class ExportJobs:
    """The files of one node's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places = BoundedSemaphore(MOST_AT_ONCE)

    def start(self, job: Job, write: Write, ended: Ended) -> None:
        """Begin a file; what is older than an hour goes first. ended: told when it is made."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._drop_old()
        self._note(job)
        Thread(target=self._work, args=(job, write, ended), daemon=True, name=f"export-{job.id[:8]}").start()

    def get(self, job_id: str) -> Job | None:
        """Return what is known of a file, None where it never was or is gone.

        One that nobody makes any more, since the program was ended, has failed with `stopped`.
        """
        if not job_id.replace("-", "").isalnum():
            return None
        path = self._folder / f"{job_id}.json"
        try:
            job = Job(**json.loads(path.read_text(encoding="utf-8")))
            is_alive = path.stat().st_mtime > time() - GONE_SECONDS
        except (OSError, ValueError, TypeError):
            return None
        is_open = job.state in ("waiting", "working")
        return replace(job, state="failed", problem="stopped") if is_open and not is_alive else job

    def same(self, who: str, asked: str) -> Job | None:
        """Return the file that somebody asked for already and that is still being made: a button is pressed twice."""
        found = (self.get(path.stem) for path in self._folder.glob("*.json"))
        wanted = (job for job in found if job and job.who == who and job.asked == asked)
        return next((job for job in wanted if job.state in ("waiting", "working")), None)

    def path(self, job: Job) -> Path:
        """Return where the file stands."""
        return self._folder / job.id

    def _work(self, job: Job, write: Write, ended: Ended) -> None:
        with self._beating(job):
            with self._places:
                made = self._made(replace(job, state="working"), write)
            made = self._noted(made, ended) if made.state == "done" else made
        self._note(made)

    def _noted(self, made: Job, ended: Ended) -> Job:
        """Tell that a file is made. One that cannot be told of (a store that cannot write) is nobody's: it goes."""
        try:
            ended(made)
        except Exception:
            log.exception("export %s", made.id)
            self.path(made).unlink(missing_ok=True)
            return replace(made, state="failed", problem="failed")
        return made

    @contextmanager
    def _beating(self, job: Job) -> Iterator[None]:
        """Say every few seconds that the file is being made: writing a large table takes minutes without a word."""
        path, is_over = self._folder / f"{job.id}.json", Event()

        def beat() -> None:
            while not is_over.wait(BEAT_SECONDS):
                with suppress(OSError):
                    path.touch()

        beater = Thread(target=beat, daemon=True, name=f"beat-{job.id[:8]}")
        beater.start()
        try:
            yield
        finally:
            is_over.set()
            beater.join()

    def _made(self, job: Job, write: Write) -> Job:
        """Make the file; whatever goes wrong is kept as what to tell, and nothing is left lying."""
        folder = self._folder / f"{job.id}.parts"
        try:
            folder.mkdir()
            made = write(folder / "file", self._ticker(job))
            (folder / "file").replace(self.path(job))
            size, sha256 = self.path(job).stat().st_size, _sha256(self.path(job))
            records = next(iter(made.counts.values()))
            done = replace(job, state="done", done=records, total=records, size_bytes=size, sha256=sha256)
            return replace(done, counts=made.counts, notes=made.notes)
        except NotInstalledError as error:
            return replace(job, state="failed", problem="not_installed", values={"extra": error.extra})
        except TooManyError as error:
            values = {"what": error.what, "count": str(error.count), "most": str(error.most)}
            return replace(job, state="failed", problem="too_many", values=values)
        except OSError as error:
            log.warning("export %s: %s", job.id, error)
            return replace(job, state="failed", problem="full", values={"reason": error.strerror or str(error)})
        except Exception:
            log.exception("export %s", job.id)
            return replace(job, state="failed", problem="failed")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _ticker(self, job: Job) -> Callable[[int], None]:
        """Return what notes how far the file is, twice a second at most."""
        last = 0.0

        def tick(done: int) -> None:
            nonlocal last
            if time() - last >= TICK_SECONDS:
                last = time()
                self._note(replace(job, done=done))

        return tick

    def _note(self, job: Job) -> None:
        """Write what is known, in one step; a disk that is full keeps what stood there."""
        path = self._folder / f"{job.id}.json"
        part = path.with_suffix(f".{job.state}")
        try:
            part.write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            log.warning("export %s: %s", job.id, error)

    def _drop_old(self) -> None:
        for path in self._folder.iterdir():
            try:
                if path.stat().st_mtime < time() - KEPT_SECONDS:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            except OSError:  # another worker was faster, or somebody is downloading it
                continue


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
