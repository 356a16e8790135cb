"""Make the starter guides' .json from their .md sources: what a node reads, with no spreadsheet reader in its process.

Run from anywhere: `python tools/make_guides_json.py [FOLDER]` (default: collector/starter_guides). A guide comes out
byte for byte the same on every run; a test holds each .json equal to its .md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from collector.forms.readers import read_sheets
from collector.rooms.guide import guide_as_json
from collector.rooms.guide_sheet import guide_of

GUIDES = Path(__file__).resolve().parent.parent / "collector" / "starter_guides"


def json_bytes(source: Path) -> bytes:
    """Return the guide in `source` as JSON. Raises Refusal where it is none."""
    guide = guide_of(read_sheets(source.name, source.read_bytes()))
    return (json.dumps(guide_as_json(guide), ensure_ascii=False, indent=1) + "\n").encode()


def make_guides(folder: Path) -> list[Path]:
    """Write the .json beside each .md of `folder`, and list those made."""
    made = []
    for source in sorted(folder.glob("*.md")):
        target = source.with_suffix(".json")
        target.write_bytes(json_bytes(source))
        made.append(target)
    return made


def main() -> None:
    """Make them, and say which."""
    for path in make_guides(Path(sys.argv[1]) if len(sys.argv) > 1 else GUIDES):
        print(path)


if __name__ == "__main__":
    main()
