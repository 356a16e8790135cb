"""Answer expression vectors: `python -m tests.conformance --engine python|js FILE.jsonl`, one JSON line a vector.

Both engines are the product's own. A vector's `type` says as what its value is asked for, as a caller of the engine
does (a calculate asks for text, a relevant for a truth).
"""

import argparse
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from collector.forms.expressions import (
    Env,
    ExpressionError,
    Ir,
    Row,
    Value,
    build,
    compile_text,
    stored_text,
    to_boolean,
    to_number,
    to_text,
)
from collector.forms.expressions.rare import park_miller
from tests.instance_xml import Instance, read_instance
from tests.node_js import runner

MAX_MISSING_NODES = 50
SEED = 1234
RUNNER = Path(__file__).with_name("conformance_runner.mjs")
SCRIPTS = ("functions.js", "functions-rare.js", "digest.js")


@dataclass
class Prepared:
    """An expression ready for either engine."""

    ir: Ir
    instance: Instance
    row: Row
    now: tuple[int, int]
    lang: str


def clock(now: str | None, tz: str | None) -> tuple[int, int]:
    """Return epoch milliseconds and the minutes east of Greenwich in `tz` then."""
    moment = datetime.fromisoformat(now) if now else datetime.now(UTC)
    local = moment.astimezone(ZoneInfo(tz)) if tz else moment
    offset = local.utcoffset()
    return round(moment.timestamp() * 1000), round(offset.total_seconds() / 60) if offset else 0


def prepare(
    expr: str,
    instance_xml: str | None,
    node: str | None,
    now: str | None = None,
    tz: str | None = None,
    lang: str | None = None,
    *,
    primary: str | None = None,
    nodeset: bool = False,
) -> Prepared:
    """Parse and resolve; nodes that the XML lacks are declared as not relevant, one error at a time."""
    instance, row, context = (
        read_instance(instance_xml, node or "/", primary) if instance_xml else (Instance(), [None], "?")
    )
    for _ in range(MAX_MISSING_NODES):
        try:
            ir = compile_text(expr, instance.shape, context, nodeset=nodeset)
        except ExpressionError as error:
            if not instance_xml or not error.path or error.path in instance.slots:
                raise
            instance.declare_missing(error.path)
        else:
            return Prepared(ir, instance, row, clock(now, tz), lang or instance.language)
    raise ValueError("Too many nodes that the XML lacks.")


def evaluate(
    expr: str,
    instance_xml: str | None,
    node: str | None,
    now: str | None = None,
    tz: str | None = None,
    lang: str | None = None,
) -> Value:
    """Evaluate one expression with the Python engine."""
    return run_python(prepare(expr, instance_xml, node, now, tz, lang))


def run_python(prepared: Prepared) -> Value:
    """Evaluate with closures."""
    draw = park_miller(SEED)  # both engines draw the same "random" numbers, so that their lines can be compared
    texts = {text["name"]: text.get(prepared.lang, "") for text in prepared.instance.texts}
    env = Env(
        prepared.row,
        now=prepared.now,
        lang=prepared.lang,
        instances=prepared.instance.lists,
        itext=lambda text_id: texts.get(text_id) or text_id,
        random=draw,
    )
    return build(prepared.ir)(env)


def cast(value: Value, type: str, offset: int) -> object:
    """Ask for the value as the vector's type; NaN and the infinities as texts, which JSON lacks."""
    if type == "nodeset":
        return [to_text([node]) for node in value] if isinstance(value, list) else [to_text(value)]
    if type == "boolean":
        return to_boolean(value)
    if type.startswith("stored "):
        return stored_text(value, type.removeprefix("stored "), offset)
    if type != "number":
        return to_text(value)
    number = to_number(value, offset)
    return number if math.isfinite(number) else to_text(number)


def prepared_vectors(vectors: Iterable[dict[str, Any]]) -> Iterable[tuple[dict[str, Any], Prepared | str]]:
    """Yield each vector with what its expression became, or why it is refused."""
    for vector in vectors:
        context = vector.get("context", {})
        try:
            yield (
                vector,
                prepare(
                    vector["expr"],
                    context.get("xml"),
                    context.get("node"),
                    context.get("now"),
                    context.get("tz"),
                    context.get("lang"),
                    primary=context.get("primary_instance"),
                    nodeset=vector.get("type") == "nodeset",
                ),
            )
        except Exception as error:  # one line that fails must not take the others with it
            yield vector, str(error) or repr(error)


def answer_with_python(vectors: list[dict[str, Any]]) -> Iterable[dict[str, object]]:
    """Answer all vectors with the Python engine."""
    for vector, prepared in prepared_vectors(vectors):
        if isinstance(prepared, str):
            yield {"id": vector["id"], "error": prepared}
            continue
        try:
            yield {"id": vector["id"], "value": cast(run_python(prepared), vector.get("type", ""), prepared.now[1])}
        except Exception as error:  # as above
            yield {"id": vector["id"], "error": repr(error)}


def without_parents(row: Row) -> Row:
    """Copy a row for JSON: the runner links the rows again."""
    return [None, *([without_parents(inner) for inner in held] if isinstance(held, list) else held for held in row[1:])]


def place_of(row: Row, root: Row) -> list[list[int]]:
    """Return the way from the root row: [slot, index] a step."""
    if row is root:
        return []
    parent = row[0]
    for slot, held in enumerate(parent[1:], 1):
        for index, inner in enumerate(held if isinstance(held, list) else []):
            if inner is row:
                return [*place_of(parent, root), [slot, index]]
    raise ValueError("The row is not in its parent.")


def task(vector: dict[str, Any], prepared: Prepared) -> dict[str, object]:
    """Write down one vector for the JavaScript runner."""
    root = prepared.row
    while root[0] is not None:
        root = root[0]
    return {
        "id": vector["id"],
        "type": vector.get("type", ""),
        "ir": prepared.ir,
        "root": without_parents(root),
        "place": place_of(prepared.row, root),
        "now": prepared.now,
        "lang": prepared.lang,
        "lists": prepared.instance.lists | {"jr:itext": prepared.instance.texts},
    }


def answer_with_js(vectors: list[dict[str, Any]]) -> Iterable[dict[str, object]]:
    """Answer all vectors with the page's modules in node, on the IR that Python resolved."""
    tasks = []
    for vector, prepared in prepared_vectors(vectors):
        if isinstance(prepared, str):
            yield {"id": vector["id"], "error": prepared}
        else:
            tasks.append(json.dumps(task(vector, prepared)))
    yield from (json.loads(line) for line in run_js(tasks))


def run_js(tasks: list[str], scripts: tuple[str, ...] = SCRIPTS) -> list[str]:
    """Return what node answers to each of `tasks` with the core of the engine and `scripts` of static/js."""
    if not tasks:
        return []
    answers, words = runner(str(RUNNER), *scripts).ask(tasks)
    assert not words, words
    return answers


def lines_of(text: str) -> list[str]:
    """Split at line feeds alone: str.splitlines() would cut texts that hold U+0085 or U+2028."""
    return [line for line in text.split("\n") if line.strip()]


def main() -> None:
    """Read the file, answer, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("python", "js"), required=True)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    vectors = [json.loads(line) for line in lines_of(options.file.read_text(encoding="utf-8"))]
    answers = answer_with_python(vectors) if options.engine == "python" else answer_with_js(vectors)
    for answer in answers:
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
