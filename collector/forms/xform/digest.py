"""What names the content of a form: its XForm and the files that came with it."""

import hashlib
from collections.abc import Mapping


def form_digest(xform: str, files: Mapping[str, bytes]) -> str:
    """Return the sha256 of a form: of the XForm alone, else of it and a line (name, sha256) a file, by name.

    Without files it is the plain hash of the XForm, so that forms published before files existed keep theirs.
    """
    return digest_of_parts(xform, {name: hashlib.sha256(content).hexdigest() for name, content in files.items()})


def digest_of_parts(xform: str, hashes: Mapping[str, str]) -> str:
    """Return the same where the sha256 of each file is known already."""
    lines = "".join(f"\n{name} {hashes[name]}" for name in sorted(hashes))
    return hashlib.sha256((xform + lines).encode()).hexdigest()
