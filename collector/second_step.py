"""The second step of a log-in: six digits from a phone (TOTP, RFC 6238: SHA-1, 30 seconds). Optional, each one's own.

A secret counts only after its first code was right, and each code counts once (account.totp_step). Whoever lost the
phone asks an admin, whose reset of the password takes the second step away too.
"""

import hmac
import re
import time

from sqlmodel import Session

from collector.problems import PROBLEMS, ProblemError
from collector.queries import people as people_queries

STEP_SECONDS = 30
AROUND = (0, -1, 1)  # steps that a phone's clock may be away
ISSUER = "Collector"
SECRET = re.compile(r"[A-Z2-7]{32}")
CODE = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """Return 160 random bits as base32: 32 letters."""
    import pyotp  # only where somebody takes or uses a second step

    return pyotp.random_base32()


def address_of(secret: str, email: str) -> str:
    """Return the otpauth:// address that a phone reads as a QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_of(secret: str, code: str, moment: float) -> int | None:
    """Return the time step that `code` belongs to, None when it is of none around `moment` (seconds since 1970)."""
    import pyotp

    digits = "".join(code.split())
    if not CODE.fullmatch(digits):
        return None
    generator, now = pyotp.TOTP(secret), int(moment) // STEP_SECONDS
    steps = [now + away for away in AROUND]
    return next((step for step in steps if hmac.compare_digest(generator.generate_otp(step), digits)), None)


def check_code(session: Session, email: str, secret: str, code: str, moment: float | None = None) -> None:
    """Use a code up. Raises ProblemError code_failed when it is wrong, old, or was used before."""
    step = step_of(secret, code, time.time() if moment is None else moment)
    if step is None or not people_queries.take_step(session, email, step):
        raise ProblemError(PROBLEMS["code_failed"])


def begin(session: Session, email: str, secret: str, code: str, moment: float | None = None) -> None:
    """Ask for the second step from now on. Raises ProblemError code_failed unless the phone shows the right code."""
    user = people_queries.get_user(session, email)
    if user is None or not SECRET.fullmatch(secret):
        raise ProblemError(PROBLEMS["code_failed"])
    check_code(session, email, secret, code, moment)
    user.totp_secret = secret


def end(session: Session, email: str) -> None:
    """Ask for the password alone."""
    user = people_queries.get_user(session, email)
    if user is not None:
        user.totp_secret = ""
