"""From a file that somebody brought to a guide of rooms, or to a report of what is wrong, as forms are read.

bytes -> the file itself (size, kind, macros, what it unpacks to)     here, without opening it
      -> sheets, guide                                                in a worker process with limits
"""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from collector.forms.report import Finding, finding_from_json
from collector.publish.publishing import ZIP_START, file_problem, run_worker, task_of
from collector.rooms.guide import Guide, guide_from_json

KILOBYTE, MEGABYTE = 1000, 1_000_000
MAX_GUIDE_BYTES = 150 * KILOBYTE  # the file is kept in one record with the guide
MAX_UNPACKED_BYTES = 20 * MEGABYTE
SECONDS = 20.0
ENDINGS = ("xlsx", "xls", "md", "csv")
# how a workbook tells that it brings macros: a part of an .xlsx, a stream of an .xls (named in UTF-16)
MACRO_PART = "vbaproject.bin"
MACRO_STREAM = "_VBA_PROJECT".encode("utf-16-le")
# code -> (what happened, what to do), each in Spanish and in English
SENTENCES = {
    "guide_ending": ("«{name}» no es un archivo de guía.", "Guárdela como .xlsx. También se aceptan .xls, .csv y .md.",
                     "\"{name}\" is not a guide's file.",
                     "Save it as .xlsx. The endings .xls, .csv and .md are taken too."),
    "guide_too_big": ("El archivo pesa {size} KB y una guía puede pesar {limit} KB. No se abrió.",
                      "Quite imágenes y hojas que no son de la guía y guarde otra vez.",
                      "The file is {size} KB and a guide may be {limit} KB. It was not opened.",
                      "Remove pictures and sheets that are not part of the guide and save again."),
    "guide_unpacks": ("El archivo es pequeño, pero abierto ocuparía {size} MB; el límite es {limit} MB. No se abrió.",
                      "Copie las hojas survey, choices y settings a un libro nuevo y guárdelo.",
                      "It is small, but opened it would take {size} MB; the limit is {limit} MB. It was not opened.",
                      "Copy the sheets survey, choices and settings into a new workbook and save it."),
    "guide_macros": ("El archivo trae macros (programas). No se abrió.",
                     "Use «Guardar como» con tipo .xlsx, sin macros.",
                     "The file brings macros (programs). It was not opened.",
                     "Use \"Save as\" with type .xlsx, without macros."),
    "guide_slow": ("Leer la guía tomó más de {seconds} segundos y se detuvo.",
                   "Copie las hojas survey, choices y settings a un libro nuevo, sin nada más, y súbalo.",
                   "Reading the guide took more than {seconds} seconds and was stopped.",
                   "Copy the sheets survey, choices and settings into a new workbook, and nothing else, and send it."),
    "guide_crashed": ("La lectura se detuvo sin terminar ({detail}). No se guardó nada.",
                      "Copie las hojas a un libro nuevo y pruebe otra vez; si sigue igual, envíe el archivo a soporte.",
                      "Reading stopped before its end ({detail}). Nothing was kept.",
                      "Copy the sheets into a new workbook and try again; if that fails, send the file to support."),
}  # fmt: skip


@dataclass(frozen=True)
class CheckedGuide:
    """The outcome: a guide, or what is wrong."""

    guide: Guide | None
    findings: tuple[Finding, ...] = ()


def check_guide(name: str, content: bytes, seconds: float = SECONDS) -> CheckedGuide:
    """Read a guide by its file's name and bytes; a worker gets `seconds`. Nothing a file does raises here."""
    problem = guide_file_problem(name, content)
    if problem:
        return CheckedGuide(None, (problem,))
    written, failure = run_worker("collector.publish.guide_worker", task_of(_plain(name), content, {}), seconds)
    if failure == "timeout":
        return CheckedGuide(None, (_say("guide_slow", seconds=f"{seconds:g}"),))
    if failure or not written.endswith(b"\n"):
        return CheckedGuide(None, (_say("guide_crashed", detail=failure or "-"),))
    told: dict[str, Any] = json.loads(written)
    found = tuple(finding_from_json(each) for each in told["findings"])
    return CheckedGuide(guide_from_json(told["guide"]) if told["guide"] else None, found)


def _plain(name: str) -> str:
    return f"guia.{name.rpartition('.')[2].lower()}"


def guide_file_problem(name: str, content: bytes) -> Finding | None:
    """Return why a file is not opened at all, None if it may be."""
    if name.rpartition(".")[2].lower() not in ENDINGS:
        return _say("guide_ending", name=name[-100:])
    if len(content) > MAX_GUIDE_BYTES:
        return too_big(len(content))
    return file_problem(name, content) or _inside_problem(content)


def too_big(size_bytes: int) -> Finding:
    """Return that a file, or what is kept of it, is more than a record holds."""
    return _say("guide_too_big", size=round(size_bytes / KILOBYTE), limit=MAX_GUIDE_BYTES // KILOBYTE)


def _inside_problem(content: bytes) -> Finding | None:
    """Return what a workbook brings that is not opened: programs, or far more than its size tells."""
    if not content.startswith(ZIP_START):
        return _say("guide_macros") if MACRO_STREAM in content else None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:  # `file_problem` has read this list before
        parts = archive.infolist()
    if any(part.filename.lower().endswith(MACRO_PART) for part in parts):
        return _say("guide_macros")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED_BYTES:
        return _say("guide_unpacks", size=round(unpacked / MEGABYTE), limit=MAX_UNPACKED_BYTES // MEGABYTE)
    return None


def _say(code: str, **values: object) -> Finding:
    message, hint, message_en, hint_en = (sentence.format(**values) for sentence in SENTENCES[code])
    return Finding("error", "", None, "", "", message, hint, message_en, hint_en, code)
