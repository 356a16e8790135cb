"""People and their keys: passwords and the PIN (argon2id), signed-in browsers, pull tokens, and the lock-out.

Secrets are shown once and never kept: passwords and the PIN as argon2id hashes; the random 256-bit tokens of browsers
and pulls as sha256, which is enough for something nobody can guess.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cache
from threading import BoundedSemaphore, Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlmodel import Session

from collector.clock import now_ms
from collector.problems import PROBLEMS, ProblemError
from collector.queries import people as people_queries
from collector.queries import store
from collector.tables.lab import ApiToken

SESSION_MS = 12 * 60 * 60 * 1000
PIN_SUBJECT = "pin"
USE_NOTED_MS = 60_000  # a token that is used all the time writes once a minute
LEAST_PASSWORD = 10
LEAST_PIN = 4
MOST_SECRET = 256

# OWASP's smaller argon2id profile: 19 MiB, so that a cheap tablet can check a PIN while it captures
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# two at once: a flood of log-ins must not take the memory of the node
_WORKBENCH = BoundedSemaphore(2)


def hash_secret(secret: str) -> str:
    """Return the argon2id hash of a password or PIN."""
    with _WORKBENCH:
        return _HASHER.hash(secret)


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe(16))


def secret_matches(hashed: str | None, secret: str) -> bool:
    """Tell whether `secret` made `hashed`. Works as long for None (an unknown person) as for a wrong secret."""
    with _WORKBENCH:
        try:
            _HASHER.verify(hashed or _nobody(), secret[:MOST_SECRET])
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None


def new_token(prefix: str = "") -> str:
    """Return 256 random bits as text: 43 characters after `prefix`."""
    return prefix + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


# --- accounts of the lab


def add_user(session: Session, email: str, password: str, role: str | None = None) -> str:
    """Give `email` an account, or a new password (which ends its open sessions). Returns the address as kept.

    role: of collector/rights.py; None leaves an account's role as it is and makes a new one an admin.
    """
    address = tidy_email(email)
    if "@" not in address[1:-1] or any(mark.isspace() for mark in address):
        raise ProblemError(PROBLEMS["bad_request"], reason=f"«{email}» no es un correo")
    check_new_password(password)
    people_queries.put_user(session, address, hash_secret(password), now_ms(), role)
    people_queries.end_sessions(session, address)
    return address


def check_password(session: Session, email: str, password: str) -> str | None:
    """Return the address of the open account, or None. Unknown addresses cost the same work as wrong passwords."""
    address = tidy_email(email)
    user = people_queries.get_user(session, address)
    matches = secret_matches(user.password_hash if user else None, password)
    return address if matches and user is not None and not user.closed_ms else None


def check_new_password(password: str) -> None:
    """Raise ProblemError bad_request for a password that is too short or too long."""
    _check_length(password, LEAST_PASSWORD, "la contraseña")


def tidy_email(email: str) -> str:
    """Return the address as accounts are keyed: phones like to write a capital first."""
    return email.strip().casefold()


def _check_length(secret: str, least: int, what: str) -> None:
    if not least <= len(secret) <= MOST_SECRET:
        raise ProblemError(PROBLEMS["bad_request"], reason=f"{what} debe tener de {least} a {MOST_SECRET} caracteres")


# --- the facilitators' PIN


def set_pin(session: Session, pin: str) -> None:
    """Set the PIN of this node and close the facilitator pages that are open with the old one."""
    if not pin.isdecimal():
        raise ProblemError(PROBLEMS["bad_request"], reason="el PIN lleva solo números")
    _check_length(pin, LEAST_PIN, "el PIN")
    store.set_fact(session, "pin_hash", hash_secret(pin))
    people_queries.end_sessions(session, PIN_SUBJECT)


def has_pin(session: Session) -> bool:
    """Tell whether a PIN was ever set here."""
    return bool(store.fact(session, "pin_hash"))


def check_pin(session: Session, pin: str) -> bool:
    """Tell whether `pin` is the PIN of this node; False while none is set."""
    return secret_matches(store.fact(session, "pin_hash") or None, pin.strip())


# --- signed-in browsers


def start_session(session: Session, subject: str, lasts_ms: int = SESSION_MS) -> str:
    """Sign a browser in as `subject` (an address, or PIN_SUBJECT); return the token for its cookie."""
    token, moment = new_token(), now_ms()
    people_queries.drop_expired_sessions(session, moment)
    people_queries.add_session(session, token_hash(token), subject, moment + lasts_ms)
    return token


def session_subject(session: Session, token: str) -> str | None:
    """Return who the token's browser is signed in as, or None when unknown or expired."""
    return people_queries.session_subject(session, token_hash(token), now_ms()) if token else None


def end_session(session: Session, token: str) -> None:
    """Sign the token's browser out."""
    people_queries.end_session(session, token_hash(token))


# --- pull tokens


@dataclass(frozen=True)
class KnownToken:
    """What a token may do (collector/rights.py: SCOPES). only_forms: None for all; purpose: as its maker said.

    is_noted: its use of the last minute stands in the store already.
    """

    name: str
    scope: str
    only_forms: frozenset[str] | None
    purpose: str
    is_noted: bool = field(default=True, compare=False)


def make_token(
    session: Session,
    name: str,
    scope: str = "identifiers",
    *,
    forms: Sequence[str] = (),
    expires_ms: int = 0,
    purpose: str = "",
    made_by: str = "",
) -> str:
    """Make a token for programs. This is the only time it can be read: "col_" and 43 characters.

    forms: the only ones it may read, all when empty; expires_ms: 0 for never.
    """
    token = new_token("col_")
    kept = ApiToken(
        token_sha256=token_hash(token), name=name, created_ms=now_ms(), scope=scope, expires_ms=expires_ms,
        forms=json.dumps(sorted(forms)) if forms else "", purpose=purpose, made_by=made_by,
    )  # fmt: skip
    people_queries.add_token(session, kept)
    return token


def check_token(session: Session, token: str) -> KnownToken | None:
    """Return what the token may do, or None when it is unknown or over."""
    row = people_queries.get_token(session, token_hash(token)) if token.startswith("col_") else None
    moment = now_ms()
    if row is None or (row.expires_ms and row.expires_ms <= moment):
        return None
    forms = frozenset(json.loads(row.forms)) if row.forms else None
    return KnownToken(row.name, row.scope, forms, row.purpose, moment - row.used_ms < USE_NOTED_MS)


def forms_of(token: ApiToken) -> list[str]:
    """Return the only forms that a token may read, [] for all."""
    return list(json.loads(token.forms)) if token.forms else []


def refuse_taken(session: Session, name: str) -> None:
    """Raise ProblemError token_taken for a name that a token has, and bad_request for none: the audit goes by it."""
    if not name:
        raise ProblemError(PROBLEMS["bad_request"], reason="el token no tiene nombre")
    if people_queries.token_names(session, name):
        raise ProblemError(PROBLEMS["token_taken"], name=name)


def note_use(session: Session, token: str) -> None:
    """Note that the token was used now: who looks after tokens sees which nobody needs any more."""
    people_queries.note_use(session, token_hash(token), now_ms())


def drop_tokens(session: Session, name: str) -> int:
    """Withdraw the tokens made under `name`; return how many. Raises ProblemError token_unknown when there is none."""
    count = people_queries.drop_tokens(session, name)
    if not count:
        raise ProblemError(PROBLEMS["token_unknown"], name=name)
    return count


# --- lock-out


@dataclass
class _Count:
    wrong: int = 0
    open_at: float = 0.0


class Tries:
    """Counts wrong tries by key and makes each one past `free` wait twice as long, up to `most_seconds`.

    Kept in memory: a restart forgets. `clock` gives seconds and only moves forward. At most 10,000 keys are held.
    """

    FIRST_SECONDS = 10.0
    MOST_KEYS = 10_000

    def __init__(self, free: int, most_seconds: float, clock: Callable[[], float]) -> None:
        self._free, self._most, self._clock = free, most_seconds, clock
        self._counts: dict[Hashable, _Count] = {}
        self._lock = Lock()

    def enter(self, key: Hashable) -> int:
        """Count a try, before the secret is looked at, and return 0; or return the seconds to wait, counting nothing.

        Counted first: a hundred tries sent at the same moment are a hundred tries. `right` takes them back.
        """
        with self._lock:
            moment = self._clock()
            count = self._counts.get(key) or self._new_count(key)
            if count.open_at > moment:
                return int(count.open_at - moment + 0.999)
            count.wrong += 1
            extra = count.wrong - self._free
            if extra >= 0:
                count.open_at = moment + min(self._most, self.FIRST_SECONDS * 2.0 ** min(extra, 30))
            return 0

    def right(self, key: Hashable) -> None:
        """Forget the wrong tries of `key`."""
        with self._lock:
            self._counts.pop(key, None)

    def _new_count(self, key: Hashable) -> _Count:
        if len(self._counts) >= self.MOST_KEYS:
            # the oldest go first: whoever fills the table does not unlock the keys tried most recently
            for old in list(self._counts)[: self.MOST_KEYS // 10]:
                del self._counts[old]
        return self._counts.setdefault(key, _Count())


class Door:
    """The lock-out of one log-in: strict for one address, patient for everybody together.

    Five wrong tries from one place start its own wait (to 15 min). Thirty from anywhere at one account make everybody
    wait, but never more than a minute: nobody can shut the facilitator out of her own tablet for long.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._place = Tries(5, 900, clock)
        self._account = Tries(30, 60, clock)

    def enter(self, account: str, place: str) -> None:
        """Count a try. Raises ProblemError too_many_tries while `account` may not be tried from `place`."""
        left = self._place.enter((account, place)) or self._account.enter(account)
        if left:
            raise ProblemError(PROBLEMS["too_many_tries"], seconds=left)

    def right(self, account: str, place: str) -> None:
        """Forget the tries: the right secret was given."""
        self._place.right((account, place))
        self._account.right(account)
