"""What a file is that somebody took for a room: said by name, so that a wrong one is recognised. Pure."""

import json
from collections.abc import Mapping

# how a file begins -> what it is
BEGINNINGS: Mapping[bytes, str] = {
    b"PK\x03\x04": "sheet", b"\xd0\xcf\x11\xe0": "sheet", b"%PDF": "pdf", b"\xff\xd8\xff": "picture",
    b"\x89PNG": "picture", b"GIF8": "picture", b"age-encryption.org/": "bundle", b"<!doctype html": "page",
    b"<html": "page",
}  # fmt: skip
# what each is -> the sentence for who chose it
SENTENCES: Mapping[str, str] = {
    "none": "Falta elegir un archivo.",
    "empty": "El archivo está vacío. Hágalo otra vez en la otra tableta.",
    "sheet": "Es una hoja de cálculo. Si es una guía, súbala en «Nueva sesión».",
    "guide": "Es una guía escrita como texto. Súbala en «Nueva sesión».",
    "pdf": "Es un PDF.",
    "picture": "Es una imagen.",
    "bundle": "Es un paquete de respuestas. Ese se trae en «Llevar y traer».",
    "answers": "Son respuestas o recibos de un equipo. Esos se traen en «Llevar y traer».",
    "page": "Es una página web.",
    "text": "Es un texto que no es de una sala.",
    "other": "No es un archivo de los que hace este programa.",
    "damaged": "Es el archivo de una sala, pero llegó incompleto o cambiado. Hágalo otra vez en la otra tableta.",
    "too_large": "El archivo es demasiado grande para ser el de una sala.",
}


def kind_of(content: bytes) -> str:
    """Return what a file is that is not a room: a key of SENTENCES."""
    start = content.lstrip(b"\xef\xbb\xbf \r\n\t")[:4096]
    if not start:
        return "empty"
    lowered = start.lower()
    for beginning, kind in BEGINNINGS.items():
        if start.startswith(beginning) or lowered.startswith(beginning):
            return kind
    if b"\0" in start:
        return "other"
    return _kind_of_text(content, lowered)


def _kind_of_text(content: bytes, lowered: bytes) -> str:
    try:
        json.loads(content.partition(b"\n")[0])
        return "answers" if lowered.startswith(b"{") else "text"
    except (ValueError, RecursionError):
        pass
    is_table = lowered.startswith((b"|", b"type,", b'"survey"', b"survey"))
    return "guide" if is_table and b"name" in lowered else "text"
