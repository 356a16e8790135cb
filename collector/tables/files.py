"""Files that answers consist of, and packages that one device leaves here for another."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field

from collector.tables import Stored


class Blob(Stored, table=True):
    """A file that answers consist of: a photo, a sound. Complete, and its hash proved, when `have` = `bytes`.

    sent_life, central_life: the life of the receipts (`queries/blobs.py: life`) in which the upstream, and central,
    said that they hold it whole; another life means: not known. So a new or restored upstream needs no clean-up here.
    """

    sha256: str = Field(primary_key=True, max_length=64)
    bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    have: int = Field(sa_column=Column(BigInteger, nullable=False))
    media_type: str = ""  # when a browser without scripts posted it here; else the records that name it say so
    received_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    sent_life: str = ""
    central_life: str = ""


class BlobChunk(Stored, table=True):
    """A piece of a file, as it came, beginning `at`. In the store itself: one file is all there is to back up."""

    __tablename__ = "blob_chunk"
    sha256: str = Field(primary_key=True, max_length=64)
    at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class BlobName(Stored, table=True):
    """A record names a file: what `record.body` says under "blobs", in a shape that can be asked. Made from the log."""

    __tablename__ = "blob_name"
    sha256: str = Field(primary_key=True, max_length=64)
    record_id: str = Field(primary_key=True, max_length=36, index=True)
    name: str = Field(primary_key=True)
    bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    media_type: str


class Handover(Stored, table=True):
    """Drafts and answers that a browser left here sealed for another device. left_ms: 0 while pieces still come."""

    __tablename__ = "handover"
    id: str = Field(primary_key=True, max_length=32)
    begun_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    left_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    pieces: int = 0
    proof_sha256: str = ""


class HandoverPiece(Stored, table=True):
    """A piece of a sealed package, as it came."""

    __tablename__ = "handover_piece"
    handover_id: str = Field(primary_key=True, max_length=32)
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    sha256: str = Field(max_length=64)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
