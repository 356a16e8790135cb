"""The audit in words: what each act is called, and its lines as a file. Pure."""

from collections.abc import Iterable, Iterator

from collector.rooms.outputs.csv import cell, csv_text

# action (queries/audit.py: ACTIONS) -> as people read it
ACTION_WORDS = {
    "read_record": "Leyó respuestas",
    "read_file": "Abrió un archivo de una respuesta",
    "export": "Se llevó datos",
    "review": "Revisó",
    "edit": "Corrigió",
    "erase": "Borró",
    "repair": "Reparó",
    "publish": "Publicó",
    "plan": "Cambió el plan de un formulario",
    "account": "Cambió una cuenta",
    "role": "Cambió un papel",
    "password": "Cambió una contraseña",
    "token": "Cambió un token",
    "code": "Cambió el segundo paso",
    "release": "Entregó cuentas protegidas",
    "retention": "Borró por su plazo",
}
ROLE_WORDS = {
    "admin": "Administración",
    "lab": "Laboratorio",
    "analyst": "Análisis",
    "facilitator": "Facilitación",
    "municipality": "Municipio",
}
# who acts without a role of the lab, and what has no number of its own (routes/audited.py, collector/retention.py)
ACTOR_WORDS = {
    "person": "Quien respondió, con su código",
    "pin": "Facilitación, con el PIN",
    "node": "El equipo mismo",
}
SUBJECT_WORDS = {
    "audit": "la auditoría",
    "transfers": "las entregas",
    "codebook": "el libro de temas",
    "calidad": "la lista de calidad",
    "records": "todos los formularios",
}
# what each role may do, in a few words
ROLE_SAYS = {
    "admin": "todo, también cuentas y tokens",
    "lab": "publica, revisa, repara, se lleva datos",
    "analyst": "ve y se lleva datos sin saber de quién son",
    "facilitator": "contesta lo que se le pregunta de sus respuestas",
    "municipality": "ve solo la página de su municipio",
}
SCOPE_WORDS = {
    "aggregates": "Solo cuentas",
    "records": "Respuestas sin quién las dio",
    "identifiers": "Respuestas completas",
}
COLUMNS = ("at", "who", "role", "action", "subject", "purpose", "count", "detail")


def audit_lines(entries: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Give the file a line at a time. What a spreadsheet would run as a formula gets an apostrophe."""
    yield csv_text(COLUMNS, [])
    for entry in entries:
        yield ",".join('"' + cell(value).replace('"', '""') + '"' for value in entry) + "\r\n"
