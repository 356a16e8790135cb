"""Accounts, signed-in browsers and pull tokens. Only hashes come in here: see collector.people."""

from collections.abc import Sequence

from sqlmodel import Session, col, delete, func, select, update

from collector.tables.lab import ApiToken, LoginSession, User


def put_user(session: Session, email: str, password_hash: str, created_ms: int, role: str | None = None) -> None:
    """Add the account ("admin" unless `role` says otherwise), or give it a new password and, when given, a role."""
    user = session.get(User, email)
    if user is None:
        session.add(User(email=email, password_hash=password_hash, created_ms=created_ms, role=role or "admin"))
        return
    user.password_hash, user.closed_ms = password_hash, 0
    user.role = role or user.role


def get_user(session: Session, email: str) -> User | None:
    """Return the account, open or closed, or None."""
    return session.get(User, email)


def list_users(session: Session) -> list[str]:
    """Return the addresses with an account."""
    return list(session.exec(select(User.email).order_by(User.email)))


def all_users(session: Session) -> Sequence[User]:
    """Return every account, open ones first, by address."""
    return session.exec(select(User).order_by(col(User.closed_ms) > 0, User.email)).all()


def other_open_admins(session: Session, email: str) -> int:
    """Return how many open accounts besides this one are those of an admin."""
    others = select(func.count()).where(User.role == "admin", User.closed_ms == 0, User.email != email)
    return session.exec(others).one()


def take_step(session: Session, email: str, step: int) -> bool:
    """Note that a code of this time step was used; False when it, or a later one, was used before."""
    taken = update(User).where(col(User.email) == email, col(User.totp_step) < step).values(totp_step=step)
    return bool(session.exec(taken).rowcount)


def list_sessions(session: Session, subject: str, moment_ms: int) -> Sequence[LoginSession]:
    """Return the browsers signed in as `subject` at that moment, the latest first."""
    asked = select(LoginSession).where(LoginSession.subject == subject, LoginSession.expires_ms > moment_ms)
    return session.exec(asked.order_by(col(LoginSession.expires_ms).desc())).all()


def end_other_sessions(session: Session, subject: str, kept_sha256: str) -> None:
    """Forget every browser signed in as `subject` but one."""
    others = delete(LoginSession).where(col(LoginSession.subject) == subject)
    session.exec(others.where(col(LoginSession.token_sha256) != kept_sha256))


def add_session(session: Session, token_sha256: str, subject: str, expires_ms: int) -> None:
    """Note a signed-in browser."""
    session.add(LoginSession(token_sha256=token_sha256, subject=subject, expires_ms=expires_ms))


def session_subject(session: Session, token_sha256: str, moment_ms: int) -> str | None:
    """Return who the browser is signed in as at that moment, or None."""
    row = select(LoginSession.subject).where(
        LoginSession.token_sha256 == token_sha256, LoginSession.expires_ms > moment_ms
    )
    return session.exec(row).first()


def end_session(session: Session, token_sha256: str) -> None:
    """Forget one signed-in browser."""
    session.exec(delete(LoginSession).where(col(LoginSession.token_sha256) == token_sha256))


def end_sessions(session: Session, subject: str) -> None:
    """Forget every browser signed in as `subject`."""
    session.exec(delete(LoginSession).where(col(LoginSession.subject) == subject))


def drop_expired_sessions(session: Session, moment_ms: int) -> None:
    """Forget the browsers whose time is over."""
    session.exec(delete(LoginSession).where(col(LoginSession.expires_ms) <= moment_ms))


def add_token(session: Session, token: ApiToken) -> None:
    """Keep a token's hash and what it may do."""
    session.add(token)


def get_token(session: Session, token_sha256: str) -> ApiToken | None:
    """Return what is known of the token, or None when there is none."""
    return session.get(ApiToken, token_sha256)


def list_tokens(session: Session) -> Sequence[ApiToken]:
    """Return every token, the newest first."""
    return session.exec(select(ApiToken).order_by(col(ApiToken.created_ms).desc(), ApiToken.name)).all()


def token_names(session: Session, name: str) -> int:
    """Return how many tokens have this name."""
    return session.exec(select(func.count()).where(ApiToken.name == name)).one()


def note_use(session: Session, token_sha256: str, moment_ms: int) -> None:
    """Note when a token was last used."""
    session.exec(update(ApiToken).where(col(ApiToken.token_sha256) == token_sha256).values(used_ms=moment_ms))


def drop_tokens(session: Session, name: str) -> int:
    """Withdraw the tokens made under `name`; return how many."""
    return session.exec(delete(ApiToken).where(col(ApiToken.name) == name)).rowcount
