"""The guides that come with the program, read once from collector/starter_guides; the .xlsx beside them are copies."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from collector.rooms.guide import Guide


@cache
def starter_guides() -> Mapping[str, Guide]:
    """Return name -> guide, in the order of their files."""
    # only here: what reads spreadsheets costs 45 MiB and a second of a node's start
    from collector.forms.readers import read_sheets
    from collector.rooms.guide_sheet import guide_of

    found: dict[str, Guide] = {}
    folder = files("collector").joinpath("starter_guides")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".md"):
            guide = guide_of(read_sheets(file.name, file.read_bytes()))
            found[guide.name] = guide
    return found
