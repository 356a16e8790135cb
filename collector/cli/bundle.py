"""Commands for bundles: what waits here, carried in a file when there is no line (docs/bundles.md)."""

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from collector.cli.opening import DATA, open_store
from collector.clock import now_ms
from collector.problems import PROBLEMS, ProblemError

if TYPE_CHECKING:
    from sync.bundle_import import Imported
    from sync.bundle_receipts import Cleared
    from sync.carried import Taken
    from sync.rescue import Rescued

FILE = click.argument("file", type=click.Path(path_type=Path))
ENDING = ".recibo.json"


@click.group()
def bundle() -> None:
    """Paquetes: llevar respuestas en un archivo cuando no hay señal."""


@bundle.command("export")
@FILE
@click.option("--to", "recipient", default="", help="Llave de quien lo va a abrir (age1…); sin esto, la de central.")
@click.option("--passphrase", "ask", is_flag=True, help="Cerrarlo con una clave, que se pide.")
@click.option("--all", "everything", is_flag=True, help="Todo, también lo que central ya tiene.")
@DATA
def export(file: Path, recipient: str, ask: bool, everything: bool, data: Path | None) -> None:
    """Escribe en FILE lo que central todavía no tiene."""
    from sync.bundles import export_bundle, lock_for

    engine = open_store(data)
    passphrase = click.prompt("Clave", hide_input=True, confirmation_prompt=True) if ask else ""
    written = export_bundle(engine, file, lock_for(engine, recipient, passphrase), now_ms(), everything)
    click.echo(f"Paquete {file}: {written.records} registros y {written.files} archivos, {written.bytes:,} bytes.")
    if written.left_records:
        click.echo(f"No cupieron {written.left_records} registros. Haga otro paquete cuando llegue el recibo de este.")
    if written.left_files:
        click.echo(f"No cupieron {written.left_files} fotos o archivos. Suben con señal, o en otro paquete.")
    click.echo("Llévelo a central. Lo de aquí no se borra; el recibo que den allá se trae a este equipo.")


@bundle.command("import")
@FILE
@click.option("--passphrase", "ask", is_flag=True, help="Pedir la clave (se pide también si el archivo la necesita).")
@DATA
def import_file(file: Path, ask: bool, data: Path | None) -> None:
    """Trae un paquete, o las respuestas que un teléfono guardó en un archivo."""
    from collector.form_store import FormStore
    from collector.submissions import notices_of
    from sync.bundle_import import needs_passphrase
    from sync.carried import take_file

    engine = open_store(data)
    forms = FormStore(engine)
    with _opened(file) as content:
        passphrase = click.prompt("Clave", hide_input=True) if ask or needs_passphrase(content) else ""
        _say(take_file(engine, content, now_ms(), lambda record: notices_of(forms, engine, record), passphrase), file)


@bundle.command("receipt")
@FILE
@DATA
def receipt(file: Path, data: Path | None) -> None:
    """Trae el recibo de un paquete que salió de este equipo."""
    from sync.bundle_receipts import MAX_RECEIPT_BYTES, take_receipt

    engine = open_store(data)
    with _opened(file) as content:
        _say(take_receipt(engine, content.read(MAX_RECEIPT_BYTES), now_ms()), file)


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise ProblemError(PROBLEMS["file_not_found"], path=str(file)) from error


def _say(taken: "Taken", file: Path) -> None:
    """Say what became of a file; leave the receipt of a bundle beside it."""
    from sync.bundle_import import Imported
    from sync.rescue import Rescued

    if isinstance(taken, Imported):
        _say_bundle(taken, file)
    elif isinstance(taken, Rescued):
        _say_rescued(taken)
    else:
        _say_cleared(taken)


def _say_bundle(taken: "Imported", file: Path) -> None:
    known = "" if taken.is_known else " (no está inscrito aquí)"
    click.echo(f"Paquete de {taken.name or taken.node}{known}.")
    _say_counts(taken.stored, taken.duplicate, taken.quarantined)
    if taken.is_revoked:
        click.echo("Ese equipo está dado de baja: lo suyo queda en revisión.")
    if taken.files:
        click.echo(f"Fotos y archivos completos: {len(taken.files)}.")
    if taken.missing:
        click.echo(f"Fotos y archivos que todavía faltan: {len(taken.missing)}.")
    if taken.receipt is not None:
        place = file.with_name(file.name + ENDING)
        _write_receipt(place, taken.receipt)
        click.echo(f"Recibo para el equipo que lo hizo: {place}")


def _write_receipt(place: Path, receipt: dict[str, Any]) -> None:
    from sync.bundle_receipts import write_receipt

    try:
        place.write_bytes(write_receipt(receipt))
    except OSError as error:
        raise ProblemError(PROBLEMS["bundle_no_receipt"], path=str(place), reason=error.strerror) from error


def _say_rescued(taken: "Rescued") -> None:
    click.echo("Respuestas guardadas en un teléfono.")
    _say_counts(taken.stored, taken.duplicate, taken.quarantined)
    if taken.files:
        click.echo(f"Fotos y archivos completos: {taken.files}.")
    if taken.unnamed:
        click.echo(f"Archivos que ninguna respuesta de aquí nombra, y no se tomaron: {taken.unnamed}.")
    if taken.damaged:
        lines = ", ".join(map(str, taken.damaged[:10]))
        click.echo(f"Líneas dañadas que no se pudieron leer: {len(taken.damaged)} ({lines}). Lo demás se tomó.")


def _say_counts(stored: int, duplicate: int, quarantined: int) -> None:
    click.echo(f"Nuevos: {stored}. Ya estaban: {duplicate}. En revisión: {quarantined}.")


def _say_cleared(taken: "Cleared") -> None:
    if taken.is_central:
        click.echo(f"Central recibió {taken.records} registros y {taken.files} archivos de este paquete.")
    else:
        click.echo(f"El equipo {taken.node} tiene {taken.records} registros de este paquete; falta central.")
    if taken.missing:
        click.echo(f"Fotos y archivos que todavía faltan allá: {taken.missing}.")
