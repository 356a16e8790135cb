"""Passwords, PIN, sessions, tokens and the lock-out, on a real store."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from collector import people
from collector.clock import now_ms
from collector.db import open_engine, prepare_store, reading, writing
from collector.problems import ProblemError
from collector.queries import people as people_queries
from tests.shared import SLOW_HASHER


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'people.db'}")
    prepare_store(engine)
    yield engine
    engine.dispose()


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_right_password_opens_and_the_address_may_be_written_with_capitals(engine: Engine) -> None:
    with writing(engine) as session:
        people.add_user(session, " Ana@Ejemplo.PA ", "una clave larga")
    with reading(engine) as session:
        assert people.check_password(session, "ANA@ejemplo.pa", "una clave larga") == "ana@ejemplo.pa"
        assert people.check_password(session, "ana@ejemplo.pa", "una clave largo") is None
        assert people.check_password(session, "otra@ejemplo.pa", "una clave larga") is None


def test_nothing_readable_is_kept_of_passwords_pins_sessions_and_tokens(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as session:
        people.add_user(session, "ana@ejemplo.pa", "una clave larga")
        people.set_pin(session, "4821975")
        cookie = people.start_session(session, "ana@ejemplo.pa")
        token = people.make_token(session, "R")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    stored = (tmp_path / "people.db").read_bytes()
    assert b"$argon2id$" in stored
    for secret in ("una clave larga", "4821975", cookie, token):
        assert secret.encode() not in stored


def test_a_password_costs_whoever_guesses_what_owasp_asks() -> None:
    """Other tests hash quickly; this is what a node does."""
    assert SLOW_HASHER.hash("una clave larga").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("email", "password"),
    [("ana", "una clave larga"), ("ana@ejemplo.pa", "corta"), ("a na@ejemplo.pa", "una clave larga")],
)
def test_an_address_without_at_and_a_short_password_are_refused(engine: Engine, email: str, password: str) -> None:
    with pytest.raises(ProblemError, match="Nothing changed"), writing(engine) as session:
        people.add_user(session, email, password)
    with reading(engine) as session:
        assert people_queries.list_users(session) == []


def test_a_new_password_ends_the_open_sessions(engine: Engine) -> None:
    with writing(engine) as session:
        people.add_user(session, "ana@ejemplo.pa", "una clave larga")
        cookie = people.start_session(session, "ana@ejemplo.pa")
    with writing(engine) as session:
        people.add_user(session, "ana@ejemplo.pa", "otra clave larga")
    with reading(engine) as session:
        assert people.session_subject(session, cookie) is None
        assert people.check_password(session, "ana@ejemplo.pa", "una clave larga") is None


def test_a_session_ends_after_twelve_hours(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(engine) as session:
        cookie = people.start_session(session, "ana@ejemplo.pa")
    start = now_ms()
    monkeypatch.setattr("collector.people.now_ms", lambda: start + 12 * 3_600_000 - 60_000)
    with reading(engine) as session:
        assert people.session_subject(session, cookie) == "ana@ejemplo.pa"
    monkeypatch.setattr("collector.people.now_ms", lambda: start + 12 * 3_600_000 + 60_000)
    with reading(engine) as session:
        assert people.session_subject(session, cookie) is None


def test_without_a_pin_no_pin_opens(engine: Engine) -> None:
    with reading(engine) as session:
        assert not people.check_pin(session, "")
        assert not people.check_pin(session, "1234")
    with writing(engine) as session:
        people.set_pin(session, "1234")
    with reading(engine) as session:
        assert people.check_pin(session, " 1234 ")
        assert not people.check_pin(session, "12345")


@pytest.mark.parametrize("pin", ["123", "12a4", ""])
def test_a_pin_is_four_numbers_or_more(engine: Engine, pin: str) -> None:
    with pytest.raises(ProblemError), writing(engine) as session:
        people.set_pin(session, pin)


def test_a_token_is_col_and_43_characters_and_opens_until_withdrawn(engine: Engine) -> None:
    with writing(engine) as session:
        token = people.make_token(session, "R")
    assert token.startswith("col_") and len(token) == 47
    with reading(engine) as session:
        assert people.check_token(session, token) == people.KnownToken("R", "identifiers", None, "")
        assert people.check_token(session, token[:-1] + "~") is None
    with writing(engine) as session:
        assert people_queries.drop_tokens(session, "R") == 1
    with reading(engine) as session:
        assert people.check_token(session, token) is None


def test_five_wrong_tries_start_a_wait_that_doubles_to_a_quarter_of_an_hour() -> None:
    clock = Clock()
    tries = people.Tries(5, 900, clock)
    assert [tries.enter("ana") for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(9):
        left = tries.enter("ana")
        waits.append(left)
        clock.now += left
        assert tries.enter("ana") == 0
    assert waits == [10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert tries.enter("otra") == 0


def test_a_try_during_the_wait_does_not_make_it_longer_and_a_right_one_forgets() -> None:
    clock = Clock()
    tries = people.Tries(5, 900, clock)
    for _ in range(5):
        tries.enter("ana")
    assert [tries.enter("ana") for _ in range(3)] == [10, 10, 10]
    tries.right("ana")
    assert tries.enter("ana") == 0


def test_a_hundred_tries_at_once_are_a_hundred_tries() -> None:
    tries = people.Tries(5, 900, Clock())
    allowed: list[int] = []
    threads = [threading.Thread(target=lambda: allowed.append(tries.enter("pin"))) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert allowed.count(0) == 5


def test_one_place_cannot_lock_another_out_before_thirty_tries_and_then_for_a_minute_at_most() -> None:
    clock = Clock()
    door = people.Door(clock)
    for _ in range(5):
        door.enter("pin", "10.0.0.9")
    with pytest.raises(ProblemError):
        door.enter("pin", "10.0.0.9")
    door.enter("pin", "10.0.0.2")
    for number in range(100):
        clock.now += 0.001
        try:
            door.enter("pin", f"10.1.0.{number}")
        except ProblemError as error:
            assert error.values["seconds"] <= 60
    with pytest.raises(ProblemError):
        door.enter("pin", "10.0.0.3")
    clock.now += 61
    door.enter("pin", "10.0.0.3")


def test_the_lock_out_holds_a_bounded_number_of_places() -> None:
    tries = people.Tries(1, 900, Clock())
    for number in range(people.Tries.MOST_KEYS + 500):
        tries.enter(number)
    assert tries.enter(people.Tries.MOST_KEYS + 499) > 0
    assert len(tries._counts) <= people.Tries.MOST_KEYS
