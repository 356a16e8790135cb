"""Commands about this node's place in the fleet. `main.py` adds them: `add_fleet_commands(cli)`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.opening import DATA
from collector.db import open_engine, prepare_store
from collector.problems import PROBLEMS, ProblemError
from collector.settings import Settings, settings_from_environment

if TYPE_CHECKING:
    from collector.fleet.wiping import WipeReport

REASONS = {
    "not_sent": "sin enviar",
    "sent": "enviada, sin recibo de central",
    "lost": "central la tuvo y ya no la tiene",
    "apart": "en cuarentena, sin llegar a central",
    "file_missing": "archivo que central no tiene",
    "incomplete": "archivo incompleto aquí, y central no lo tiene",
    "unnamed": "archivo que ninguna respuesta nombra todavía",
}


def add_fleet_commands(group: click.Group) -> None:
    """Add `safe-to-wipe` to the command line."""
    group.add_command(safe_to_wipe)


@click.command("safe-to-wipe")
@DATA
@click.option("--json", "as_json", is_flag=True, help="El informe como JSON.")
def safe_to_wipe(data: Path | None, as_json: bool) -> None:
    """Pregunta a central, registro por registro, si este equipo se puede vaciar. No borra nada.

    Sale con 0 solo si central confirmó todo ahora mismo.
    """
    from collector.fleet.wiping import check_wipe
    from sync.line import open_line

    settings = settings_from_environment(data)
    _need_store(settings)
    engine = open_engine(settings.url)
    prepare_store(engine)
    with open_line() as http:
        report = check_wipe(engine, http)
    engine.dispose()
    click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2) if as_json else _told(report))
    raise SystemExit(0 if report.is_proven else 1)


def _need_store(settings: Settings) -> None:
    """Refuse a folder without a store: a mistyped one must not pass for an empty device."""
    file = settings.data_dir / "collector.db"
    if not settings.database_url and not file.is_file():
        raise ProblemError(PROBLEMS["store_not_found"], path=str(file))


def _told(report: "WipeReport") -> str:
    asked = f"Preguntado a {report.upstream}: {report.entries} registros y {report.files} archivos."
    drafts = "No se cuenta lo que esté sin enviar en los navegadores de los teléfonos."
    if report.is_proven:
        return f"{asked}\nSe puede vaciar: central confirmó todo. {drafts}"
    lines = [asked, "TODAVÍA NO se puede vaciar."]
    if report.is_moving:
        lines.append("Mientras se preguntaba llegó algo nuevo; pregunte otra vez.")
    lines += [f"  {count}: {REASONS[why]}" for why, count in report.reasons.items()]
    lines += [f"{it.entry.id}  {it.entry.form or '-'}  {REASONS[it.why]}" for it in report.listed]
    lines += [f"{it.file.sha256}  {it.file.name or '-'}  {REASONS[it.why]}" for it in report.listed_files]
    lines += [f"y {report.more} más"] if report.more > 0 else []
    lines += [
        "Envíe (collector sync), espere a que el equipo de arriba hable con central y pregunte otra vez.",
        drafts,
    ]
    return "\n".join(lines)
