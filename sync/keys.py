"""Keys of a node. ed25519 signs its batches; age (X25519) opens the bundles that only central may read.

Made when first needed and kept in the store itself: who copies the store is that node.
"""

import base64
import hashlib
import re
from typing import Any, Protocol

import pyrage
from sqlalchemy import Engine
from sqlmodel import Session

from collector.db import reading, writing
from collector.queries import store
from collector.queries.nodes import is_central

PUBLIC_KEY = re.compile(r"[0-9A-Za-z_-]{43}")
AGE_RECIPIENT = re.compile(r"age1[0-9a-z]{58}")


class SigningKey(Protocol):
    """What a node signs with: cryptography's Ed25519PrivateKey."""

    def sign(self, data: bytes, /) -> bytes:
        """Return the 64 bytes of a signature."""

    def public_key(self) -> Any:
        """Return the public half."""


def _ed25519() -> Any:
    """Return the module; it takes 7 MiB, which a node that speaks with no other does without."""
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519


def _read_key(secret: str) -> SigningKey:
    key: SigningKey = _ed25519().Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    return key


def signing_key(engine: Engine) -> SigningKey:
    """Return the key of this node; makes it on the first call."""
    with reading(engine) as session:
        secret = store.fact(session, "signing_key")
    if secret:
        return _read_key(secret)
    with writing(engine) as session:
        return own_key(session)


def own_key(session: Session) -> SigningKey:
    """Return the key of this node, inside a write transaction, which it may need."""
    secret = store.fact(session, "signing_key")
    if not secret:
        secret = _ed25519().Ed25519PrivateKey.generate().private_bytes_raw().hex()
        store.set_fact(session, "signing_key", secret)
    return _read_key(secret)


def public_text(key: SigningKey) -> str:
    """Return the public half as it travels: 43 letters of base64url."""
    raw = key.public_key().public_bytes_raw()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def is_public_key(value: object) -> bool:
    """Tell a public key as it travels."""
    return isinstance(value, str) and PUBLIC_KEY.fullmatch(value) is not None


def sign(key: SigningKey, receiver: str, first_line: bytes) -> str:
    """Return the signature of a batch for one receiver: of its first line, which holds the hash of all others."""
    return base64.b64encode(key.sign(_signed(receiver, first_line))).decode()


def is_signed(public_key: str, receiver: str, first_line: bytes, signature: str) -> bool:
    """Tell whether `signature` is that node's, over this line and for this receiver."""
    from cryptography.exceptions import InvalidSignature

    try:
        raw = base64.b64decode(signature, validate=True)
        key = _ed25519().Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(public_key + "="))
        key.verify(raw, _signed(receiver, first_line))
    except (ValueError, InvalidSignature):
        return False
    return True


def _signed(receiver: str, first_line: bytes) -> bytes:
    return f"collector-sync/1\n{receiver}\n{hashlib.sha256(first_line).hexdigest()}".encode()


# --- central's key


def age_identity(session: Session) -> str:
    """Return the secret that opens bundles for this node; makes it on the first call, in a write transaction."""
    secret = store.fact(session, "age_identity")
    if not secret:
        secret = str(pyrage.x25519.Identity.generate())
        store.set_fact(session, "age_identity", secret)
    return secret


def central_key(session: Session) -> str:
    """Return the age recipient of central as this node knows it, "" when it does not. May write: see `age_identity`."""
    if is_central(session):
        return str(pyrage.x25519.Identity.from_str(age_identity(session)).to_public())
    return store.fact(session, "central_key")


def note_central_key(session: Session, said: object) -> None:
    """Keep the key of central that the upstream told of."""
    if isinstance(said, str) and AGE_RECIPIENT.fullmatch(said) and said != store.fact(session, "central_key"):
        store.set_fact(session, "central_key", said)
