"""Parquet, SPSS and Stata: columns of one type, written with packages that are not part of the program itself."""

import json
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from collector.exports.sheets import DATE, Field, Sheet, day_of, one_line
from collector.exports.writing import (
    CHUNK_ROWS,
    Counts,
    NotInstalledError,
    Take,
    Tick,
    TooManyError,
    codebook_csv,
)
from collector.lab.tables import INTEGER, REAL

MOST_STATS_ROWS = 200_000  # the packages that write them want a whole table in memory: about 1 kB a row
SPSS_NAME, STATA_NAME = 64, 32
SPSS_LABEL, STATA_LABEL = 250, 80
SPSS_TEXT = 32_767  # bytes; Stata takes texts of any length, from version 13 on
STATA_COLUMNS = 32_000
MOST_WHOLE = 2**53  # both keep every number as a double: beyond this a whole one would become another
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")
_STATA_TYPES = re.compile(r"str([0-9]+|l)")
# words of their own languages, which neither takes for a variable
_SPSS_WORDS = "all and by eq ge gt le lt ne not or to with"
_STATA_WORDS = "byte double float if in int long using with pi"
RESERVED = frozenset(f"{_SPSS_WORDS} {_STATA_WORDS}".split())


# --- Parquet


def write_parquet(path: Path, take: Take, tick: Tick) -> Counts:
    """Write one Parquet file, or a ZIP of one a sheet, in groups of 5,000 rows; questions stand in the schema."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise NotInstalledError("parquet") from None
    kinds = {INTEGER: pyarrow.int64(), REAL: pyarrow.float64(), DATE: pyarrow.date32()}

    def write(part: Path, sheet: Sheet, rows: Iterable[list[Any]]) -> int:
        fields = [
            pyarrow.field(
                each.name, kinds.get(each.kind or each.type, pyarrow.string()), metadata={"label": each.label}
            )
            for each in sheet.fields
        ]
        schema, count = pyarrow.schema(fields), 0
        with parquet.ParquetWriter(str(part), schema, compression="zstd") as writer:
            for chunk in _chunks(rows):
                columns = [
                    _days(column) if field.kind == DATE else column
                    for field, column in zip(sheet.fields, zip(*chunk, strict=True), strict=True)
                ]
                arrays = [pyarrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
                writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
                count += len(chunk)
        return count

    return _write_each(path, take, tick, ".parquet", write)


# --- SPSS and Stata


def write_sav(path: Path, take: Take, tick: Tick) -> Counts:
    """Write an SPSS file, or a ZIP of one a sheet. Choices are numbers with labels; the codebook says which.

    Texts beyond 32,767 bytes are cut, end in "…", and are counted in `take.cuts`.
    """
    return _write_stats(path, take, tick, ".sav", SPSS_NAME, SPSS_LABEL)


def write_dta(path: Path, take: Take, tick: Tick) -> Counts:
    """Write a Stata file, or a ZIP of one a sheet. Long texts are strL: Stata 13 or later opens them."""
    return _write_stats(path, take, tick, ".dta", STATA_NAME, STATA_LABEL)


def _write_stats(path: Path, take: Take, tick: Tick, suffix: str, name_length: int, label_length: int) -> Counts:
    try:
        import pandas
        import pyreadstat
    except ImportError:
        raise NotInstalledError("stats") from None

    def write(part: Path, sheet: Sheet, rows: Iterable[list[Any]]) -> int:
        held = list(islice(rows, MOST_STATS_ROWS + 1))
        if len(held) > MOST_STATS_ROWS:
            raise TooManyError("rows", len(held), MOST_STATS_ROWS)
        if len(sheet.fields) > STATA_COLUMNS:
            raise TooManyError("columns", len(sheet.fields), STATA_COLUMNS)
        names = variable_names(sheet.fields, name_length)
        codes = [codes_of(field) for field in sheet.fields]
        if sheet.has_unread:
            _set_aside(sheet.fields, codes, held)
        columns = list(zip(*held, strict=True)) or [()] * len(sheet.fields)
        most = SPSS_TEXT if suffix == ".sav" else None
        frame = pandas.DataFrame(
            {
                name: pandas.Series(
                    _values(field, column, code, take, most),
                    dtype="object" if _is_text(field, code) else "float64",
                )
                for name, field, column, code in zip(names, sheet.fields, columns, codes, strict=True)
            }
        )
        labels = [one_line(field.label, label_length) for field in sheet.fields]
        values = {name: dict(code[1]) for name, code in zip(names, codes, strict=True) if code[1]}
        if suffix == ".sav":
            pyreadstat.write_sav(frame, str(part), column_labels=list(labels), variable_value_labels=values)
        else:
            pyreadstat.write_dta(frame, str(part), column_labels=list(labels), variable_value_labels=values, version=15)
        return len(held)

    return _write_each(path, take, tick, suffix, write)


Codes = tuple[Mapping[str, int], Mapping[int | float, str]]  # value -> number, number -> label


def codes_of(field: Field) -> Codes:
    """Return the numbers that stand for a field's choices: themselves when all are numbers, else 1, 2, 3…"""
    names = list(field.choices)
    own = {name: int(name) for name in names if name.isascii() and name.removeprefix("-").isdigit() and len(name) < 9}
    is_own = len(own) == len(names) == len(set(own.values()))
    numbers = own if is_own else {name: place for place, name in enumerate(names, 1)}
    return numbers, {float(numbers[name]): one_line(label, 120) for name, label in field.choices.items()}


def variable_names(fields: Sequence[Field], most: int) -> list[str]:
    """Return names that SPSS and Stata take: letters, digits and "_", a letter first, unique whatever the case.

    Accents go, ñ is n; what is a word of their languages ends in "_v".
    """
    found: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for field in fields:
        letters = unicodedata.normalize("NFKD", field.name).encode("ascii", "ignore").decode()
        plain = _NOT_IN_NAMES.sub("_", letters).strip("_") or "v"
        plain = plain if plain[0].isalpha() else f"v_{plain}"
        if plain.lower() in RESERVED or _STATA_TYPES.fullmatch(plain.lower()):
            plain = f"{plain}_v"
        candidate, begin = plain[:most], plain[: most - 6].lower()
        while candidate.lower() in found:
            numbers[begin] = numbers.get(begin, 1) + 1
            candidate = f"{plain[: most - 6]}_{numbers[begin]}"
        found[candidate.lower()] = candidate
    return list(found.values())


def _is_text(field: Field, codes: Codes) -> bool:
    return field.type not in (INTEGER, REAL) and not codes[0]


def _set_aside(fields: Sequence[Field], codes: Sequence[Codes], rows: Sequence[list[Any]]) -> None:
    """Put what these files have no value for into the column `_unread`, the last one: no choice, too large a number."""
    judged = [
        (place, field, code[0])
        for place, (field, code) in enumerate(zip(fields, codes, strict=True))
        if code[0] or field.type == INTEGER
    ]
    for row in rows:
        aside = {field.name: str(row[place]) for place, field, numbers in judged if not _has_value(row[place], numbers)}
        for place, field, _ in judged:
            row[place] = None if field.name in aside else row[place]
        if aside:
            row[-1] = json.dumps(json.loads(row[-1] or "{}") | aside, ensure_ascii=False)


def _has_value(value: Any, numbers: Mapping[str, int]) -> bool:
    return value is None or (value in numbers if numbers else abs(value) <= MOST_WHOLE)


def _values(field: Field, column: Sequence[Any], codes: Codes, take: Take, most: int | None) -> list[Any]:
    if codes[0]:
        return [codes[0].get(value) if value is not None else None for value in column]
    if field.type in (INTEGER, REAL):
        return list(column)
    if field.kind == DATE and any(column):
        return _days(column)
    texts = ["" if value is None else str(value) for value in column]
    return texts if most is None else [_cut(text, most, take) for text in texts]


def _days(column: Sequence[str | None]) -> list[Any]:
    return [day_of(text) if text else None for text in column]


def _cut(text: str, most: int, take: Take) -> str:
    """Return at most `most` bytes of a text; one that is cut ends in "…" and is counted."""
    if len(text) * 4 <= most or len(text.encode()) <= most:
        return text
    take.cuts.append(len(text))
    return text.encode()[: most - 3].decode("utf-8", "ignore") + "…"


# --- a file a sheet


def _write_each(
    path: Path, take: Take, tick: Tick, suffix: str, write: Callable[[Path, Sheet, Iterable[list[Any]]], int]
) -> Counts:
    """Write each sheet by itself, reading the records again for each: a column must be at hand whole."""
    counts: Counts = {}
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        parts = []
        for place, sheet in enumerate(take.sheets):
            parts.append((f"{sheet.name}{suffix}", Path(folder) / f"{place}{suffix}"))
            counts[sheet.name] = write(parts[-1][1], sheet, _rows(take, sheet, tick))
        if len(parts) == 1:
            parts[0][1].replace(path)
            return counts
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in parts:
                archive.write(part, name)
            archive.writestr("codebook.csv", codebook_csv(take.book))
    return counts


def _rows(take: Take, sheet: Sheet, tick: Tick) -> Iterator[list[Any]]:
    done = 0
    for done, record in enumerate(take.records(), 1):
        yield from sheet.rows(record)
        if done % 200 == 0 and not sheet.steps:
            tick(done)
    if not sheet.steps:
        tick(done)


def _chunks(rows: Iterable[list[Any]]) -> Iterator[list[list[Any]]]:
    left = iter(rows)
    while chunk := list(islice(left, CHUNK_ROWS)):
        yield chunk
