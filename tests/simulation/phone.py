"""A citizen's phone, by the rules of the page's outbox (static/js/outbox.js), which is tested in a browser elsewhere.

saved ──answer of a node──> sent ──"central" in an answer, or its receipt──> freed
  └── "quarantined" ──> held, for a person to look at
"""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.network import Message, Reply

NDJSON = ((b"content-type", b"application/x-ndjson"), (b"content-encoding", b"gzip"), (b"accept", b"application/json"))
JSON = ((b"content-type", b"application/json"), (b"accept", b"application/json"))


@dataclass
class Phone:
    """kept: id -> bytes of what is on the phone; sent: those that a node has; held: those that it put aside."""

    node: str
    kept: dict[str, str] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)

    def outbox_request(self) -> Message | None:
        waiting = [body for record_id, body in self.kept.items() if record_id not in self.sent | self.held]
        if not waiting:
            return None
        body = gzip.compress("".join(f"{each}\n" for each in waiting[:50]).encode(), mtime=0)
        return Message(self.node, "POST", "/sync/v1/outbox", "", NDJSON, body)

    def receipts_request(self) -> Message | None:
        if not self.sent:
            return None
        asked = json.dumps({"ids": sorted(self.sent)[:200]}).encode()
        return Message(self.node, "POST", "/sync/v1/receipts/ask", "", JSON, asked)

    def read_answer(self, reply: Reply) -> dict[str, str]:
        """Believe an answer of ours; return id -> bytes of what the phone frees now."""
        found = ours(reply)
        results = {record_id: what for record_id, what in found.get("results", {}).items() if record_id in self.kept}
        self.held |= {record_id for record_id, what in results.items() if what == "quarantined"}
        taken = set(results) - self.held
        self.sent |= taken
        return self._free(taken if found.get("central") is True else set())

    def read_receipts(self, reply: Reply) -> dict[str, str]:
        """The same for the answer about receipts. What the node no longer holds is to be sent again."""
        found = ours(reply)
        if "held" not in found:
            return {}
        self._drop(found.get("erased", []))
        self.sent &= set(found["held"])
        return self._free(set(found["central"]) & set(self.kept))

    def _drop(self, erased: list[str]) -> None:
        for record_id in erased:
            self.kept.pop(record_id, None)
            self.sent.discard(record_id)
            self.held.discard(record_id)

    def _free(self, ids: set[str]) -> dict[str, str]:
        self.sent -= ids
        return {record_id: self.kept.pop(record_id) for record_id in sorted(ids)}


def ours(reply: Reply) -> dict[str, Any]:
    """Return what an answer of a node says, {} where it is none of ours."""
    if reply.status != 200 or b"x-collector" not in dict(reply.headers):
        return {}
    found = json.loads(reply.body)
    return found if isinstance(found, dict) else {}
