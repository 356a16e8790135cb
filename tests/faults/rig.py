"""A central as a real server in this process, tablets with stores of their own, and a line between that can fail."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from collector.clock import now_ms
from collector.db import reading, writing
from collector.queries import nodes
from collector.settings import Settings
from sync.push import enrol
from tests import conftest
from tests.faults.proxy import FaultProxy
from tests.sync.conftest import Node as Tablet

ALL_IDS = text("SELECT id FROM record UNION ALL SELECT id FROM quarantine")
__all__ = ["Rig", "Tablet", "new_rig"]


@dataclass
class Rig:
    """One central behind one line, and the tablets that send to it over that line."""

    folder: Path
    central: conftest.Node
    proxy: FaultProxy
    tablets: list[Tablet] = field(default_factory=list)

    def tablet(self) -> Tablet:
        """Enrol a new tablet over the line."""
        folder = self.folder / f"tableta-{len(self.tablets)}"
        folder.mkdir()
        made = Tablet(folder, folder.name, lambda _content: "", f"sqlite:///{folder / 'collector.db'}")
        self.tablets.append(made)
        with writing(self.central.app.state.engine) as session:
            code = nodes.make_enrol_code(session, now_ms())
        enrol(made.engine, made.http, self.proxy.url, code, made.name)
        return made

    def at_central(self) -> list[str]:
        """Return the ids that central holds, one for each copy."""
        with reading(self.central.app.state.engine) as session:
            return [row[0] for row in session.connection().execute(ALL_IDS)]


@contextmanager
def new_rig() -> Iterator[Rig]:
    """Start a central and a line to it; end all that was started."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        central = conftest.serve(Settings(data_dir=folder / "central", name="central", sync_seconds=0))
        rig = Rig(folder, central, FaultProxy(central.port))
        try:
            yield rig
        finally:
            rig.proxy.stop()
            for tablet in rig.tablets:
                tablet.close()
                tablet.http.close()
            central.stop()
