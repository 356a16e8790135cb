"""Commands for people and keys: accounts of the lab, the facilitators' PIN, tokens for programs.

Whoever can run them holds the store itself. What they do to accounts and tokens stands in the audit as "consola".
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.opening import DATA, open_store
from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.rights import ROLES, SCOPES

if TYPE_CHECKING:
    from sqlmodel import Session

CONSOLE = "consola"
PURPOSE = click.option("--purpose", default="", help="Para qué; queda en la auditoría.")
DAY_MS = 24 * 60 * 60 * 1000
MOST_DAYS = 3650


def add_people_commands(cli: click.Group) -> None:
    """Add `user`, `pin` and `token`."""
    for group in (user, pin, token):
        cli.add_command(group)


def _note(session: "Session", action: str, subject: str, purpose: str, count: int = 0, **detail: Any) -> None:
    from collector.queries.audit import Done, add_entry
    from sync.records import uuid7

    add_entry(session, Done(CONSOLE, "admin", action, subject, purpose, count), uuid7(), now_ms(), **detail)


# --- accounts


@click.group()
def user() -> None:
    """Personas del laboratorio."""


@user.command("add")
@click.argument("email")
@click.option("--password", default="", help="Sin esto se pide, o se inventa con --random.")
@click.option("--random", "invent", is_flag=True, help="Inventa una contraseña y la muestra una vez.")
@click.option("--role", type=click.Choice(ROLES), default=None, help="Qué puede hacer; una cuenta nueva administra.")
@click.option("--municipality", default="", help="Código del municipio, con --role municipality.")
@PURPOSE
@DATA
def add_user(
    email: str, password: str, invent: bool, role: str | None, municipality: str, purpose: str, data: Path | None
) -> None:
    """Agrega una persona, o le cambia la contraseña y, con --role, el papel."""
    from collector import accounts

    secret = password or (accounts.one_time_password() if invent else "")
    secret = secret or click.prompt("Contraseña", hide_input=True, confirmation_prompt=True)
    with writing(open_store(data)) as session:
        address, before = accounts.put(session, email, secret, role, municipality)
        what = "password" if before else "added"
        _note(session, "account", address, purpose, what=what, before=before, role=role or before or "admin")
    click.echo(f"Listo: {email}" + (f"  contraseña: {secret}" if invent else ""))


@user.command("list")
@DATA
def list_users(data: Path | None) -> None:
    """Dice quién tiene cuenta, con qué papel, y si está abierta."""
    from collector.queries import people as people_queries

    with reading(open_store(data)) as session:
        for each in people_queries.all_users(session):
            place = f" {each.municipality}" if each.municipality else ""
            click.echo(f"{each.email}  {each.role}{place}  {'cerrada' if each.closed_ms else 'abierta'}")


# --- the PIN


@click.group()
def pin() -> None:
    """PIN de facilitación de este equipo."""


@pin.command("set")
@click.argument("digits", required=False)
@DATA
def set_pin(digits: str | None, data: Path | None) -> None:
    """Pone el PIN que abre las páginas de facilitación."""
    from collector import people

    chosen = digits or click.prompt("PIN", hide_input=True, confirmation_prompt=True)
    with writing(open_store(data)) as session:
        people.set_pin(session, chosen)
    click.echo("Listo. Las páginas de facilitación están en /equipo")


# --- tokens


@click.group()
def token() -> None:
    """Tokens para traer datos (collector pull)."""


@token.command("add")
@click.argument("name")
@click.option(
    "--scope", type=click.Choice(tuple(SCOPES)), default="identifiers", show_default=True,
    help="aggregates: solo cuentas; records: respuestas sin quién las dio; identifiers: respuestas completas.",
)  # fmt: skip
@click.option("--days", type=click.IntRange(0, MOST_DAYS), default=0, help="Cuántos días sirve; 0 no vence.")
@click.option("--form", "forms", multiple=True, help="Solo este formulario; se puede repetir.")
@PURPOSE
@DATA
def add_token(name: str, scope: str, days: int, forms: tuple[str, ...], purpose: str, data: Path | None) -> None:
    """Hace un token y lo muestra una sola vez."""
    from collector import people

    expires_ms = now_ms() + days * DAY_MS if days else 0
    with writing(open_store(data)) as session:
        made = people.make_token(
            session, name, scope, forms=forms, expires_ms=expires_ms, purpose=purpose or name, made_by=CONSOLE
        )
        _note(session, "token", name, purpose, what="made", scope=scope, forms=sorted(forms))
    click.echo(made)


@token.command("list")
@DATA
def list_tokens(data: Path | None) -> None:
    """Dice qué tokens hay, qué pueden leer, hasta cuándo, y cuándo se usaron."""
    from collector import people
    from collector.queries import people as people_queries

    with reading(open_store(data)) as session:
        for each in people_queries.list_tokens(session):
            until = f"hasta {iso(each.expires_ms)}" if each.expires_ms else "no vence"
            used = f"usado {iso(each.used_ms)}" if each.used_ms else "sin usar"
            forms = ",".join(people.forms_of(each)) or "todos"
            click.echo(f"{each.name}  {each.scope}  {forms}  {until}  {used}  {each.purpose}".rstrip())


@token.command("drop")
@click.argument("name")
@PURPOSE
@DATA
def drop_token(name: str, purpose: str, data: Path | None) -> None:
    """Retira los tokens de ese nombre: desde ahora no sirven."""
    from collector import people

    with writing(open_store(data)) as session:
        count = people.drop_tokens(session, name)
        _note(session, "token", name, purpose, count, what="withdrawn")
    click.echo(f"Retirados: {count}. Quien los usaba necesita otro.")
