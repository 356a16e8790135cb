"""The judge: what was promised to whom, and whether the stores keep it.

I1  what a person was told is saved stays where it is, and reaches central with the same bytes (or was erased)
I2  nothing is stored that nobody made: no damaged body
I3  one effective row an id, and no record twice
I4  every store is whole after each power cut
I5  the state of a record at central follows from what was born, not from the order in which it came
I6  nobody says that central has what central lacks; a phone frees nothing before
I7  what was erased is in no file of any machine
I8  when nothing goes wrong any more, everything comes to rest, and phones learn of it

Excused: a record that every store that ever held it lost because an old copy was put back there.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
    holders: the stores that ever held a record; taken: those from which an old copy that was put back took it.
    """

    born: dict[Key, str] = field(default_factory=dict)
    told: set[Key] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    tombstones: dict[Key, str] = field(default_factory=dict)
    holders: dict[Key, set[str]] = field(default_factory=dict)
    taken: dict[Key, set[str]] = field(default_factory=dict)
    last: dict[str, Contents] = field(default_factory=dict)

    def is_excused(self, key: Key) -> bool:
        """Tell whether a record could not survive: every store that ever held it lost it by an old copy put back."""
        return bool(self.holders.get(key)) and self.holders[key] <= self.taken.get(key, set())

    def on_phone(self, body: str) -> None:
        key = key_of(body)
        self.born[key] = body
        self.told.add(key)
        self.holders.setdefault(key, set()).add(PHONE)

    def note_put_back(self, machine: str, before: set[Key], after: Contents) -> None:
        """Note what an old copy lacks, and that this is no fault of the program."""
        for key in before - after.keys:
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
        self._check_bodies(machine.name, now)
        for key in now.keys:
            self.holders.setdefault(key, set()).add(machine.name)
            self.taken.get(key, set()).discard(machine.name)
        self.last[machine.name] = now

    def _check_bodies(self, machine: str, now: Contents) -> None:
        for key, body in now.bodies.items():
            if key not in self.born:
                raise Broken(f"I2: {machine} holds {named(key)}, which nobody made")
            if body is None and key[0] not in self.erased:
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
            key for key in self.told - central.keys - waiting if not self.is_excused(key) and key[0] not in self.erased
        }
        if missing:
            raise Broken(f"I1: central never got {', '.join(map(named, sorted(missing)))}")
        for key in sorted(central.keys):
            if central.bodies[key] is None and key[0] not in self.erased:
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
        for record_id in sorted({key[0] for key in central.keys} - self.erased):
            variants = [key for key in central.keys if key[0] == record_id]
            usable = [key for key in variants if is_usable(self.born[key])]
            expected = None if not usable else "usable" if len(usable) == 1 else "contested"
            if central.states.get(record_id) != expected:
                found = central.states.get(record_id)
                raise Broken(f"I5: {record_id[-6:]} is {found} at central with {len(usable)} usable variants")
            if usable and central.effective[record_id] not in {key[1] for key in usable}:
                raise Broken(f"I3: the effective record of {record_id[-6:]} is one that cannot be used")


def is_usable(body: str) -> bool:
    """Tell whether the maker of `body` made it in canonical bytes with all its keys."""
    content = json.loads(body)
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "salt" in content and canonical == body
