"""Files of answers: taken on machines and on the phone, sent piece by piece, freed on the phone when central has them.

I10  a file whose record was saved stays whole where it is, reaches central whole and with its own bytes; nobody says
     that central has it before; the phone frees it no sooner
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy.exc import DatabaseError

from collector.db import writing
from collector.queries import blobs
from sync import limits
from sync.records import read_record
from sync.statements import arrival_of
from tests.simulation import apsw_dbapi
from tests.simulation.crash_vfs import PowerCut
from tests.simulation.ledger import CENTRAL, Broken, key_of, named
from tests.simulation.machine import Machine
from tests.simulation.network import Message
from tests.simulation.phone import JSON, ours

if TYPE_CHECKING:
    from tests.simulation.world import World

PIECE = limits.MIN_BLOB_CHUNK_BYTES
SIZES = (700, PIECE + 1, 2 * PIECE + 900, 5 * PIECE)


@dataclass
class Photos:
    """The files of one seed. waiting: sha256 -> bytes of those that the phone still keeps; owners: -> their record."""

    world: "World"
    contents: dict[str, bytes] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, bytes] = field(default_factory=dict)

    # --- what people do

    def capture(self) -> None:
        """A form with a photo is filled in on a machine: first the file is kept, then the record that names it."""
        world = self.world
        machine = world.chance.choice(world.there("tablet1", "tablet2", "tablet3", "hub"))
        sha256, body = self._take(machine.name)
        world.note(f"{machine.name} captures {named(key_of(body))} with a file")
        world.trouble(machine)
        try:
            with world.clocks.of(machine.name), writing(machine.engine) as session:
                blobs.add_blob(session, self.contents[sha256], "image/jpeg")
        except (PowerCut, DatabaseError, apsw_dbapi.Error) as error:
            world.note(f"  the file was not kept: {type(error).__name__}")
            return
        world.keep(machine, [arrival_of(read_record(body))])

    def phone_takes(self) -> None:
        sha256, body = self._take("phone")
        self.world.note(f"phone saves {named(key_of(body))} with a file")
        self.waiting[sha256] = self.contents[sha256]
        self.world.phone.kept[self.owners[sha256]] = body
        self.world.ledger.on_phone(body)

    def _take(self, maker: str) -> tuple[str, str]:
        content = self.world.chance.randbytes(self.world.chance.choice(SIZES))
        sha256 = hashlib.sha256(content).hexdigest()
        name = {"name": f"foto-{sha256[:6]}.jpg", "sha256": sha256, "bytes": len(content), "type": "image/jpeg"}
        body = self.world.make_body(maker, blobs=[name])
        self.contents[sha256], self.owners[sha256] = content, key_of(body)[0]
        self.world.ledger.files[sha256] = key_of(body)
        return sha256, body

    # --- the phone's page (static/js/send-files.js)

    def phone_uploads(self) -> None:
        """Send what the node lacks of the files whose records it has, and free those that central has."""
        phone = self.world.phone
        asked = [sha256 for sha256 in self.waiting if self._is_sent(self.owners[sha256])]
        if not asked:
            return
        self.world.note("phone sends files")
        self.world.trouble(self.world.machines[phone.node])
        try:
            found = self._ask("POST", "/sync/v1/blobs/ask", {"sha256": asked})
            for sha256, told in found.get("blobs", {}).items():
                self._send(sha256, told)
        except httpx.TransportError:
            return

    def _is_sent(self, record_id: str) -> bool:
        phone = self.world.phone
        return record_id not in phone.kept or record_id in phone.sent

    def _send(self, sha256: str, told: dict[str, Any]) -> None:
        content = self.waiting[sha256]
        while told["have"] < len(content):
            part = content[told["have"] : told["have"] + PIECE]
            answer = self._piece(sha256, told["have"], part)
            if answer.get("sha256") != sha256:
                return  # tried again with the next round
            told = answer
        if told["central"]:
            self.world.note(f"  phone frees the file {sha256[:6]}")
            del self.waiting[sha256]
            self._check_freed(sha256)

    def _piece(self, sha256: str, at: int, part: bytes) -> dict[str, Any]:
        digest = base64.b64encode(hashlib.sha256(part).digest())
        headers = (
            (b"upload-offset", str(at).encode()),
            (b"upload-length", str(len(self.contents[sha256])).encode()),
            (b"content-digest", b"sha-256=:" + digest + b":"),
        )
        path = f"/sync/v1/blobs/{sha256}"
        return ours(self.world.network.carry(Message(self.world.phone.node, "PATCH", path, "", headers, part)))

    def _ask(self, method: str, path: str, content: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(content).encode()
        return ours(self.world.network.carry(Message(self.world.phone.node, method, path, "", JSON, body)))

    # --- the judge

    def _check_freed(self, sha256: str) -> None:
        if sha256 not in self._whole(CENTRAL) and not self._is_gone(sha256):
            raise Broken(f"I10: the phone has freed the file {sha256[:6]}, which central does not have whole")

    def _whole(self, machine: str) -> set[str]:
        return self.world.machines[machine].contents().whole_files

    def _is_gone(self, sha256: str) -> bool:
        return self.world.ledger.is_gone(self.owners[sha256])

    def check(self) -> None:
        """Check that central has every file of which a machine says so."""
        if not self.contents:
            return
        there = self._whole(CENTRAL)
        for machine in self.world.there():
            unfounded = machine.contents().central_files - there
            if wrong := [sha256[:6] for sha256 in unfounded if not self._is_gone(sha256)]:
                raise Broken(f"I10: {machine.name} says that central has the files {', '.join(sorted(wrong))}")

    def check_end(self) -> None:
        """Check that central has each file whose record people were told is saved, and every store the right bytes."""
        central, ledger = self.world.machines[CENTRAL].contents(), self.world.ledger
        for sha256, key in ledger.files.items():
            if sha256 in central.whole_files or self._is_gone(sha256) or key not in ledger.told:
                continue
            if ledger.is_excused(key) or ledger.is_excused(ledger.file_key(sha256)) or self._waits(sha256):
                continue
            raise Broken(f"I10: central never got the file {sha256[:6]} of {named(key)}")
        if self.contents:
            for machine in self.world.there():
                self._check_bytes(machine)

    def _waits(self, sha256: str) -> bool:
        """Tell whether the phone still keeps a file because an old copy of its node knows its record no more."""
        node = self.world.machines[self.world.phone.node].contents()
        return sha256 in self.waiting and self.world.ledger.files[sha256] not in node.keys

    def _check_bytes(self, machine: Machine) -> None:
        pieces: dict[str, bytes] = {}
        for sha256, content in machine.rows("SELECT sha256, content FROM blob_chunk ORDER BY sha256, at"):
            pieces[sha256] = pieces.get(sha256, b"") + bytes(content)
        for sha256 in machine.contents().whole_files:
            if pieces.get(sha256) != self.contents[sha256]:
                raise Broken(f"I10: {machine.name} holds the file {sha256[:6]} with other bytes")
