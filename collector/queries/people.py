"""Accounts, signed-in browsers and pull tokens. Only hashes come in here: see collector.people."""

from sqlmodel import Session, col, delete, select

from collector.tables import ApiToken, LoginSession, User


def put_user(session: Session, email: str, password_hash: str, created_ms: int) -> None:
    """Add the account, or give it a new password."""
    user = session.get(User, email)
    if user is None:
        session.add(User(email=email, password_hash=password_hash, created_ms=created_ms))
    else:
        user.password_hash = password_hash


def password_hash(session: Session, email: str) -> str | None:
    """Return the hash kept for the account, or None when there is no such account."""
    return session.exec(select(User.password_hash).where(User.email == email)).first()


def list_users(session: Session) -> list[str]:
    """Return the addresses with an account."""
    return list(session.exec(select(User.email).order_by(User.email)))


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


def add_token(session: Session, token_sha256: str, name: str, created_ms: int) -> None:
    """Keep a pull token's hash."""
    session.add(ApiToken(token_sha256=token_sha256, name=name, created_ms=created_ms))


def token_name(session: Session, token_sha256: str) -> str | None:
    """Return the name of the token, or None when there is none."""
    return session.exec(select(ApiToken.name).where(ApiToken.token_sha256 == token_sha256)).first()


def drop_tokens(session: Session, name: str) -> int:
    """Withdraw the tokens made under `name`; return how many."""
    return session.exec(delete(ApiToken).where(col(ApiToken.name) == name)).rowcount
