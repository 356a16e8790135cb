"""The guides of a node: those that come with the program, and those that people brought.

The first are JSON beside their .md, made by tools/make_guides_json.py, so that no page has to load what reads
spreadsheets. The others are contributions of kind "guide" to one session that every node knows by its id and that
nobody opens: records like any other, which go up and are erased by the same rules.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import Engine

from collector.db import reading
from collector.queries.contributions import said_in
from collector.rooms.contributions import Contribution, in_order, parse_contributions
from collector.rooms.guide import Guide, guide_as_json, guide_from_json
from collector.rooms.undoing import undone_ids

LIBRARY = "00000000-0000-7000-8000-006775696465"


@cache
def starter_guides() -> Mapping[str, Guide]:
    """Return name -> guide, in the order of their files."""
    folder = files("collector").joinpath("starter_guides")
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda file: file.name)
    guides = [guide_from_json(json.loads(file.read_text(encoding="utf-8"))) for file in found]
    return {guide.name: guide for guide in guides}


def starter_file(name: str, ending: str) -> bytes:
    """Return a starter guide as its .xlsx or .md. Raises KeyError for one that is none."""
    if name not in starter_guides() or ending not in ("xlsx", "md"):
        raise KeyError(name)
    return files("collector").joinpath("starter_guides", f"{name}.{ending}").read_bytes()


# --- guides that people brought


@dataclass(frozen=True)
class KeptGuide:
    """A guide that somebody brought. id: of its record; finished: when; source_name: the file it was read from."""

    id: str
    guide: Guide
    finished: str
    source_name: str
    source: bytes


def guide_payload(guide: Guide, source_name: str, source: bytes) -> dict[str, Any]:
    """Return the payload of a contribution of kind "guide"."""
    told = guide_as_json(guide)
    return {
        "guide": told["name"], "guide_version": told["version"], "title": told["title"], "steps": told["steps"],
        "segments": told["segments"], "source_name": source_name, "source": base64.b64encode(source).decode(),
    }  # fmt: skip


def kept_guides(engine: Engine) -> list[KeptGuide]:
    """Return the guides that were brought and not taken away, the newest first; of one name the newest alone."""
    with reading(engine) as session:
        found = said_in(session, [LIBRARY], ("guide", "undo"))[LIBRARY]
    said = in_order(parse_contributions(json.loads(each.body) for each in found)[0])
    undone = undone_ids(said)
    newest = {each.payload["guide"]: each for each in said if each.what == "guide" and each.id not in undone}
    return [_kept(each) for each in in_order(newest.values())[::-1]]


def _kept(said: Contribution) -> KeptGuide:
    told: Mapping[str, Any] = said.payload
    guide = guide_from_json({**told, "name": told["guide"], "version": told["guide_version"]})
    source = base64.b64decode(told.get("source", ""))
    return KeptGuide(said.id, guide, said.finished, str(told.get("source_name", "")), source)


def find_guide(engine: Engine, key: str) -> Guide | None:
    """Return the starter guide of this name, or the guide of this record; None for neither."""
    if key in starter_guides():
        return starter_guides()[key]
    return next((each.guide for each in kept_guides(engine) if each.id == key), None)
