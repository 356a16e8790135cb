"""Any file that somebody carried here: a bundle, a phone's saved answers, or a receipt. Looks inside to tell which."""

from typing import IO

from sqlalchemy import Engine

from collector.problems import PROBLEMS, ProblemError
from sync.bundle_import import Imported, import_bundle, is_bundle
from sync.bundle_receipts import MAX_RECEIPT_BYTES, Cleared, is_receipt, take_receipt
from sync.receive import Check, no_check
from sync.rescue import Rescued, import_outbox

Taken = Imported | Rescued | Cleared


def take_file(engine: Engine, file: IO[bytes], now_ms: int, check: Check = no_check, passphrase: str = "") -> Taken:
    """Take in what the file holds. Raises ProblemError, `bundle_unknown` for a file that is none of ours."""
    if is_bundle(file):
        return import_bundle(engine, file, now_ms, check, passphrase)
    file.seek(0)
    first = file.read(MAX_RECEIPT_BYTES + 1)
    if len(first) <= MAX_RECEIPT_BYTES and is_receipt(first):
        return take_receipt(engine, first, now_ms)
    if not first.lstrip().startswith(b"{"):
        raise ProblemError(PROBLEMS["bundle_unknown"])
    return import_outbox(engine, file, now_ms, check)
