"""What the steps of one exchange with the upstream share: the store's facts, the memory of this process, the result."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from collector.db import reading
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes
from sync import limits
from sync.client import UpstreamClient

FIRST_RECORDS = 20
FIRST_PIECE_BYTES = 64 * 1024
InstallForm = Callable[..., object]  # xform, source_name, and files= where the form has some


@dataclass
class BlobState:
    """What is remembered about files.

    most: bytes that the upstream takes in one piece, 0 when it takes no files (an older release); piece: bytes of the
    next one; central: how many files the upstream knows at central; has_news: and that this changed; has_checked: that
    what it is said to have was asked once in this process, in case it was put back; refused: what it will not take.
    """

    most: int = 0
    piece: int = FIRST_PIECE_BYTES
    central: int = 0
    has_news: bool = False
    has_checked: bool = False
    refused: set[str] = field(default_factory=set)


@dataclass
class SyncState:
    """What one process remembers between two calls; a new one is cold. records: how many go into the next batch."""

    is_warm: bool = False
    records: int = FIRST_RECORDS
    most_records: int = limits.MAX_BATCH_RECORDS
    most_bytes: int = limits.MAX_BODY_BYTES
    most_inflated: int = limits.MAX_INFLATED_BYTES
    hello_at: float = 0.0
    hello_etag: str = ""
    hello: Any = None  # the last one as it came: it is not sent again while its ETag holds
    clock_stands: int = 0  # this node's clock less the one that nobody sets, in milliseconds, at the last hello
    knows_gone: bool = False  # the upstream reads lines of erased entries, and the chain
    reported: str = ""
    reported_at: float = field(default_factory=time.monotonic)
    blobs: BlobState = field(default_factory=BlobState)
    refused_forms: set[str] = field(default_factory=set)
    rooms_tag: str = ""  # of the rooms that came down last
    rooms: dict[str, str] = field(default_factory=dict)  # room -> sha256 of what was fetched of it


@dataclass
class SyncResult:
    """What one call did. error: "" or a code of problems.py, with reason; is_final: a person has to do something.

    fed: erasures and decisions that came down; rooms: how many brought something new; files: how many went up whole;
    has_more: the time for files was up before all of them were sent, or rooms came that go up again.
    """

    sent: int = 0
    files: int = 0
    has_more: bool = False
    duplicates: int = 0
    quarantined: int = 0
    receipts: int = 0
    forms: int = 0
    fed: int = 0
    rooms: int = 0
    error: str = ""
    reason: str = ""
    is_final: bool = False
    retry_seconds: float = 0.0


@dataclass(frozen=True)
class Known:
    """What the store says about itself and its upstream at one moment."""

    me: str
    epoch: str
    url: str
    upstream_id: str
    token: str
    cursor: int
    receipts_n: int
    receipts_epoch: str
    forms_etag: str
    chain_head: bytes | None
    feed_n: int
    feed_epoch: str

    def head_at(self, cursor: int) -> bytes | None:
        """Return the chain's head at `cursor` where it is known: at the cursor that was noted with it."""
        return self.chain_head if cursor == self.cursor else None


@dataclass
class Run:
    """One call of `sync_once`: what its steps share."""

    engine: Engine
    client: UpstreamClient
    state: SyncState
    result: SyncResult
    install_form: InstallForm
    now_ms: int
    stopped: Callable[[], bool]

    def known(self) -> Known:
        known = read_known(self.engine)
        if known is None:
            raise ProblemError(PROBLEMS["no_upstream"])
        return known


def read_known(engine: Engine) -> Known | None:
    with reading(engine) as session:
        row = nodes.upstream_row(session)
        if row is None:
            return None
        return Known(
            me=row.me,
            epoch=row.life,
            url=row.url,
            upstream_id=row.node_id,
            token=row.token,
            cursor=row.cursor_n,
            receipts_n=row.receipts_n,
            receipts_epoch=row.receipts_epoch,
            forms_etag=row.forms_etag,
            chain_head=None if row.chain_head is None else bytes(row.chain_head),
            feed_n=row.feed_n,
            feed_epoch=row.feed_epoch,
        )
