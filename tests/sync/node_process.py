"""A receiving node as a process of its own, that may end itself at a chosen moment of a batch, as power cuts do.

Usage: python -m tests.sync.node_process DATABASE PORT MOMENT
MOMENT: never | check (batch read, nothing stored) | ingest (stored, not committed) | answer (committed, not answered)
"""

import os
import signal
import sys
from typing import Any

import uvicorn

import sync.receive
from collector.db import open_engine, prepare_store, writing
from collector.queries import nodes, store
from tests.sync.conftest import sync_app


def die(*_given: Any, **_named: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def main(database: str, port: str, moment: str) -> None:
    engine = open_engine(f"sqlite:///{database}")
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, "central")
    app = sync_app(engine, die if moment == "check" else lambda _content: "")
    if moment == "ingest":
        nodes.move_cursor = die  # the step after the records
    if moment == "answer":
        sync.receive._answer = die  # the step after the commit
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="critical", ws="none", lifespan="off")


if __name__ == "__main__":
    main(*sys.argv[1:])
