"""Commands. Each opens the store it needs, says in Spanish what happened, and exits 1 with a clear sentence if not."""

import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from collector import __version__
from collector.cli.bundle import bundle
from collector.cli.fleet import add_fleet_commands
from collector.cli.opening import DATA, open_store
from collector.cli.people import add_people_commands
from collector.cli.store import add_store_commands
from collector.clock import now_ms
from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import store
from collector.settings import SettingError, settings_from_environment

if TYPE_CHECKING:
    from collector.publish.publishing import Checked


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="collector")
def cli() -> None:
    """Collector: encuestas y grupos focales que no se pierden, con o sin internet."""


def main() -> None:
    """Run the command line; a known problem is a sentence, not a traceback."""
    gc.enable()
    try:
        cli()
    except ProblemError as error:
        _stop(error.sentence("es"))
    except SettingError as error:
        _stop(str(error))
    except DatabaseError as error:
        _stop(f"No se puede usar la base de datos: {error.orig}. No se cambió nada; revise la carpeta de --data.")
    except OSError as error:
        _stop(f"No se puede usar {error.filename or 'ese archivo o carpeta'}: {error.strerror}. Revise --data.")


@cli.command()
@DATA
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 para que entren otros teléfonos.")
@click.option("--port", default=8000, show_default=True)
def serve(data: Path | None, host: str, port: int) -> None:
    """Abre este equipo a los navegadores."""
    gc.disable()  # as in `start`
    import uvicorn

    from collector.app import create_app
    from collector.web import is_free

    if not is_free(host, port):
        _stop(f"El puerto {port} está ocupado. Elija otro con --port.")
    app = create_app(settings_from_environment(data))
    click.echo(f"Collector en http://{host}:{port}  (Ctrl-C para terminar)")
    # what stands now stays until the end: not looked through again, a sixth of a batch's time. Nor before it is set
    # aside: the rubbish of a start is a few hundred objects, and finding them a twelfth of its time
    gc.freeze()
    gc.enable()
    # no Date: one that is wrong by a week would make kept pages old at once, and phones could not reopen them
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        ws="none",
    )


@cli.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("data/demo"), show_default=True)
@click.option("--host", default="0.0.0.0", show_default=True, help="127.0.0.1 si nadie más debe entrar.")  # noqa: S104
@click.option("--port", default=8000, show_default=True, help="Puerto del equipo de campo; central usa el siguiente.")
def demo(data: Path, host: str, port: int) -> None:
    """Prueba todo en esta computadora: una central y un equipo de campo con tres encuestas."""
    from collector.demo import run_demo

    run_demo(data, host, port)


# --- forms


@cli.group()
def form() -> None:
    """Formularios XLSForm: revisar y publicar."""


FORM_FILE = click.argument("file", type=click.Path(path_type=Path))
FORM_MEDIA = click.option(
    "--media",
    "media",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Archivo adjunto, o carpeta con ellos; se puede repetir. Los que están junto al formulario se toman solos.",
)


@form.command("check")
@FORM_FILE
@FORM_MEDIA
@click.option("--json", "as_json", is_flag=True, help="El informe como JSON.")
def check_form(file: Path, media: tuple[Path, ...], as_json: bool) -> None:
    """Revisa un formulario y dice todo lo que hay que arreglar. No cambia nada."""
    report = _checked(file, media).report
    click.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2) if as_json else report.text("es"))
    raise SystemExit(0 if report.is_publishable else 1)


@form.command("publish")
@FORM_FILE
@FORM_MEDIA
@DATA
def publish_form(file: Path, media: tuple[Path, ...], data: Path | None) -> None:
    """Publica un formulario en este equipo; de aquí baja a los equipos que le envían."""
    from collector.form_store import FormStore, VersionTaken
    from collector.repair.rechecking import installer

    checked = _checked(file, media)
    click.echo(checked.report.text("es"))
    if checked.form is None:
        _stop("No se publicó: arregle los errores y publique otra vez. Nada cambió.")
    engine = open_store(data)
    name = f"{checked.form.form_id}, versión {checked.form.version}"
    try:
        is_new = installer(FormStore(engine), engine)(checked.xform, file.name, file.read_bytes(), checked.files)
    except VersionTaken:
        _stop(f"Ya hay otro contenido publicado como {name}. Cambie «version» del formulario y publique otra vez.")
    click.echo(f"Publicado: {name}. Página: /f/{checked.form.form_id}" if is_new else f"Ya estaba publicado: {name}.")


def _checked(file: Path, media: tuple[Path, ...]) -> "Checked":
    from collector.publish.publishing import check_path, files_in

    try:
        return check_path(file, media=files_in(media))
    except OSError as error:
        raise ProblemError(PROBLEMS["file_not_found"], path=error.filename or str(file)) from error


def _stop(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    raise SystemExit(1)


# --- nodes


@cli.command("enrol-code")
@DATA
def enrol_code(data: Path | None) -> None:
    """Da un código de un solo uso (15 minutos) para que otro equipo envíe a este."""
    from collector.queries import nodes

    with writing(open_store(data)) as session:
        code = nodes.make_enrol_code(session, now_ms())
    click.echo(f"Código: {code}\nEn el otro equipo: collector enrol DIRECCIÓN {code}")


@cli.command()
@click.argument("url")
@click.argument("code")
@click.option("--name", default="", help="Cómo se llama este equipo.")
@DATA
def enrol(url: str, code: str, name: str, data: Path | None) -> None:
    """Inscribe este equipo para que envíe a URL."""
    from sync.address import whole_address
    from sync.line import open_line
    from sync.push import enrol as enrol_node

    address = whole_address(url.strip())
    engine = open_store(data)
    with open_line(20) as http:
        enrol_node(engine, http, address, code, name)
    if name:
        with writing(engine) as session:
            store.set_fact(session, "name", name)
    click.echo(f"Inscrito en {address}.")


@cli.command("sync")
@DATA
def sync_now(data: Path | None) -> None:
    """Envía ahora lo que espera y trae formularios nuevos."""
    from collector.form_store import FormStore
    from collector.repair.rechecking import installer
    from sync.line import open_line
    from sync.push import sync_once

    engine = open_store(data)
    with open_line(30) as http:
        result = sync_once(engine, http, now_ms(), installer(FormStore(engine), engine))
        sent, files, forms = result.sent, result.files, result.forms
        while result.has_more and not result.error:
            result = sync_once(engine, http, now_ms(), installer(FormStore(engine), engine))
            sent, files, forms = sent + result.sent, files + result.files, forms + result.forms
    click.echo(f"Enviados: {sent}. Archivos enviados: {files}. Formularios nuevos: {forms}.")
    _print_status(engine)
    if result.error:
        raise SystemExit(1)


@cli.command()
@DATA
@click.option("--json", "as_json", is_flag=True)
def status(data: Path | None, as_json: bool) -> None:
    """Dice cuántas respuestas y archivos están guardados, enviados y recibidos en central."""
    from collector.fleet.status import whole_status

    engine = open_store(data)
    if not as_json:
        _print_status(engine)
        return
    with reading(engine) as session:
        click.echo(json.dumps(whole_status(session).as_json(), ensure_ascii=False, indent=2))


def _print_status(engine: Engine) -> None:
    from collector.fleet.status import whole_status

    with reading(engine) as session:
        click.echo("\n".join(whole_status(session).lines()))


# --- pull


@cli.command()
@click.argument("url")
@click.option("--token", required=True, help="El que dio «collector token add».")
@click.option(
    "--to", "to", type=click.Path(path_type=Path), required=True, help="Archivo SQLite que se mantiene al día."
)
@click.option("--purpose", default="", help="Para qué son los datos, si el token no lo dice: queda en la auditoría.")
@click.option("--datasette", is_flag=True, help="Escribe al lado datasette-metadata.json: títulos y preguntas.")
def pull(url: str, token: str, to: Path, purpose: str, datasette: bool) -> None:
    """Mantiene al día un archivo SQLite local con lo que central tiene."""
    from collector.pull.client import pull as pull_data
    from collector.pull.datasette import write_metadata

    with click.progressbar(length=1, label="Trayendo registros") as bar:

        def progress(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        result = pull_data(url, token, to, progress, purpose=purpose)
    click.echo(f"{result.records} registros nuevos en {to}.")
    if datasette:
        click.echo(f"Para Datasette: datasette {to} --metadata {write_metadata(to)}")


cli.add_command(bundle)
add_fleet_commands(cli)
add_people_commands(cli)
add_store_commands(cli)
