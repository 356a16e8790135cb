"""Every failure a client can meet: one row each, with a stable code, a status, a Spanish sentence and an English one.

Raise `ProblemError(PROBLEMS["code"], name=value, …)`; `app.py` turns it into a page or into problem+json (RFC 9457).
Sentences say what happened, with the value, and what to do. Placeholders are filled from the keyword values.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """code: stable name; status: HTTP status; es, en: sentences for people, with {placeholders}."""

    code: str
    status: int
    es: str
    en: str


class ProblemError(Exception):
    """A problem with its values. `str()` gives the English sentence, for logs."""

    def __init__(self, problem: Problem, **values: Any) -> None:
        self.problem = problem
        self.values = values
        super().__init__(self.sentence("en"))

    def sentence(self, lang: str) -> str:
        """Return the sentence for people in `lang` ("en", anything else is Spanish)."""
        return (self.problem.en if lang == "en" else self.problem.es).format(**self.values)

    def as_json(self) -> dict[str, Any]:
        """Return the RFC 9457 body, with our `code` and the values."""
        return {
            "type": f"urn:collector:problem:{self.problem.code}",
            "code": self.problem.code,
            "status": self.problem.status,
            "title": self.sentence("es"),
            "detail": self.sentence("en"),
            **{key: value for key, value in self.values.items() if isinstance(value, str | int | float | list)},
        }


def _catalogue(*rows: tuple[str, int, str, str]) -> dict[str, Problem]:
    return {code: Problem(code, status, es, en) for code, status, es, en in rows}


PROBLEMS = _catalogue(
    # --- pages
    ("not_found", 404, "Aquí no hay nada con la dirección {path}. Revise el enlace o vuelva al inicio.",
     "Nothing at {path}. Check the link or go back to the start."),
    ("form_not_found", 404, "El formulario «{form}» no está en este equipo. Pida a la facilitadora el enlace correcto.",
     "Form \"{form}\" is not on this node. Ask for the right link."),
    ("method_not_allowed", 405, "Esta dirección no acepta {method}. Vuelva atrás e intente otra vez.",
     "This address does not take {method}."),
    ("bad_request", 400, "No se entendió lo que llegó: {reason}. Nada cambió.",
     "The request could not be read: {reason}. Nothing changed."),
    ("other_origin", 403,
     "Este envío viene de otra página ({origin}) y no se aceptó. Abra el formulario desde su enlace.",
     "A post from another origin ({origin}) was refused. Open the form from its own link."),
    ("login_needed", 401, "Entre con su correo y su contraseña para ver esta página.", "Sign in to see this page."),
    ("login_failed", 401, "El correo o la contraseña no coinciden. Intente otra vez.",
     "The address or the password does not match. Try again."),
    ("pin_failed", 401, "Ese PIN no es. Intente otra vez.", "That PIN is not right. Try again."),
    ("too_many_tries", 429, "Hubo muchos intentos. Espere {seconds} segundos e intente otra vez.",
     "Too many tries. Wait {seconds} seconds."),
    ("record_not_found", 404, "El registro {id} no está en este equipo.", "Record {id} is not on this node."),
    ("server_error", 500, "Algo falló de nuestro lado. Si se repite, diga este número: {number}.",
     "Something failed on our side. Quote {number}."),
    # --- sizes
    ("too_large", 413, "Lo enviado pesa {size} y el límite es {limit}. Nada cambió; envíe menos de una vez.",
     "The request is {size} bytes, the limit is {limit}. Nothing changed; send less at once."),
    ("disk_full", 507,
     "No hay espacio en este equipo. La respuesta NO se guardó aquí; libere espacio e intente otra vez.",
     "No space left on this node. Nothing was stored; free some space and try again."),
    ("store_busy", 503, "El equipo está ocupado guardando. Intente otra vez en unos segundos; no se perdió nada.",
     "The store is busy. Try again in a few seconds; nothing was lost."),
    # --- store
    ("newer_database", 500,
     "La base de datos es de una versión más nueva ({found}); este programa conoce hasta la {known}. "
     "Actualice Collector; no se tocó nada.",
     "The database has schema {found}; this release knows {known}. Upgrade Collector; nothing was touched."),
    # --- pull
    ("pull_file_unusable", 400,
     "No se puede usar el archivo {path}: {reason}. Elija otro nombre; no se cambió nada.",
     "Cannot use the file {path}: {reason}. Choose another name; nothing was changed."),
    # --- publish
    ("file_not_found", 400, "No existe el archivo {path}. Revise el nombre.", "No file {path}."),
    # --- sync (sync-storage.md)
    ("bad_gzip", 400, "El envío llegó dañado (gzip). No se guardó nada; se puede repetir.",
     "The gzip stream is damaged. Nothing kept; send again."),
    ("bad_line", 400, "El envío llegó dañado en la línea {line}. No se guardó nada; se puede repetir.",
     "Line {line} is not a JSON object of this protocol: {reason}. Nothing kept; send again."),
    ("digest_mismatch", 400, "El envío llegó distinto de como salió. No se guardó nada; se puede repetir.",
     "The sha256 of the lines is {found}, the header says {said}. Nothing kept; send again."),
    ("unknown_node", 401, "Este equipo no está inscrito aquí. Inscríbalo con un código nuevo.",
     "Unknown node token. Enrol with a new code."),
    ("revoked", 403, "Este equipo fue dado de baja. Hable con el laboratorio.", "This node was revoked."),
    ("code_invalid", 403, "El código {enrol_code} no sirve: ya se usó, venció o está mal escrito. Pida otro.",
     "Enrolment code {enrol_code} is not valid: used, expired or mistyped. Ask for another."),
    ("cursor_gap", 409, "Falta una parte del registro antes del {after}. Se enviará desde el {cursor}.",
     "The batch starts after {after} but this receiver has {cursor}. Send from there."),
    ("unsupported_type", 415, "No se acepta el tipo {media_type}. Envíe {wanted}.",
     "Content type {media_type} is not taken; send {wanted}."),
    ("blob_unknown", 404, "Ninguna respuesta guardada aquí nombra este archivo con este tamaño.",
     "No record here names the file {sha256} with {size} bytes. Send its record first."),
    ("blob_offset", 409, "De este archivo hay aquí {have} bytes. Se enviará desde ahí.",
     "The piece begins at {at}, this receiver has {have} bytes of {sha256}. Send from there."),
    ("chunk_digest", 422, "Un pedazo del archivo llegó distinto de como salió. No se guardó; se puede repetir.",
     "The sha256 of the piece is not the one in Content-Digest. Nothing kept; send it again."),
    ("blob_digest", 422, "El archivo llegó completo pero distinto de como salió. Se descartó; se puede repetir.",
     "The whole is here and its sha256 is not {sha256}. Thrown away; send it from the start."),
    ("file_not_here", 404, "El archivo todavía no llegó a este equipo.", "The file {sha256} is not whole here."),
    ("loop", 508,
     "El envío ya pasó por este equipo: la cadena de equipos da una vuelta. Revise a quién envía cada uno.",
     "This batch has been through this node: the chain of nodes is a loop."),
    ("upstream_unreachable", 502, "No hay señal con {url}. Es normal en el campo; se intentará otra vez solo.",
     "Cannot reach {url}: {reason}. It will be tried again."),
    ("upstream_strange", 502,
     "Lo que contestó {url} no es de Collector (¿portal del Wi-Fi?). No se dio nada por enviado.",
     "The answer of {url} is not ours (captive portal?): {reason}. Nothing counted as sent."),
    ("too_many_records", 413, "Lo enviado trae {count} registros y el límite es {limit}. Nada cambió; envíe menos.",
     "{count} records at once, the limit is {limit}. Nothing changed; send fewer."),
    ("upstream_busy", 502, "{url} no pudo recibir por ahora. Se intentará otra vez solo; no se perdió nada.",
     "{url} cannot receive at the moment: {reason}. It will be tried again; nothing was lost."),
    ("upstream_unknown", 502, "{url} ya no reconoce este equipo. Inscríbalo con un código nuevo; no se perdió nada.",
     "{url} does not know this node any more: {reason}. Enrol it with a new code; nothing was lost."),
    ("upstream_refused", 502, "{url} no aceptó el envío. Lo guardado sigue aquí; avise al laboratorio.",
     "{url} refused the batch: {reason}. Everything is still stored here; tell the lab."),
    ("no_upstream", 409, "Este equipo no envía a ningún otro. Inscríbalo: collector enrol URL CÓDIGO.",
     "This node has no upstream. Enrol it: collector enrol URL CODE."),
    ("token_invalid", 401, "El token no sirve o fue retirado. Pida otro al laboratorio.",
     "The token is not valid or was withdrawn. Ask the lab for another."),
    ("feed_changed", 410, "La central fue restaurada; empiece de nuevo desde cero.",
     "The epoch changed ({epoch}); start again from 0."),
)  # fmt: skip
