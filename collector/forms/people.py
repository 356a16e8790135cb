"""Does a question ask who somebody is, or where? Told by its name, its text and its type, in Spanish and English.

Pure. A warning and no more: only the author knows whether the answer is needed.
"""

import re
from collections.abc import Iterable

What = tuple[str, str]  # in Spanish, in English
NAME: What = ("nombre", "name")
IDENTITY: What = ("cédula", "identity number")
PASSPORT: What = ("pasaporte", "passport")
PHONE: What = ("teléfono", "telephone")
MAIL: What = ("correo", "e-mail")
ADDRESS: What = ("dirección", "address")
BIRTH: What = ("fecha de nacimiento", "date of birth")
SIGNATURE: What = ("firma", "signature")
PLACE: What = ("ubicación exacta (GPS)", "exact place (GPS)")

# whole parts of a name, without accents
NAMES: dict[str, What] = {
    "nombre": NAME, "nombres": NAME, "apellido": NAME, "apellidos": NAME, "fullname": NAME, "surname": NAME,
    "firstname": NAME, "lastname": NAME, "cedula": IDENTITY, "dni": IDENTITY, "nationalid": IDENTITY,
    "pasaporte": PASSPORT, "passport": PASSPORT, "telefono": PHONE, "celular": PHONE, "whatsapp": PHONE, "phone": PHONE,
    "mobile": PHONE, "correo": MAIL, "email": MAIL, "direccion": ADDRESS, "address": ADDRESS, "firma": SIGNATURE,
    "signature": SIGNATURE, "gps": PLACE, "coordenadas": PLACE, "birthdate": BIRTH, "dob": BIRTH,
}  # fmt: skip
TEXTS: tuple[tuple[str, What], ...] = (
    (r"\b(?:su|tu) (?:primer )?nombre\b|\bnombre (?:completo|y apellidos?)\b|c[óo]mo se llama usted", NAME),
    (r"\b(?:your|first|last|full|respondent'?s?) name\b", NAME),
    (r"\bc[ée]dula\b|\bnational id\b|\bid number\b", IDENTITY),
    (r"\bpasaporte\b|\bpassport\b", PASSPORT),
    (r"\b(?:n[úu]mero de |su )(?:tel[ée]fono|celular|whatsapp)\b|\b(?:phone|mobile) number\b", PHONE),
    (r"\bcorreo(?: electr[óo]nico)?\b|\be-?mail\b", MAIL),
    (r"\b(?:su|tu) direcci[óo]n\b|\byour (?:home )?address\b", ADDRESS),
    (r"\bfecha de (?:su )?nacimiento\b|\bdate of birth\b", BIRTH),
    (r"\bcoordenadas\b|\bgps\b", PLACE),
)
NOT_A_PERSON = frozenset({
    "comunidad", "municipio", "distrito", "corregimiento", "lugar", "escuela", "organizacion", "grupo", "proyecto",
    "village", "district", "region", "school", "facility", "organization", "organisation", "project", "community",
})  # fmt: skip
PLACE_KINDS = frozenset({"geopoint", "geotrace", "geoshape", "place"})
WRITTEN_KINDS = frozenset({"text", "integer", "decimal", "date", "barcode"})


def asks_by_name(name: str, kind: str) -> What | None:
    """Return what personal fact a question asks for by its type or its name, None where neither tells."""
    if kind in PLACE_KINDS:
        return PLACE
    if kind not in WRITTEN_KINDS:
        return None
    parts = re.split(r"[-_.]", _unaccented(name.lower()))
    if NOT_A_PERSON & set(parts):
        return None
    return next((NAMES[part] for part in parts if part in NAMES), None)


def asks_by_text(texts: Iterable[str], kind: str) -> tuple[int, What] | None:
    """Return the number of the first text that asks for a personal fact, and the fact."""
    if kind not in WRITTEN_KINDS:
        return None
    for number, text in enumerate(texts):
        found = next((what for pattern, what in TEXTS if re.search(pattern, text.lower())), None)
        if found:
            return number, found
    return None


def _unaccented(text: str) -> str:
    return text.translate(str.maketrans("áéíóúü", "aeiouu"))
