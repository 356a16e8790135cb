"""What goes wrong at the addresses of ODK: each with the number by which its clients know it.

The numbers are those of ODK Central; its clients act on them (409.9: fetch the record again). The sentence is in
Spanish, as everywhere, and in English under `details`, since most programs show only one of them.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OdkRow:
    """code: Central's number as text, its whole part is the HTTP status; es, en: sentences with {placeholders}."""

    code: str
    es: str
    en: str

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return int(self.code.partition(".")[0])


def _table(*rows: tuple[str, str, str, str]) -> dict[str, OdkRow]:
    return {name: OdkRow(code, es, en) for name, code, es, en in rows}


ODK = _table(
    ("unparseable", "400.1", "No se pudo leer lo enviado como {format}: {reason}.",
     "Could not parse the given data as {format}: {reason}."),
    ("missing", "400.2", "Falta {field}.", "Required parameter {field} missing."),
    ("multipart", "400.7", "Falta la parte {field} del envío.", "Required multipart POST field {field} missing."),
    ("unexpected", "400.8", "«{value}» no sirve como {field}: {reason}.",
     "Unexpected {field} value {value}; {reason}."),
    ("mistyped", "400.11", "El filtro compara con un número lo que no lo es: {text}.",
     "Invalid input data type: expected {text} to be a number."),
    ("too_long", "400.13", "El registro es demasiado grande: {reason}.", "The record is too large: {reason}."),
    ("form_invalid", "400.15", "El formulario no se puede publicar: {reason}",
     "The form cannot be published: {reason}"),
    ("filter", "400.18", "No se entiende el filtro cerca de «{text}».",
     "The OData filter expression could not be parsed near \"{text}\"."),
    ("no_deprecated", "400.19", "Una corrección tiene que decir en deprecatedID a cuál reemplaza.",
     "This PUT endpoint expects a deprecatedID that names the current version."),
    ("one_place", "400.41", "Se puede pedir un solo campo con fieldpath, y se pidieron {count}.",
     "At most one fieldpath may be given, and there are {count}."),
    ("login", "401.2", "El correo, la contraseña o la clave no coinciden, o su cuenta pide un segundo paso: "
     "use entonces un token.",
     "Could not authenticate with the provided credentials. An account with a second step needs a token."),
    ("rights", "403.1", "Su cuenta o su clave no puede hacer esto.",
     "The authentication you provided does not have rights to perform that action."),
    ("change_password", "403.1", "Cambie primero la contraseña que le dieron: entre al laboratorio con ella.",
     "Change the password that you were given first: sign in to the lab with it."),
    ("not_found", "404.1", "Aquí no hay nada con esa dirección.", "Could not find the resource you were looking for."),
    ("deprecated_unknown", "404.5", "No está aquí el registro que se quiere corregir ({deprecatedId}).",
     "The submission to update is not here ({deprecatedId})."),
    ("version_unknown", "404.6", "La versión «{formVersion}» del formulario no está aquí.",
     "The form version '{formVersion}' is not here."),
    ("conflict", "409.1", "Ya hay un registro con ese instanceID y otro contenido. Nada cambió.",
     "A submission already exists with this ID, but with different XML."),
    ("closed", "409.2", "Este formulario está cerrado: ya no recibe respuestas.",
     "This form is not currently accepting submissions."),
    ("taken", "409.3", "Ya existe: {values}.", "A resource already exists with {fields} value(s) of {values}."),
    ("version_taken", "409.6", "Ya está publicada la versión «{version}» de «{xmlFormId}» con otro contenido.",
     "The form '{xmlFormId}' with version '{version}' is published already."),
    ("instance_taken", "409.8", "El instanceID nuevo ya existe aquí. Use otro.",
     "The instanceID you provided already exists on this server."),
    ("stale", "409.9", "La copia que se corrigió ({deprecatedId}) ya no es la última. Tráigala otra vez.",
     "The copy you were editing ({deprecatedId}) is now out of date."),
    ("too_large", "413.1", "Lo enviado pesa {size} y el límite es {limit}. Nada cambió.",
     "The request is {size} bytes, the limit is {limit}."),
    ("wait", "429.1", "Hubo muchos intentos. Espere {seconds} segundos.", "Too many tries. Wait {seconds} seconds."),
    ("internal", "500.1", "Algo falló de nuestro lado: {reason}", "Something failed on our side: {reason}"),
    ("expression", "501.4", "Este filtro usa algo que aquí no se entiende: «{text}».",
     "The given OData filter expression uses features not supported by this server: \"{text}\"."),
    ("field", "501.5", "El filtro pregunta por «{text}», y por eso no se puede filtrar.",
     "The given OData filter expression references fields not supported by this server: {text}."),
)  # fmt: skip


class OdkError(Exception):
    """A problem with its values. `str()` gives the English sentence, for logs."""

    def __init__(self, name: str, **values: Any) -> None:
        self.row = ODK[name]
        self.values = values
        super().__init__(self.row.en.format(**values))

    def sentence(self) -> str:
        """Return the sentence for people."""
        return self.row.es.format(**self.values)

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer as ODK's clients read it: {"message", "code", "details"}."""
        return {
            "message": self.sentence(),
            "code": float(self.row.code),
            "details": {"message_en": str(self), **self.values},
        }
