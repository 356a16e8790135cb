"""Published forms with their files, their voices and what the lab plans with them; codes that open one once."""

from sqlalchemy import BigInteger, Column, LargeBinary, Text
from sqlmodel import Field

from collector.tables import Stored


class FormVersion(Stored, table=True):
    """A published form. `xform` is pyxform's output verbatim; `definition` the compiled Form as JSON."""

    __tablename__ = "form"
    form_id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    sha256: str
    title: str
    xform: str = Field(sa_column=Column(Text, nullable=False))
    definition: str = Field(sa_column=Column(Text, nullable=False))
    source_name: str = ""
    source: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    published_ms: int = Field(sa_column=Column(BigInteger, nullable=False))


class FormFile(Stored, table=True):
    """A file that a published form came with: a list, a picture, a sound. Each version names its own."""

    __tablename__ = "form_file"
    form_id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    sha256: str = Field(index=True, max_length=64)
    media_type: str
    size_bytes: int


class FormFilePiece(Stored, table=True):
    """A piece of the content of forms' files. By content: versions that share a picture keep it once.

    No form_file names it while it is on its way down from the upstream.
    """

    __tablename__ = "form_file_piece"
    sha256: str = Field(primary_key=True, max_length=64)
    start: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SingleUse(Stored, table=True):
    """A code that counts once: the serial of a paper sheet ("paper"), a link for one person ("ticket").

    batch: those made together; "" for a code that was made on another node. record_id: the record that used it, "" yet.
    """

    __tablename__ = "single_use"
    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    form: str = Field(index=True)
    version: str
    language: str = ""  # of the sheet, as the form names it
    batch: str = Field(default="", index=True)
    made_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    record_id: str = ""
    used_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))


class Voice(Stored, table=True):
    """A form's text as somebody speaks it. place, text: where it stands and which words (`fill/voices.py`)."""

    form_id: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    text: str = Field(primary_key=True, max_length=16)
    language: str = Field(primary_key=True)
    sha256: str = Field(index=True, max_length=64)
    media_type: str
    made_by: str
    made_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class FormPlan(Stored, table=True):
    """What the lab plans with a form: whom it goes to, how often answers are expected, whether it is closed.

    closed_ms: 0 while it takes answers. frequency_days: how often a municipality is expected to send, 0 for never.
    plan: JSON (docs/lab-forms.md): nodes, municipalities, quotas, what is public.
    """

    __tablename__ = "form_plan"
    form_id: str = Field(primary_key=True)
    closed_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    frequency_days: int = 0
    plan: str = Field(default="{}", sa_column=Column(Text, nullable=False))
    changed_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
