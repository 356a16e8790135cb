"""Sealed packages that nobody takes up do not stay for ever."""

import hashlib

from collector.db import writing
from collector.queries import handovers
from tests.store.conftest import MakeStore

DAY_MS = 86_400_000


def test_what_nobody_takes_up_goes_after_ninety_days_and_half_a_package_after_two(
    make_store: MakeStore,
) -> None:
    engine = make_store()
    with writing(engine) as session:
        handovers.add_piece(session, "a" * 32, 0, b"whole", 0)
        handovers.leave(session, "a" * 32, [hashlib.sha256(b"whole").hexdigest()], "", 1)
        handovers.add_piece(session, "b" * 32, 0, b"half", 0)
        assert handovers.drop_old(session, 2 * DAY_MS) == 0
        assert handovers.drop_old(session, 3 * DAY_MS) == 1
        assert handovers.left(session, "a" * 32) is not None
        assert handovers.drop_old(session, 90 * DAY_MS) == 0
        assert handovers.drop_old(session, 91 * DAY_MS) == 1
        assert handovers.bytes_waiting(session) == 0
