"""Drafts and unsent answers that a browser left here sealed, until another device takes them up again.

    arriving   pieces are here, not all of them yet                     handover_piece
    left       all pieces are here and fit what the browser said        handover.left_ms > 0
    taken      the other device has them on its disk: the rows are gone

The node cannot read them: the key stands only in the QR that the browser draws. They are no records: neither sent
upwards nor shown, and they go by themselves after KEEP_DAYS.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, delete, func, select

from collector.tables.files import Handover, HandoverPiece

MOST_PIECES = 160
MOST_PIECE_BYTES = 256 * 1024 + 256  # 256 KiB of content, the line in front of it and the seal
MOST_BYTES = 1024**3  # of all that wait on one node
KEEP_DAYS = 90
ARRIVING_DAYS = 2
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Left:
    """What may be told of a sealed package: how many pieces, how many bytes, when it was left (ms)."""

    pieces: int
    bytes: int
    left_ms: int


def add_piece(session: Session, handover_id: str, number: int, content: bytes, now_ms: int) -> bool:
    """Keep a piece, over an earlier one of its number; False when the package is whole already and stays as it is."""
    package = session.get(Handover, handover_id)
    if package is None:
        session.add(Handover(id=handover_id, begun_ms=now_ms))
        session.flush()
    elif package.left_ms:
        return False
    digest = hashlib.sha256(content).hexdigest()
    held = session.get(HandoverPiece, (handover_id, number))
    if held is None:
        session.add(HandoverPiece(handover_id=handover_id, number=number, sha256=digest, content=content))
    else:
        held.sha256, held.content = digest, content
    return True


def leave(session: Session, handover_id: str, hashes: Sequence[str], proof_sha256: str, now_ms: int) -> list[int]:
    """Close a package whose pieces are `hashes`, in order; return the numbers of those missing or other."""
    held = pieces_here(session, handover_id)
    missing = [number for number, digest in enumerate(hashes) if held.get(number) != digest]
    package = session.get(Handover, handover_id)
    if missing or package is None or package.left_ms:
        return missing
    beyond = col(HandoverPiece.number) >= len(hashes)
    session.exec(delete(HandoverPiece).where(col(HandoverPiece.handover_id) == handover_id, beyond))
    package.left_ms, package.pieces, package.proof_sha256 = now_ms, len(hashes), proof_sha256
    return []


def pieces_here(session: Session, handover_id: str) -> dict[int, str]:
    """Return number -> sha256 of the pieces that are here, of a whole package too."""
    found = select(HandoverPiece.number, HandoverPiece.sha256).where(HandoverPiece.handover_id == handover_id)
    return dict(session.exec(found).all())


def left(session: Session, handover_id: str) -> Left | None:
    """Return what is known of a whole package; None when there is none."""
    package = session.get(Handover, handover_id)
    if package is None or not package.left_ms:
        return None
    return Left(package.pieces, bytes_waiting(session, handover_id), package.left_ms)


def piece(session: Session, handover_id: str, number: int) -> bytes | None:
    """Return a piece of a whole package."""
    package = session.get(Handover, handover_id)
    held = session.get(HandoverPiece, (handover_id, number)) if package and package.left_ms else None
    return held.content if held else None


def take(session: Session, handover_id: str, proof: str) -> bool:
    """Drop a package that another device has now; `proof` is known only to who can open it."""
    package = session.get(Handover, handover_id)
    if package is None or not hmac.compare_digest(package.proof_sha256, hashlib.sha256(proof.encode()).hexdigest()):
        return False
    _drop(session, [handover_id])
    return True


def drop_old(session: Session, now_ms: int) -> int:
    """Drop what nobody took up in KEEP_DAYS, and what never became whole; return how many packages."""
    forgotten = (col(Handover.left_ms) > 0) & (col(Handover.left_ms) < now_ms - KEEP_DAYS * DAY_MS)
    broken = (col(Handover.left_ms) == 0) & (col(Handover.begun_ms) < now_ms - ARRIVING_DAYS * DAY_MS)
    old = list(session.exec(select(Handover.id).where(forgotten | broken)))
    _drop(session, old)
    return len(old)


def bytes_waiting(session: Session, handover_id: str = "") -> int:
    """Return the bytes of one package, or of all."""
    size = select(func.coalesce(func.sum(func.length(HandoverPiece.content)), 0))
    return int(session.exec(size.where(HandoverPiece.handover_id == handover_id) if handover_id else size).one())


def _drop(session: Session, ids: Sequence[str]) -> None:
    session.exec(delete(HandoverPiece).where(col(HandoverPiece.handover_id).in_(ids)))
    session.exec(delete(Handover).where(col(Handover.id).in_(ids)))
