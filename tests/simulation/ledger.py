"""The judge: what was promised to whom, and whether the stores keep it.

I1  what a person was told is saved stays where it is, and reaches central with the same bytes (or was erased)
I2  nothing is stored that nobody made: no damaged body
I3  one effective row an id, and no record twice
I4  every store is whole after each power cut
I5  the state of a record at central follows from what was born, not from the order in which it came
I6  nobody says that central has what central lacks; a phone frees nothing before
I7  what was erased is in no file of any machine
I8  when nothing goes wrong any more, everything comes to rest, and phones learn of it
I9  revoked nodes: fleet.py; I10  files: photos.py; I11  rooms: rooms.py

Excused: a record that every store that ever held it lost because an old copy was put back there.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collector.queries.records import Arrival
from tests.simulation.machine import Contents, Key, Machine
from tests.simulation.phone import Phone

CENTRAL = "central"
PHONE = "phone"


class Broken(AssertionError):
    """An invariant does not hold."""


def key_of(body: str) -> Key:
    """Return how a record that was born with `body` is known everywhere."""
    return json.loads(body)["id"], hashlib.sha256(body.encode()).digest()


def named(key: Key) -> str:
    return f"{key[0][-6:]}:{key[1].hex()[:6]}"


@dataclass
class Ledger:
    """born: every record ever made; told: those of which a person read that they are saved.

    erased: ids that somebody tried to erase; tombstones: the erasures and the id that each names.
    decisions: those that were made, and on what; released: the contents that they let count.
    files: sha256 -> the record that names it; rooms: what was said in rooms, and in which.
    apart: what the hub was ever given by a revoked node; counted: what it was ever given in another way.
    holders: the stores that ever held a record; taken: those from which an old copy that was put back took it.
    """

    born: dict[Key, str] = field(default_factory=dict)
    told: set[Key] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    tombstones: dict[Key, str] = field(default_factory=dict)
    decisions: dict[Key, Key] = field(default_factory=dict)
    moments: dict[Key, tuple[int, str]] = field(default_factory=dict)
    spoken_of: dict[str, str] = field(default_factory=dict)
    released: set[Key] = field(default_factory=set)
    files: dict[str, Key] = field(default_factory=dict)
    rooms: dict[Key, str] = field(default_factory=dict)
    apart: set[Key] = field(default_factory=set)
    counted: set[Key] = field(default_factory=set)
    holders: dict[Key, set[str]] = field(default_factory=dict)
    taken: dict[Key, set[str]] = field(default_factory=dict)
    last: dict[str, Contents] = field(default_factory=dict)

    def is_excused(self, key: Key) -> bool:
        """Tell whether a record could not survive: every store that ever held it lost it by an old copy put back."""
        return bool(self.holders.get(key)) and self.holders[key] <= self.taken.get(key, set())

    def is_gone(self, record_id: str) -> bool:
        """Tell whether somebody asked that this be erased: the record, or that of which it speaks."""
        return record_id in self.erased or self.spoken_of.get(record_id) in self.erased

    def note_decision(self, decision: Arrival, about: Key) -> None:
        key = (decision.id, decision.sha256)
        self.decisions[key], self.moments[key] = about, (decision.device_ms, decision.id)
        self.spoken_of[decision.id] = about[0]
        self.released.add(about)

    def submissions(self) -> list[str]:
        """Return the ids of people's answers."""
        others = self.tombstones.keys() | self.decisions.keys() | self.rooms.keys()
        return sorted({key[0] for key in self.born.keys() - others})

    def on_phone(self, body: str) -> None:
        key = key_of(body)
        self.born[key] = body
        self.told.add(key)
        self.holders.setdefault(key, set()).add(PHONE)

    @staticmethod
    def file_key(sha256: str) -> Key:
        return "file", bytes.fromhex(sha256)

    def _held(self, contents: Contents) -> set[Key]:
        return contents.keys | {self.file_key(sha256) for sha256 in contents.whole_files}

    def note_put_back(self, machine: str, before: Contents, after: Contents) -> None:
        """Note what an old copy lacks, and that this is no fault of the program."""
        for key in self._held(before) - self._held(after):
            self.taken.setdefault(key, set()).add(machine)
        self.last[machine] = after

    def check_store(self, machine: Machine) -> None:
        """Check a store after something happened to it."""
        now = machine.contents()
        before = self.last.get(machine.name)
        if before is now:
            return
        if before is not None and (gone := before.keys - now.keys):
            raise Broken(f"I1: {machine.name} no longer holds {', '.join(map(named, sorted(gone)))}")
        if before is not None:
            self._check_files(machine.name, before, now)
        self._check_bodies(machine.name, now)
        if machine.name == "hub":
            self._note_ways(now)
        for key in self._held(now):
            self.holders.setdefault(key, set()).add(machine.name)
            self.taken.get(key, set()).discard(machine.name)
        self.last[machine.name] = now

    def _note_ways(self, hub: Contents) -> None:
        by_revoked = {key for key, why in hub.apart.items() if why == "revoked_node"}
        self.apart |= by_revoked
        self.counted |= hub.keys - by_revoked

    def _check_files(self, machine: str, before: Contents, now: Contents) -> None:
        for sha256 in before.whole_files - now.whole_files:
            if now.bodies.get(self.files[sha256]) is not None:
                raise Broken(f"I10: {machine} has no longer the file {sha256[:6]}, which a record there names")

    def _check_bodies(self, machine: str, now: Contents) -> None:
        for key, body in now.bodies.items():
            if key not in self.born:
                raise Broken(f"I2: {machine} holds {named(key)}, which nobody made")
            if body is None and not self.is_gone(key[0]):
                raise Broken(f"I1: {machine} has blanked {named(key)}, which nobody erased")
            if body is not None and body != self.born[key]:
                raise Broken(f"I2: {machine} holds {named(key)} with other bytes")

    def check_receipts(self, machines: Iterable[Machine], central: Contents) -> None:
        """Check that central holds all that any store says it holds."""
        for machine in machines:
            unfounded = machine.contents().receipts - central.keys
            if unfounded := {key for key in unfounded if key[0] not in self.erased}:
                raise Broken(f"I6: {machine.name} says central has {', '.join(map(named, sorted(unfounded)))}")

    def check_freed(self, freed: Mapping[str, str], central: Contents) -> None:
        """Check that a phone frees only what central holds."""
        for body in freed.values():
            if key_of(body) not in central.keys and key_of(body)[0] not in self.erased:
                raise Broken(f"I6: the phone has freed {named(key_of(body))}, which central does not hold")

    def check_end(self, central: Contents, phone: Phone) -> None:
        """Check that central has everything, each id once, in a state that the born records alone decide."""
        # what a node put aside stays on the phone, which says so: it waits for a person, it is not lost
        waiting = {key_of(phone.kept[record_id]) for record_id in phone.held}
        missing = {
            key for key in self.told - central.keys - waiting if not self.is_excused(key) and not self.is_gone(key[0])
        }
        if missing:
            raise Broken(f"I1: central never got {', '.join(map(named, sorted(missing)))}")
        for key in sorted(central.keys):
            if central.bodies[key] is None and not self.is_gone(key[0]):
                raise Broken(f"I1: central has blanked {named(key)}")
        self._check_states(central)
        if unheard := set(phone.kept) - phone.held - self.erased:
            raise Broken(f"I8: the phone still keeps {sorted(unheard)}")

    def check_erased(self, machines: Iterable[Machine], central: Contents) -> None:
        """Check that what an erasure names is in no file of any machine, once central knows the erasure."""
        ids = {about for key, about in self.tombstones.items() if key in central.keys}
        marks = {json.loads(body).get("salt", ""): key for key, body in self.born.items() if key[0] in ids}
        for machine in machines:
            for name, content in machine.disk.files.items():
                found = [named(key) for mark, key in marks.items() if mark and mark.encode() in content]
                if found:
                    raise Broken(f"I7: {', '.join(found)} erased, and still in {name} of {machine.name}")

    def _check_states(self, central: Contents) -> None:
        chosen = self._chosen_at(central)
        for record_id in sorted({key[0] for key in central.keys if not self.is_gone(key[0])}):
            variants = [key for key in central.keys if key[0] == record_id]
            usable = [key for key in variants if is_usable(self.born[key])]
            if record_id in chosen:
                usable = [key for key in usable if key[1] == chosen[record_id]] or usable[:1]
            expected = None if not usable else "usable" if len(usable) == 1 else "contested"
            if central.states.get(record_id) != expected:
                found = central.states.get(record_id)
                raise Broken(f"I5: {record_id[-6:]} is {found} at central with {len(usable)} usable variants")
            if usable and central.effective[record_id] not in {key[1] for key in usable}:
                raise Broken(f"I3: the effective record of {record_id[-6:]} is one that cannot be used")

    def _chosen_at(self, central: Contents) -> dict[str, bytes]:
        """Return id -> the content that the last decision on it at central chose."""
        known = [key for key in self.decisions if central.effective.get(key[0]) == key[1] and central.bodies[key]]
        return dict(self.decisions[key] for key in sorted(known, key=self.moments.__getitem__))


def is_usable(body: str) -> bool:
    """Tell whether the maker of `body` made it in canonical bytes with all its keys."""
    content = json.loads(body)
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "salt" in content and canonical == body


def check_integrity(machine: Machine) -> None:
    found = machine.rows("PRAGMA integrity_check")
    if found != [("ok",)]:
        raise Broken(f"I4: {machine.name}: {found}")
