"""What the store's own errors mean to who sends: the disk is full, or the store is busy. Nothing was kept in either."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from collector.problems import PROBLEMS, ProblemError
from sync.limits import BUSY_SECONDS

# "disk I/O error": SQLite says so too when there is no room for its log
FULL = ("disk is full", "readonly", "read-only", "disk I/O error", "No space left", "could not extend")


def problem_of(error: OperationalError | PoolTimeout | OSError) -> ProblemError:
    """Return the problem that tells the sender what to do: free the disk, or come again soon."""
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
    else:
        full = isinstance(error, OperationalError) and any(words in str(error.orig) for words in FULL)
    return ProblemError(PROBLEMS["disk_full"]) if full else ProblemError(PROBLEMS["store_busy"], seconds=BUSY_SECONDS)


@contextmanager
def told_as_problems() -> Iterator[None]:
    """Turn the store's errors into problems of the protocol."""
    try:
        yield
    except (OperationalError, OSError) as error:
        raise problem_of(error) from error
