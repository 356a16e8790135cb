"""`make demo`: a central node and a field node enrolled to it, in one process, with the starter forms."""

import secrets
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click
import httpx
import segno
import uvicorn
from fastapi import FastAPI

from collector import accounts, people
from collector.app import create_app
from collector.clock import iso_here, now_ms
from collector.db import reading, writing
from collector.demo_answers import put_demo_answers
from collector.demo_room import open_demo_room
from collector.publish.publishing import check_file
from collector.queries import nodes
from collector.queries.people import list_users
from collector.settings import Settings
from collector.web import is_free, lan_address
from sync.push import enrol

STARTER = Path(__file__).resolve().parent / "starter"
EXAMPLE = Path(__file__).resolve().parent / "ejemplo.md"  # with invented answers: demo_answers.py
FORMS = ("tarjeta.xlsx", "servicios.xlsx", "confianza.xlsx")  # the last published stands first
EMAIL = "lab@demo.local"
MAYOR = "alcaldia@demo.local"  # sees the page of San Miguelito alone
MUNICIPALITY = "0810"


@dataclass
class Running:
    """One node being served by its own thread."""

    app: FastAPI
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        """Ask the server to end and wait for it."""
        self.server.should_exit = True
        self.thread.join(timeout=10)


def run_demo(data: Path, host: str, port: int) -> None:
    """Serve both nodes until Ctrl-C. The first time it also makes a person, a PIN and a token, shown once."""
    for taken in (port, port + 1):
        if not is_free(host, taken):
            raise SystemExit(f"El puerto {taken} está ocupado. Pruebe: make demo PORT={port + 100}")
    central = _serve(Settings(data_dir=data / "central", name="Central", sync_seconds=0), host, port + 1)
    field = _serve(Settings(data_dir=data / "campo", name="Equipo de campo", sync_seconds=3), host, port)
    try:
        secret = _first_time(central, field, port)
        _tell(host, port, secret)
        while central.thread.is_alive() and field.thread.is_alive():
            time.sleep(0.2)
    except KeyboardInterrupt:
        click.echo("\nTerminando… / Stopping…")
    finally:
        field.stop()
        central.stop()
        click.echo("Listo. Los datos quedan en / Data stays in: " + str(data))


def _serve(settings: Settings, host: str, port: int) -> Running:
    app = create_app(settings)
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False)
    config.date_header = config.server_header = False  # as in `collector serve`
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name=settings.name)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    return Running(app, server, thread)


def _first_time(central: Running, field: Running, port: int) -> dict[str, str]:
    """Publish, enrol and make keys where that was not done before; return what is to be shown once."""
    held = {row.form_id for row in central.app.state.forms.current()}
    for path in (EXAMPLE, *(STARTER / name for name in FORMS)):
        if path.stem not in held:
            _publish(central, path)
    put_demo_answers(central.app)
    _enrol(central, field, port)
    field.app.state.sync_now()
    open_demo_room(field.app.state.rooms, date.fromisoformat(iso_here(now_ms())[:10]))
    with reading(central.app.state.engine) as session:
        if list_users(session):
            return {}
    secret = {"password": secrets.token_urlsafe(9), "pin": f"{secrets.randbelow(10**6):06d}"}
    with writing(central.app.state.engine) as session:
        people.add_user(session, EMAIL, secret["password"])
        accounts.put(session, MAYOR, secret["password"], "municipality", MUNICIPALITY)
        people.set_pin(session, secret["pin"])
        secret["token"] = people.make_token(session, "demo", purpose="demostración")
    with writing(field.app.state.engine) as session:
        people.set_pin(session, secret["pin"])
    return secret


def _publish(central: Running, path: Path) -> None:
    content = path.read_bytes()
    checked = check_file(path.name, content)
    if checked.form is None:
        raise SystemExit(checked.report.text("es"))
    central.app.state.forms.install(checked.xform, path.name, content)


def _enrol(central: Running, field: Running, port: int) -> None:
    url = f"http://127.0.0.1:{port + 1}"
    with writing(field.app.state.engine) as session:
        if nodes.get_upstream(session) is not None:
            nodes.change_upstream(session, url=url)  # the same central, perhaps on another port than last time
            return
    with writing(central.app.state.engine) as session:
        code = nodes.make_enrol_code(session, now_ms())
    with httpx.Client(timeout=10) as http:
        enrol(field.app.state.engine, http, url, code, "Equipo de campo")


def _tell(host: str, port: int, secret: dict[str, str]) -> None:
    address = lan_address() if host == "0.0.0.0" else host  # noqa: S104
    field, central = f"http://{address}:{port}", f"http://{address}:{port + 1}"
    click.echo(
        f"""
Collector está listo. / Collector is ready.

  Encuesta (teléfonos) / Survey (phones):       {field}/f/confianza
  Facilitación / Facilitator:                   {field}/equipo
  Sala de demostración / Demonstration room:    {field}/sala
  Laboratorio / Lab:                            {central}/lab
  Resultados para todos / Public results:       {central}/publico
"""
    )
    if secret:
        click.echo(
            f"""Claves, se muestran solo esta vez / Keys, shown only this once:
  Laboratorio / Lab:            {EMAIL}   {secret["password"]}
  Alcaldía / Mayor's office:    {MAYOR}   {secret["password"]}
  PIN de facilitación / PIN:    {secret["pin"]}
  Token:                        {secret["token"]}
  collector pull {central} --token {secret["token"]} --to lab.db
"""
        )
    else:
        click.echo(
            "Claves: las que se mostraron la primera vez. Otra contraseña / Keys as shown the first time. A new one:\n"
            f"  collector user add {EMAIL} --random --data data/demo/central\n"
        )
    if shutil.get_terminal_size().columns >= 60:
        click.echo("Teléfonos en la misma red, escaneen / Phones on the same network, scan:")
        segno.make(f"{field}/f/confianza", error="l", micro=False).terminal(compact=True)
    click.echo("Ctrl-C termina los dos equipos. / Ctrl-C ends both nodes.", nl=True)
    sys.stdout.flush()
