"""How this node stands, for people and programs: its answers and their files, each in the three steps of their way."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from collector.queries.nodes import NodeStatus, node_status
from collector.queries.waiting import FileCounts, file_counts


@dataclass(frozen=True)
class WholeStatus:
    """node: what is known without files; files: how far these have come."""

    node: NodeStatus
    files: FileCounts

    @property
    def waiting(self) -> int:
        """Return how many answers and files central is not known to have."""
        counts, files = self.node.counts, self.files
        return counts.saved + counts.sent + files.saved + files.sent

    def as_json(self) -> dict[str, Any]:
        """Return the status for programs; the keys are stable."""
        files = self.files
        return {
            **self.node.as_json(),
            "files": {
                "guardado": files.saved,
                "enviado": files.sent,
                "recibido_en_central": files.central,
                "total": files.total,
                "incompleto": files.incomplete,
            },
        }

    def lines(self) -> list[str]:
        """Return the status as the command says it."""
        node, counts, files = self.node, self.node.counts, self.files
        said = self.as_json()
        trouble = [f"Último problema: {node.error_es}"] if node.error_code else []
        incomplete = [f"Archivos que no han llegado completos a este equipo: {files.incomplete}"]
        return [
            f"Guardado solo aquí: {_both(counts.saved, files.saved)}",
            f"Enviado: {_both(counts.sent, files.sent)}",
            f"Recibido en central: {_both(counts.central, files.central)}",
            *(incomplete if files.incomplete else []),
            f"En revisión: {counts.quarantined}",
            f"Último contacto: {said['last_contact'] or ('es central' if node.is_central else 'todavía no')}",
            *trouble,
        ]


def _both(records: int, files: int) -> str:
    return f"{records} (y {files} archivos)" if files else str(records)


def whole_status(session: Session) -> WholeStatus:
    """Return how this node stands."""
    return WholeStatus(node_status(session), file_counts(session))
