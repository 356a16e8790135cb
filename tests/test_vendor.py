"""Vendored files are byte for byte what their table says, and packed files hold the same bytes."""

import gzip
import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "static" / "vendor"


def test_each_vendored_file_has_its_version_sum_and_licence() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| (.+?) \| `([0-9a-f]{64})` \| (.+?) \|$", (VENDOR / "VERSIONS.md").read_text(), re.M
    )
    sums = {name: digest for name, _version, digest, _licence in rows}
    kept = (path for path in VENDOR.rglob("*") if path.is_file() and path.suffix in (".js", ".css"))
    files = {path.relative_to(VENDOR).as_posix() for path in kept}
    assert files == set(sums)
    for name, digest in sums.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest


def test_a_packed_file_holds_the_same_bytes() -> None:
    for packed in VENDOR.glob("*.gz"):
        assert gzip.decompress(packed.read_bytes()) == packed.with_suffix("").read_bytes()
