"""A form that speaks and shows pictures, with a rank, a range and a repeat; of its three languages one is partial."""

import io
import math
import struct
import wave
import zlib
from functools import cache

from pyxform.xls2xform import convert

SPANISH, ENGLISH, NGABERE = "Español (es)", "English (en)", "Ngäbere (gym)"
# type, name, Spanish, English, Ngäbere ("" where nobody has translated it), sound, further columns
SURVEY: tuple[tuple[str, str, str, str, str, str, dict[str, str]], ...] = (
    ("select_one agua", "agua", "¿De dónde viene el agua de su casa?", "Where does your water come from?",
     "Ñö ngwarbe: ä ö ü ñ", "agua.wav", {"required": "yes"}),
    ("select_multiple agua", "otras", "¿De dónde más?", "Where else?", "", "otras.wav", {}),
    ("select_one diez", "confia", "De 0 a 10, ¿cuánto confía en la junta?", "From 0 to 10, how much?", "",
     "confia.wav", {}),
    ("rank agua", "orden", "Ordene de lo mejor a lo peor", "Order them", "", "", {}),
    ("range", "nota", "¿Qué nota le pone?", "Which mark?", "", "", {"parameters": "start=0 end=10 step=1"}),
    ("range", "gasto", "¿Cuánto gasta al mes?", "Spending a month?", "", "", {"parameters": "start=0 end=500 step=5"}),
    ("audio", "relato", "Cuéntelo con su voz", "Tell it with your voice", "", "", {}),
    ("geopoint", "lugar", "¿Dónde está la toma?", "Where is the intake?", "", "", {}),
    ("begin_repeat", "persona", "Persona", "Person", "", "", {}),
    ("text", "nombre", "¿Cómo le dicen?", "What are they called?", "", "", {"required": "yes"}),
    ("integer", "edad", "¿Qué edad tiene?", "How old?", "", "", {"constraint": ". < 120"}),
    ("end_repeat", "", "", "", "", "", {}),
)  # fmt: skip
CHOICES = {
    "agua": {"pozo": ("Pozo", "Well", "pozo"), "rio": ("Río o quebrada", "River", "rio"),
             "tubo": ("Acueducto", "Pipe", ""), "ns": ("No sé", "I don't know", "")},
    "diez": {str(n): (str(n), str(n), "") for n in range(11)},
}  # fmt: skip


@cache
def people_xform(version: str = "1") -> str:
    """Return the XForm; its id is "fuentes"."""
    survey = [
        {"type": kind, "name": name, **_labels(spanish, english, ngabere), **_media(sound), **more}
        for kind, name, spanish, english, ngabere, sound, more in SURVEY
    ]
    choices = [
        {"list_name": list_name, "name": name, **_labels(spanish, english, ""), **_shown(file)}
        for list_name, items in CHOICES.items()
        for name, (spanish, english, file) in items.items()
    ]
    names = {"form_title": "Fuentes de agua", "form_id": "fuentes", "version": version, "default_language": SPANISH}
    book = {"survey": [_lean(row) for row in survey], "choices": [_lean(row) for row in choices], "settings": [names]}
    return str(convert(book, validate=False, form_name="data").xform)


def _labels(spanish: str, english: str, ngabere: str) -> dict[str, str]:
    return {f"label::{SPANISH}": spanish, f"label::{ENGLISH}": english, f"label::{NGABERE}": ngabere}


def _media(sound: str) -> dict[str, str]:
    return {f"audio::{SPANISH}": sound}


def _shown(file: str) -> dict[str, str]:
    return {f"audio::{SPANISH}": f"{file}.wav", f"image::{SPANISH}": f"{file}.png"} if file else {}


def _lean(row: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in row.items() if text}


LONG_SECONDS = 10.0  # of a sound that is met while it speaks: a busy machine comes late


@cache
def people_files() -> dict[str, bytes]:
    """Return the form's sounds and pictures."""
    names = ("agua", "otras", "confia", "pozo", "rio")
    sounds = {f"{name}.wav": beep(300 + 60 * at, LONG_SECONDS) for at, name in enumerate(names)}
    return sounds | {f"{name}.png": picture(shade) for name, shade in (("pozo", 60), ("rio", 140))}


def beep(hertz: int = 440, seconds: float = 0.6) -> bytes:
    """Return a WAV of one tone."""
    rate = 8000
    samples = (int(9000 * math.sin(2 * math.pi * hertz * at / rate)) for at in range(int(rate * seconds)))
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return made.getvalue()


def picture(shade: int, side: int = 96) -> bytes:
    """Return a grey PNG."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + bytes([shade]) * side for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
