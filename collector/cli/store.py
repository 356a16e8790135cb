"""Commands for copies of the store. `main.py` adds them: `add_store_commands(cli)`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.opening import DATA
from collector.settings import settings_from_environment

if TYPE_CHECKING:
    from collector.queries.copies import Holding


def add_store_commands(group: click.Group) -> None:
    """Add `backup` and `restore` to the command line."""
    group.add_command(backup_store)
    group.add_command(restore_store)


@click.command("backup")
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Reemplaza DEST si ya existe.")
@DATA
def backup_store(dest: Path, force: bool, data: Path | None) -> None:
    """Copia todo a DEST (archivo o carpeta), con el servidor abierto o cerrado, y prueba que la copia sirve."""
    from collector.backups.backup import backup

    path, held = backup(settings_from_environment(data), dest, force)
    click.echo(f"Copia hecha y probada: {path}\n{_told(held)}")
    click.echo("Guárdela en otro disco. Tiene los datos de las personas: que sólo la abra quien debe.")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@DATA
def restore_store(file: Path, data: Path | None) -> None:
    """Pone una copia en lugar de los datos de este equipo. Lo que había queda al lado, con otro nombre."""
    from collector.backups.backup import restore

    aside, held = restore(settings_from_environment(data), file)
    click.echo(f"Restaurado de {file}\n{_told(held)}")
    if aside is not None:
        click.echo(f"Lo que había quedó en {aside}")
    click.echo("Este equipo enviará todo otra vez; lo que ya está arriba se reconoce y no se duplica.")


def _told(held: "Holding") -> str:
    return (
        f"Registros: {held.records}. En revisión: {held.quarantined}. "
        f"Formularios: {held.forms}. Archivos de respuestas: {held.files}."
    )
