"""Every format that the lab takes data away in, by the name that its address bears."""

from collections.abc import Mapping

from collector.exports.columnar import write_dta, write_parquet, write_sav
from collector.exports.writing import (
    Format,
    write_geojson,
    write_jsonl,
    write_package,
    write_sqlite,
    write_with_files,
    write_xlsx,
)

FORMATS: Mapping[str, Format] = {
    "csv": Format(".zip", "application/zip", write_package),
    "files": Format(".zip", "application/zip", write_with_files),
    "xlsx": Format(".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx),
    "jsonl": Format(".jsonl", "application/x-ndjson", write_jsonl),
    "geojson": Format(".geojson", "application/geo+json", write_geojson),
    "sqlite": Format(".db", "application/vnd.sqlite3", write_sqlite),
    "parquet": Format(".parquet", "application/vnd.apache.parquet", write_parquet, zips=True),
    "sav": Format(".sav", "application/x-spss-sav", write_sav, zips=True),
    "dta": Format(".dta", "application/x-stata-dta", write_dta, zips=True),
}
