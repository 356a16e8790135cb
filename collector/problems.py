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
    ("handover_not_found", 404,
     "Aquí no hay nada guardado con ese código. Revise el código, o si ya se retomó en otro equipo.",
     "Nothing is kept here under that code. Check the code, or whether another device took it up already."),
    ("handover_missing", 409, "Faltan partes de lo que iba a guardar: {missing}. Envíelas otra vez.",
     "Parts of the package are missing or damaged: {missing}. Send them again."),
    ("handover_whole", 409, "Ese paquete ya está completo y no se cambia. Haga otro.",
     "That package is whole and does not change. Make another one."),
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
    ("receipt_code_mistyped", 422,
     "El código {typed} no está bien escrito: son 12 letras o números y uno más, como 7K2M-94QD-X8TB-4. Revíselo.",
     "The code {typed} is mistyped: it has 12 letters or digits and one more, as in 7K2M-94QD-X8TB-4. Check it."),
    ("receipt_code_unknown", 404,
     "En este equipo no hay nada con el código {typed}. Puede estar en otro equipo, o estar ya borrado.",
     "Nothing here has the code {typed}. It may be on another node, or be erased already."),
    ("nothing_chosen", 422, "No eligió ningún registro. Marque al menos uno; nada cambió.",
     "No record was chosen. Tick at least one; nothing changed."),
    ("form_needed", 422, "Para usar {count} de estos registros hace falta decir de qué formulario son. Nada cambió.",
     "{count} of these records need a form before they can be used. Nothing changed."),
    ("reason_needed", 422, "Escriba por qué se borra. Nada cambió.", "Say why it is erased. Nothing changed."),
    ("serial_mistyped", 422,
     "La serie «{typed}» no está bien escrita. Es como KKNST-7K2M-94QD-8; revísela letra por letra, o con el lector.",
     "The serial \"{typed}\" is mistyped. It looks like KKNST-7K2M-94QD-8."),
    ("serial_of_other_form", 409, "La hoja {serial} es de otra encuesta: «{title}». Nada se guardó.",
     "Sheet {serial} is of another form: \"{title}\". Nothing was stored."),
    ("serial_used", 409,
     "La hoja {serial} ya se digitó: es el registro {record}. No se guardó otra vez.",
     "Sheet {serial} was entered already: record {record}. Nothing was stored again."),
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
    ("bad_signature", 403, "La firma del envío no es la de este equipo. No se guardó nada; inscríbalo otra vez.",
     "The signature is not this node's: {reason}. Nothing kept; enrol again."),
    ("key_differs", 409, "Este equipo ya se inscribió con otra llave. Inscríbalo con un código nuevo.",
     "This node enrolled with another key. Enrol with a new code."),
    ("history_changed", 409,
     "Lo que este equipo envió antes no coincide con lo que hay aquí. Se enviará todo otra vez.",
     "The chain of epoch {epoch} does not continue from entry {cursor}. Nothing kept; begin a new epoch and send all."),
    ("protocol", 426, "Este equipo habla otra versión del protocolo ({wanted}; aquí se habla {known}). Actualícelo.",
     "Protocol {wanted} is not known here, only {known}. Upgrade."),
    ("epoch_changed", 410, "El nodo de arriba fue restaurado o cambiado; se leerá otra vez desde el comienzo.",
     "The epoch is {epoch} now; start again from 0."),
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
    ("upstream_revoked", 502,
     "{url} dio de baja este equipo. Lo que envía queda apartado allá hasta que alguien lo revise; hable con el "
     "laboratorio.",
     "{url} has revoked this node: what it sends is kept apart there until a person looks. Ask the lab."),
    ("upstream_refused", 502, "{url} no aceptó el envío. Lo guardado sigue aquí; avise al laboratorio.",
     "{url} refused the batch: {reason}. Everything is still stored here; tell the lab."),
    ("no_upstream", 409, "Este equipo no envía a ningún otro. Inscríbalo: collector enrol URL CÓDIGO.",
     "This node has no upstream. Enrol it: collector enrol URL CODE."),
    ("wipe_alone", 409,
     "Este equipo no envía a ningún otro: lo que tiene puede no estar en otra parte. No lo vacíe.",
     "This node has no upstream: what it holds may be nowhere else. Do not wipe it."),
    ("store_not_found", 404, "No hay datos de Collector en {path}. Revise --data; no se preguntó ni cambió nada.",
     "No store at {path}. Check --data; nothing was asked or changed."),
    ("node_not_found", 404, "Ningún equipo que envía aquí tiene el número {node}. Vuelva a la lista de equipos.",
     "No node with the id {node} sends here. Go back to the list of nodes."),
    ("address_needed", 422,
     "«{url}» no es una dirección. Escriba la que muestra el otro equipo, por ejemplo http://10.42.0.1:8000",
     "\"{url}\" is not an address. Type the one that the other node shows, such as http://10.42.0.1:8000"),
    ("token_invalid", 401, "El token no sirve o fue retirado. Pida otro al laboratorio.",
     "The token is not valid or was withdrawn. Ask the lab for another."),
    ("token_unknown", 404, "No hay ningún token de nombre «{name}». Nada cambió; revise cómo se escribió.",
     "There is no token named \"{name}\". Nothing changed; check the spelling."),
    ("feed_changed", 410, "Central fue restaurada; empiece de nuevo desde cero.",
     "The epoch changed ({epoch}); start again from 0."),
    # --- bundles (docs/bundles.md)
    ("bundle_unknown", 400,
     "Este archivo no es un paquete de Collector, ni respuestas guardadas de un teléfono, ni un recibo. Nada cambió; "
     "revise que eligió el archivo correcto.",
     "This file is no bundle, no saved answers of a phone and no receipt. Nothing changed."),
    ("bundle_newer", 400,
     "El paquete es de una versión más nueva ({wanted}; aquí se conoce la {known}). Actualice Collector; nada cambió.",
     "The bundle has format {wanted}; this release knows {known}. Upgrade; nothing changed."),
    ("bundle_damaged", 400, "El archivo está dañado o incompleto. Nada cambió; cópielo otra vez o pida uno nuevo.",
     "The file is damaged or not whole: {reason}. Nothing changed; copy it again or make a new one."),
    ("bundle_for_central", 403, "Este archivo es para central: aquí no se puede abrir. Llévelo allá; nada cambió.",
     "This file is for central and cannot be opened here. Take it there; nothing changed."),
    ("bundle_other_key", 403,
     "Este archivo se cerró con la llave de otra central. Aquí no se puede abrir; nada cambió. Pida uno nuevo.",
     "This file was closed for another key than this node's. Nothing changed; ask for a new one."),
    ("bundle_needs_passphrase", 400, "Este archivo se abre con una clave. Escríbala y traiga el archivo otra vez.",
     "This file opens with a passphrase. Give it and bring the file again."),
    ("bundle_too_slow", 503,
     "Este equipo está muy ocupado para abrir el archivo con su contraseña. Cierre otros programas e intente otra vez.",
     "This machine is too busy to open the file by its passphrase. Close other programs and try again."),
    ("bundle_wrong_passphrase", 403, "Esa clave no abre este archivo. Revísela e intente otra vez; nada cambió.",
     "This passphrase does not open the file. Try again; nothing changed."),
    ("bundle_short_passphrase", 400,
     "La clave tiene {length} letras y son muy pocas: use {least} o más, como tres o cuatro palabras.",
     "The passphrase has {length} characters; use {least} or more, such as three or four words."),
    ("bundle_bad_key", 400, "«{key}» no es una llave. La de central empieza con age1 y tiene 62 letras.",
     "\"{key}\" is no key. Central's begins with age1 and has 62 characters."),
    ("bundle_no_key", 409,
     "Este equipo todavía no conoce la llave de central: la recibe cuando habla con ella. Mientras tanto, cierre el "
     "paquete con una clave.",
     "This node does not know central's key yet; it comes with the next contact. Use a passphrase for now."),
    ("bundle_at_central", 409,
     "Este equipo no envía a ningún otro. Para llevar sus respuestas a otro, cierre el paquete con una clave.",
     "This node has no upstream. To carry its answers elsewhere close the bundle with a passphrase."),
    ("bundle_nothing", 409, "No hay nada que llevar: central ya tiene todo lo de este equipo.",
     "There is nothing to carry: central has everything of this node."),
    ("bundle_no_space", 507,
     "No hay espacio para {path}. Libere espacio o use otro disco; no quedó un archivo a medias.",
     "No space left for {path}. Free some or use another disk; no half file was left."),
    ("bundle_own", 409, "Este paquete salió de este mismo equipo: todo lo que trae ya está aquí. Llévelo a central.",
     "This bundle was made by this very node. Take it to central."),
    ("bundle_unsigned", 403,
     "La firma del paquete no es la de {node}. No se guardó nada; pida un paquete nuevo hecho en ese equipo.",
     "The bundle is not signed by {node}. Nothing kept; ask for a new one made on that node."),
    ("bundle_no_receipt", 507,
     "Todo lo del paquete quedó guardado aquí, pero el recibo no se pudo escribir en {path} ({reason}). Copie el "
     "paquete a otra carpeta e impórtelo otra vez: no se duplica nada.",
     "Everything was kept, but the receipt cannot be written to {path} ({reason}). Copy the bundle elsewhere and "
     "import it again: nothing is duplicated."),
    ("receipt_unknown", 404, "Este recibo es de un paquete que no salió de este equipo. Llévelo al equipo que lo hizo.",
     "This receipt is for a bundle that another node made. Take it there."),
    ("receipt_forged", 403, "El recibo no coincide con el paquete que salió de aquí. Nada cambió; pida otro recibo.",
     "The receipt does not match the bundle made here. Nothing changed; ask for another."),
)  # fmt: skip
