"""What an admin does with accounts, and what people do with their own. Each takes the write transaction it is part of.

One admin always stays: whoever is the last with an open account can be neither closed nor given another role.
"""

import secrets
import unicodedata

from sqlmodel import Session

from collector import people, second_step
from collector.clock import now_ms
from collector.problems import PROBLEMS, ProblemError
from collector.queries import people as people_queries
from collector.rights import ROLES
from collector.tables.lab import User
from collector.territory import place_labels, place_names

# without letters and digits that are taken for each other: it is read aloud over the phone
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_PARTS, _PART_LETTERS = 4, 4
OF_A_PLACE = "municipality"


def one_time_password() -> str:
    """Return a password of 79 random bits that can be read aloud: "k7mp-x2ha-9qet-w4zd"."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_PART_LETTERS)) for _ in range(_PARTS))


def invite(session: Session, email: str, role: str, municipality: str = "") -> tuple[str, str]:
    """Make an account; return its address and the password to be told once. It must be changed at the first log-in.

    Raises ProblemError account_taken, municipality_needed, or bad_request for what is no address or role.
    """
    place = _place_for(role, municipality)
    address = people.tidy_email(email)
    if people_queries.get_user(session, address) is not None:
        raise ProblemError(PROBLEMS["account_taken"], email=address)
    password = one_time_password()
    people.add_user(session, address, password, role)
    user = account(session, address)
    user.must_change, user.municipality = 1, place
    return address, password


def put(session: Session, email: str, password: str, role: str | None, municipality: str = "") -> tuple[str, str]:
    """Make an account, or give it another password and (role: not None) another role; return (address, role before).

    For whoever holds the store itself: it opens a closed account and takes its second step away. Raises as `invite` and
    `change_role` do.
    """
    known = people_queries.get_user(session, people.tidy_email(email))
    before = known.role if known else ""
    if known and role:
        change_role(session, email, role, municipality)
    place = _place_for(role, municipality) if role else (known.municipality if known else "")
    user = account(session, people.add_user(session, email, password, role))
    user.municipality, user.must_change, user.totp_secret = place, 0, ""
    return user.email, before


def account(session: Session, email: str) -> User:
    """Return the account. Raises ProblemError account_unknown."""
    user = people_queries.get_user(session, people.tidy_email(email))
    if user is None:
        raise ProblemError(PROBLEMS["account_unknown"], email=email)
    return user


def change_role(session: Session, email: str, role: str, municipality: str = "") -> tuple[str, str]:
    """Give an account another role, and return (role, municipality) as they were.

    Raises ProblemError account_unknown, last_admin, municipality_needed, or bad_request for an unknown role.
    """
    place = _place_for(role, municipality)
    user = account(session, email)
    if role != "admin":
        _keep_an_admin(session, user)
    before = (user.role, user.municipality)
    user.role, user.municipality = role, place
    return before


def close(session: Session, email: str) -> None:
    """Close an account: its open browsers are signed out now. Raises ProblemError account_unknown, last_admin."""
    user = account(session, email)
    _keep_an_admin(session, user)
    user.closed_ms = now_ms()
    people_queries.end_sessions(session, user.email)


def reopen(session: Session, email: str) -> None:
    """Let a closed account sign in again, with the password it had. Raises ProblemError account_unknown."""
    account(session, email).closed_ms = 0


def reset_password(session: Session, email: str) -> str:
    """Give an account a password to be told once; take its second step away and sign its browsers out.

    Raises ProblemError account_unknown.
    """
    user = account(session, email)
    password = one_time_password()
    user.password_hash, user.must_change, user.totp_secret = people.hash_secret(password), 1, ""
    people_queries.end_sessions(session, user.email)
    return password


def change_password(session: Session, email: str, old: str, new: str, here: str) -> None:
    """Change one's own password; every browser but the one with the token `here` is signed out.

    Raises ProblemError password_wrong, password_same, or bad_request for one that is too short.
    """
    user = account(session, email)
    check_own(user, old)
    people.check_new_password(new)
    if new == old:
        raise ProblemError(PROBLEMS["password_same"])
    user.password_hash, user.must_change = people.hash_secret(new), 0
    people_queries.end_other_sessions(session, user.email, people.token_hash(here))


def check_own(user: User, password: str) -> None:
    """Raise ProblemError password_wrong unless it is the account's password."""
    if not people.secret_matches(user.password_hash, password):
        raise ProblemError(PROBLEMS["password_wrong"])


def begin_second_step(session: Session, email: str, password: str, secret: str, code: str) -> None:
    """Ask for codes from now on. Raises ProblemError password_wrong, code_failed."""
    check_own(account(session, email), password)
    second_step.begin(session, people.tidy_email(email), secret, code)


def end_second_step(session: Session, email: str, password: str) -> None:
    """Ask for no codes from now on. Raises ProblemError password_wrong."""
    check_own(account(session, email), password)
    second_step.end(session, people.tidy_email(email))


def place_named(said: str) -> str:
    """Return the code of a place that somebody named by its code or its name, accents aside; else what was said."""
    letters = _letters(said)
    codes = [code for code, label in place_labels().items() if letters in (code, _letters(label))]
    return codes[0] if len(codes) == 1 else said.strip()


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFD", " ".join(text.split()).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _place_for(role: str, municipality: str) -> str:
    """Return the municipality that the role needs, "" for the others. Raises ProblemError."""
    if role not in ROLES:
        raise ProblemError(PROBLEMS["bad_request"], reason=f"«{role}» no es un papel")
    if role != OF_A_PLACE:
        return ""
    if municipality not in place_names():
        raise ProblemError(PROBLEMS["municipality_needed"])
    return municipality


def _keep_an_admin(session: Session, user: User) -> None:
    is_admin = user.role == "admin" and not user.closed_ms
    if is_admin and not people_queries.other_open_admins(session, user.email):
        raise ProblemError(PROBLEMS["last_admin"], email=user.email)
