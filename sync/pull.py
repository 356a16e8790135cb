"""What comes down from the upstream: forms with their files, and receipts of what central holds.

A form is installed when all of it is here: first its files, piece by piece, each piece kept at once; then the form
itself, checked against the list. Trouble with the line ends the round; trouble with one form leaves that form out.
"""

import hashlib
import logging
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from collector.db import reading, writing
from collector.forms.xform.digest import form_digest
from collector.problems import ProblemError
from collector.queries import forms, nodes, receipts
from sync.batches import is_number
from sync.client import Refusal
from sync.greet import Greeting
from sync.run import Run
from sync.upload import has_entries
from sync.voices import pull_voices

RECEIPT_PAGES = 20
FILE_SECONDS = 60.0  # of one round for files: then receipts have their turn
# what an upstream says of itself or of this node, not of one form: asking for the next form is useless
ABOUT_THE_LINE = (401, 403, 426, 429, 503, 507, 508)
log = logging.getLogger("collector.sync")


@dataclass(frozen=True)
class ListedFile:
    """A file of a form as the upstream lists it."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Listed:
    """A form as the upstream lists it."""

    form_id: str
    version: str
    sha256: str
    files: tuple[ListedFile, ...]


@dataclass
class Round:
    """One walk through the list. waiting: forms of which a version is not here yet, newer ones wait behind it."""

    run: Run
    deadline: float
    waiting: set[str] = field(default_factory=set)


class LeftOut(Exception):
    """A form stays out of this round. is_final: until this process ends; is_strange: people are told."""

    def __init__(self, reason: str, is_final: bool = True, is_strange: bool = False) -> None:
        self.is_final, self.is_strange = is_final, is_strange
        super().__init__(reason)


def pull_forms(run: Run, greeting: Greeting) -> None:
    """Fetch forms that are not here, oldest first, so that the newest here is the newest there."""
    known = run.known()
    if greeting.forms_etag == known.forms_etag:
        return
    answer = run.client.get_zipped("/forms", f'"{known.forms_etag}"' if known.forms_etag else "")
    if answer.status != 200:
        return
    if not isinstance(answer.content, list):
        raise run.client.strange("the list of forms is not a list")
    listed = [each for each in (_read_entry(run, entry) for entry in answer.content) if each is not None]
    this = Round(run, time.monotonic() + FILE_SECONDS)
    missing = [each for each in reversed(_not_here(run, listed)) if not _pull_form(this, each)]
    if _pull_voices(run, answer.content) and not missing and len(listed) == len(answer.content):
        with writing(run.engine) as session:
            forms.forget_pieces(session)
            nodes.change_upstream(session, forms_etag=answer.etag.strip('"'))


def _pull_voices(run: Run, listed: list[Any]) -> bool:
    try:
        return pull_voices(run.engine, listed, lambda path: _ask(run, path))
    except LeftOut as trouble:
        log.info("voices left out: %s", trouble)
        return False


def _not_here(run: Run, listed: list[Listed]) -> list[Listed]:
    """Return the forms to fetch, newest first. None older than one that is here: it would pass for the newest."""
    with reading(run.engine) as session:
        held = {(form_id, version) for form_id, version, *_ in forms.list_manifest(session)}
    wanted: list[Listed] = []
    passed: set[str] = set()
    for each in listed:
        if (each.form_id, each.version) in held:
            passed.add(each.form_id)
        elif each.form_id not in passed:
            wanted.append(each)
    return wanted


def _pull_form(this: Round, listed: Listed) -> bool:
    """Fetch and install one form; False when it stays out."""
    if listed.sha256 in this.run.state.refused_forms or listed.form_id in this.waiting:
        return False
    try:
        _install(this.run, listed, _fetch_files(this, listed))
    except LeftOut as trouble:
        _leave_out(this.run, listed.sha256, trouble)
        this.waiting |= set() if trouble.is_final else {listed.form_id}
        return False
    return True


def _read_entry(run: Run, entry: Any) -> Listed | None:
    try:
        return read_listed(entry)
    except (KeyError, TypeError, ValueError) as error:
        _leave_out(run, str(entry)[:200], LeftOut(f"an entry of the list is not a form: {error!r}"))
        return None


def read_listed(entry: Any) -> Listed:
    """Read an entry of the list; an upstream of before files names none. Raises KeyError, TypeError, ValueError."""
    files = tuple(
        ListedFile(str(file["name"]), str(file["sha256"]), _size(file["bytes"]))
        for file in (entry.get("files", ()) if isinstance(entry, dict) else ())
    )
    if sum(file.size_bytes for file in files) > forms.MAX_FILES_BYTES:
        raise ValueError("its files are too large")
    return Listed(str(entry["form_id"]), str(entry["version"]), str(entry["sha256"]), files)


def _size(value: Any) -> int:
    if not is_number(value):
        raise ValueError(f"{value!r} is not a size")
    return int(value)


def _leave_out(run: Run, key: str, trouble: LeftOut) -> None:
    """Say why a form stays out, once where that is final; records, receipts and other forms go on."""
    if key in run.state.refused_forms:
        return
    level = logging.WARNING if trouble.is_final or trouble.is_strange else logging.INFO
    log.log(level, "form left out: %s", trouble)
    if trouble.is_final:
        run.state.refused_forms.add(key)
    if trouble.is_strange:
        problem = run.client.strange(str(trouble))
        run.result.error, run.result.reason = problem.problem.code, str(trouble)


def _ask(run: Run, path: str) -> dict[str, Any]:
    """Ask for something of one form. Raises LeftOut where the answer speaks of that form alone, else ProblemError."""
    try:
        found = run.client.get_zipped(path).content
    except Refusal as refusal:
        if refusal.status in ABOUT_THE_LINE:
            raise
        raise LeftOut(f"{path} {refusal}", is_final=refusal.status < 500) from refusal
    except ProblemError as error:
        if error.problem.code != "upstream_strange":
            raise
        raise LeftOut(f"{path} {error}", is_final=False, is_strange=True) from error
    return found if isinstance(found, dict) else {}


def _install(run: Run, listed: Listed, files: dict[str, bytes]) -> None:
    """Fetch the form itself and publish it here with its files."""
    name = f"{listed.form_id} {listed.version}"
    found = _ask(run, f"/forms/{quote(listed.form_id, safe='')}/{quote(listed.version, safe='')}")
    xform = found.get("xform")
    if not isinstance(xform, str) or form_digest(xform, files) != listed.sha256:
        raise LeftOut(f"{name} is not the one of the list", is_strange=True)
    install: Callable[..., object] = run.install_form
    try:
        install(xform, str(found.get("source_name", "")), **({"files": files} if files else {}))
    except Exception as error:  # whatever is wrong with one form, records and other forms go on; tried again later
        log.exception("form %s could not be installed", name)
        raise LeftOut(f"{name}: {type(error).__name__}") from error
    run.result.forms += 1


# --- files of a form


def _fetch_files(this: Round, listed: Listed) -> dict[str, bytes]:
    """Return the files of a form by name: from another form here, else from what has arrived and the upstream."""
    return {file.name: _fetch_file(this, file) for file in listed.files}


def _fetch_file(this: Round, file: ListedFile) -> bytes:
    with reading(this.run.engine) as session:
        if forms.find_content(session, file.sha256):
            return forms.arrived_content(session, file.sha256)
    while (start := _arrived_bytes(this.run, file)) < file.size_bytes:
        _check_time(this)
        piece = _fetch_piece(this.run, file, start)
        with writing(this.run.engine) as session:
            forms.add_piece(session, file.sha256, start, piece)
    with reading(this.run.engine) as session:
        content = forms.arrived_content(session, file.sha256)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        with writing(this.run.engine) as session:
            forms.forget_pieces(session, [file.sha256])
        raise LeftOut(f"its file {file.name} arrived damaged", is_strange=True)
    return content


def _arrived_bytes(run: Run, file: ListedFile) -> int:
    with reading(run.engine) as session:
        return forms.arrived_bytes(session, file.sha256)


def _check_time(this: Round) -> None:
    """Leave the rest for the next round when this one was long, or when there is something to send: that goes first."""
    run = this.run
    run.result.has_more = time.monotonic() > this.deadline  # the loop comes back soon
    if run.result.has_more or run.stopped() or has_entries(run.engine, run.known().cursor):
        raise LeftOut("its files are on their way", is_final=False)


def _fetch_piece(run: Run, file: ListedFile, start: int) -> bytes:
    found = _ask(run, f"/form-files/{quote(file.sha256, safe='')}?start={start}")
    try:
        piece = b64decode(str(found["content"]), validate=True)
    except (KeyError, ValueError) as error:
        raise LeftOut(f"its file {file.name} came as something else", is_strange=True) from error
    if found.get("start") != start or not 0 < len(piece) <= file.size_bytes - start:
        raise LeftOut(f"its file {file.name} is not as long as the list says", is_strange=True)
    return piece


# --- receipts


def pull_receipts(run: Run, greeting: Greeting) -> None:
    """Learn from a hub what central holds of our entries. Central itself says so with its cursor."""
    if greeting.central:
        return
    for _ in range(RECEIPT_PAGES):
        known = run.known()
        if known.receipts_n >= greeting.receipts_next:
            return
        found = run.client.get(f"/receipts?since={known.receipts_n}").content
        try:
            epoch, following = found["epoch"], int(found["next"])
            rows = [(str(record_id), str(start)) for _n, record_id, start in found["receipts"]]
        except (KeyError, TypeError, ValueError) as error:
            raise run.client.strange("the receipts are not a list of ours") from error
        if epoch != known.receipts_epoch or following <= known.receipts_n:
            return  # changed meanwhile: the next hello starts it anew
        _keep_receipts(run, rows, following)


def _keep_receipts(run: Run, rows: list[tuple[str, str]], following: int) -> None:
    with writing(run.engine) as session:
        held = receipts.held_hashes(session, [record_id for record_id, _ in rows])
        ours = [
            (record_id, sha256)
            for record_id, start in rows
            for sha256 in held.get(record_id, [])
            if len(start) >= 8 and sha256.hex().startswith(start)
        ]
        receipts.add_new_receipts(session, ours, run.now_ms)
        nodes.change_upstream(session, receipts_n=following)
    run.result.receipts += len(ours)
