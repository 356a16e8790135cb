"""Where templates and static files stand, and the static files as they are sent: small, gzipped, named by content."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import rcssmin
import rjsmin

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
}


def asset_dir(name: str) -> Path:
    """Return the folder `name`: beside the package in a checkout, inside it in a wheel.

    The checkout is asked first: an editable install also leaves a stale copy in site-packages.
    """
    package = Path(__file__).resolve().parent
    for base in (package.parent, package):
        if (base / name / ".collector").is_file():
            return base / name
    raise FileNotFoundError(
        f"No {name}/ beside or inside {package}. Reinstall: pip install --force-reinstall citizen-collector"
    )


@dataclass(frozen=True)
class Asset:
    """One static file as sent. packed: `plain` as the file's own .gz has it, b"" for a file that brings none."""

    path: str
    media_type: str
    plain: bytes
    packed: bytes = b""

    @cached_property
    def gzipped(self) -> bytes:
        """The bytes of `plain`, gzipped when somebody first asks: no start waits for files that nobody may want."""
        return self.packed or gzip.compress(self.plain, 9, mtime=0)  # mtime=0: the same bytes on every node


@dataclass(frozen=True)
class Assets:
    """All static files by path ("js/app.js") and the hash of the whole tree, which stands in their addresses."""

    version: str
    files: dict[str, Asset]

    def url(self, path: str) -> str:
        """Return the address of `path`. Raises KeyError for a file that does not exist."""
        return f"/static/{self.version}/{self.files[path].path}"


def load_assets(folder: Path) -> Assets:
    """Read, shrink and hash every file below `folder`. About 10 ms for our tree; done once when the app is made."""
    files = {asset.path: asset for asset in (_load(folder, file) for file in _servable(folder))}
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.encode() + b"\0" + files[path].plain)
    return Assets(digest.hexdigest()[:12], files)


def _servable(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in TYPES)


def _load(folder: Path, file: Path) -> Asset:
    packed = file.with_name(file.name + ".gz")  # of a vendored file: squeezed harder than zlib can
    own = packed.read_bytes() if packed.is_file() else b""
    return Asset(file.relative_to(folder).as_posix(), TYPES[file.suffix], _shrink(file), own)


def _shrink(file: Path) -> bytes:
    content = file.read_bytes()
    if ".min." in file.name:
        return content
    if file.suffix == ".js":
        return str(rjsmin.jsmin(content.decode())).encode()
    if file.suffix == ".css":
        return str(rcssmin.cssmin(content.decode())).encode()
    return content
