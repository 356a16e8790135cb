"""What can go wrong with a store before anybody is served: at start, in a backup, in a restore. See `problems.py`.

Apart from the catalogue of the protocol, because no client ever meets one of these: they are said at the command line.
"""

from collector.problems import Problem


def _problem(code: str, es: str, en: str) -> Problem:
    return Problem(code, 500, es, en)


DRIVER_MISSING = _problem(
    "driver_missing",
    "Para usar PostgreSQL falta un paquete. Instálelo y abra otra vez: pip install 'citizen-collector[postgres]'",
    "PostgreSQL needs one more package: pip install 'citizen-collector[postgres]'",
)
BAD_URL = _problem(
    "bad_database_url",
    "COLLECTOR_DATABASE_URL no se entiende. Se escribe así: postgresql://usuario:clave@servidor:5432/base",
    "COLLECTOR_DATABASE_URL cannot be read. It looks like postgresql://user:password@server:5432/database",
)
UNREACHABLE = _problem(
    "database_unreachable",
    "No se puede entrar a la base de datos {url}: {reason}. Revise que el servidor esté encendido y que "
    "COLLECTOR_DATABASE_URL esté bien escrita; no se cambió nada.",
    "Cannot reach the database {url}: {reason}. Does the server run, is COLLECTOR_DATABASE_URL right? Nothing changed.",
)
NOT_UTF8 = _problem(
    "database_encoding",
    "La base de datos guarda el texto en {encoding} y tiene que ser UTF8. "
    "Haga una nueva: createdb --encoding=UTF8 --template=template0 NOMBRE",
    "The database keeps text in {encoding}; it must be UTF8: createdb --encoding=UTF8 --template=template0 NAME",
)
DAMAGED = _problem(
    "store_damaged",
    "El archivo {path} está dañado ({reason}) y Collector no se abrió, para no dañarlo más. No borre nada: copie toda "
    "la carpeta a otro disco. Si tiene una copia: collector restore COPIA. Si no, pida ayuda al laboratorio.",
    "The file {path} is damaged ({reason}); Collector did not open it, so as not to make it worse. Delete nothing: "
    "copy the whole folder to another disk, then: collector restore BACKUP. Without a backup ask the lab.",
)
IN_USE = _problem(
    "store_in_use",
    "Collector está abierto con estos datos ({place}). Ciérrelo y repita; no se cambió nada.",
    "Collector is running on this store ({place}). Stop it and try again; nothing changed.",
)
TARGET_EXISTS = _problem(
    "target_exists",
    "Ya existe {path}. Elija otro nombre, o agregue --force para reemplazarlo.",
    "{path} exists. Choose another name, or add --force to replace it.",
)
NO_STORE = _problem(
    "no_store",
    "En {path} no hay datos de Collector. Revise --data; no se cambió nada.",
    "There is no Collector store at {path}. Check --data; nothing changed.",
)
NO_SPACE = _problem(
    "no_space",
    "No hay espacio para {path}. Libere espacio o use otro disco; no quedó ninguna copia a medias.",
    "No space left for {path}. Free some or use another disk; no half copy was left.",
)
NOT_A_BACKUP = _problem(
    "not_a_backup",
    "{path} no es una copia completa de Collector: {reason}. No se cambió nada.",
    "{path} is not a whole backup of Collector: {reason}. Nothing changed.",
)
TOOL_MISSING = _problem(
    "tool_missing",
    "Para esto hace falta el programa {tool} de PostgreSQL, de la versión del servidor o más nuevo. "
    "Instálelo (en Debian: postgresql-client) y repita.",
    "This needs PostgreSQL's {tool}, of the server's version or newer. Install it (Debian: postgresql-client).",
)
TOOL_FAILED = _problem(
    "tool_failed",
    "{tool} no pudo terminar: {reason}. No se cambió nada.",
    "{tool} failed: {reason}. Nothing changed.",
)
