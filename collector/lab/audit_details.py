"""What else belongs to an act of the audit, in words: the page says them, the file keeps them as they were noted. Pure.

A detail is whatever a route noted (JSON). A name that has no words here is shown as it is: better raw than not at all.
"""

from collections.abc import Callable, Iterator, Mapping

from collector.lab.audit_words import ROLE_WORDS, SCOPE_WORDS
from collector.lab.reviewing import EDITED, STATES

Translate = Callable[..., str]
MOST_LETTERS = 300  # of one line: a file of a hundred columns is named, not recited
# name of a detail -> as people read it
NAME_WORDS = {
    "what": "Qué",
    "before": "Antes",
    "role": "Papel",
    "municipality": "Municipio",
    "scope": "Qué puede leer",
    "forms": "Formularios",
    "form": "Formulario",
    "format": "Formato",
    "upto": "Hasta el registro número",
    "closed": "Formulario cerrado",
    "plan": "Plan",
    "frequency_days": "Días entre respuestas",
    "version": "Versión",
    "file": "Archivo",
    "asked": "Filtro",
    "list": "Lista",
    "where": "Dónde",
    "decision": "Decisión",
    "action": "Qué se hizo",
    "state": "Estado",
    "keys": "Preguntas",
    "edit": "Registro de la corrección",
    "table": "Cruzado con",
    "column": "Columna",
    "query": "Consulta",
    "offset": "Desde la fila",
    "text": "Texto",
    "sha256": "Huella del archivo (SHA-256)",
    "bytes": "Tamaño en bytes",
    "hidden": "Preguntas que no salieron",
    "cuts": "Textos acortados",
    "profile": "Perfil para compartir",
    "k": "Registros iguales, al menos",
    "quasi": "Preguntas que se generalizan",
    "whole": "Sin cambio",
    "coarse": "Generalizados",
    "blank": "Con respuestas en blanco",
    "dropped": "Dejados fuera",
    "fields": "Columnas que salieron",
    "review": "Solo con revisión",
    "labels": "Con las palabras de las opciones",
    "language": "Idioma",
    "recipient": "Para quién",
    "term": "Plazo que venció",
    "days": "Días",
    "nodes": "Equipos",
    "municipalities": "Municipios",
    "quotas": "Cuotas",
    "expected": "Respuestas esperadas",
    "public": "Página pública",
    "is_on": "Abierta",
    "questions": "Preguntas",
    "from_above": "Lo decide el equipo de arriba",
    "offered": "Se ofrece aquí",
    "who": "Quién",
    "subject": "Sobre qué",
}
# name of a detail -> value -> as people read it
VALUE_WORDS: Mapping[str, Mapping[str, str]] = {
    "what": {
        "added": "la agregó",
        "closed": "la cerró",
        "opened": "la abrió otra vez",
        "reset": "dio otra contraseña",
        "password": "puso la contraseña desde la consola",
        "made": "lo hizo",
        "withdrawn": "lo retiró",
        "on": "empezó a pedirse",
        "off": "dejó de pedirse",
    },
    "role": ROLE_WORDS,
    "before": ROLE_WORDS,
    "scope": SCOPE_WORDS,
    "list": {"quality": "Calidad"},
    "where": {"quarantine": "Cuarentena"},
    "state": {
        **STATES,
        "hasIssues": STATES["has_issues"],
        "edited": EDITED,
        "comment": "Con un comentario",
        "removed": "Quitado de la lista",
        "restored": "Devuelto a la lista",
    },
    "action": {"use": "Usar", "set_aside": "Dejar aparte"},
    "format": {"csv": "CSV", "api": "Programa (API)", "odk": "Programa de ODK"},
    "term": {"retain_days_direct": "Datos de quién es", "retain_days_raw": "Respuestas sueltas"},
}
PLACES = ("municipality", "municipalities", "expected")


def detail_lines(
    detail: Mapping[str, object], translate: Translate, places: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Give (name, value) of what was noted, in words. places: code -> name. What says nothing is left out."""
    for name, value in detail.items():
        said = _said(name, value, translate, places)
        if said:
            yield _name(name, translate), said if len(said) <= MOST_LETTERS else f"{said[:MOST_LETTERS]}…"


def _name(name: str, translate: Translate) -> str:
    return translate(NAME_WORDS[name]) if name in NAME_WORDS else name


def _said(name: str, value: object, translate: Translate, places: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return translate("sí") if value else translate("no")
    if isinstance(value, Mapping):
        return "; ".join(_pair(name, key, each, translate, places) for key, each in value.items() if each != "")
    if isinstance(value, list):
        return ", ".join(_quota(each) or _said(name, each, translate, places) for each in value)
    text = "" if value is None else str(value)
    if name in PLACES:
        return places.get(text, text)
    words = VALUE_WORDS.get(name, {})
    return translate(words[text]) if text in words else text


def _pair(name: str, key: str, value: object, translate: Translate, places: Mapping[str, str]) -> str:
    if name in PLACES:
        return f"{places.get(key, key)} {value}"
    return f"{_name(key, translate)}: {_said(key, value, translate, places)}"


def _quota(value: object) -> str:
    """Return a quota of a plan as "edad = 18_29: 40", "" for anything else."""
    if not isinstance(value, Mapping) or set(value) != {"question", "value", "target"}:
        return ""
    return f"{value['question']} = {value['value']}: {value['target']}"
