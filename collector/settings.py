"""Settings of one node, from the environment or from the caller; nothing else in the program reads the environment."""

import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What a node is told from outside.

    data_dir: folder of everything the node keeps; database_url: SQLAlchemy URL, default `data_dir/collector.db`;
    name: what people call this node; public_url: address for QR codes when it differs from the request's;
    sync_seconds: pause between pushes when there is nothing new (0 = no background push);
    secure_cookies: set Secure on login cookies (behind https).
    """

    data_dir: Path = field(default_factory=lambda: Path("data"))
    database_url: str = ""
    name: str = ""
    public_url: str = ""
    sync_seconds: float = 15.0
    secure_cookies: bool = False

    @property
    def url(self) -> str:
        """Return the database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'collector.db'}"


class SettingError(ValueError):
    """A setting that cannot be read; the sentence says which."""


def settings_from_environment(data_dir: Path | None = None) -> Settings:
    """Read COLLECTOR_* variables; `data_dir` wins over COLLECTOR_DATA."""
    env = os.environ
    return Settings(
        data_dir=data_dir or Path(env.get("COLLECTOR_DATA", "data")),
        database_url=env.get("COLLECTOR_DATABASE_URL", ""),
        name=env.get("COLLECTOR_NAME", ""),
        public_url=env.get("COLLECTOR_PUBLIC_URL", "").rstrip("/"),
        sync_seconds=_seconds(env.get("COLLECTOR_SYNC_SECONDS", "15")),
        secure_cookies=env.get("COLLECTOR_SECURE_COOKIES", "") == "1",
    )


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SettingError(f"COLLECTOR_SYNC_SECONDS es «{text}» y tiene que ser un número de segundos.") from error
