"""What form pages cost a node: kept ones and drawn ones; and how many bytes a phone loads."""

import re
from collections.abc import Mapping
from statistics import median
from urllib.parse import urlencode

import httpx

from bench.drive import Lane, Load, compare, request, same_for_all, times
from bench.node import Node
from bench.report import Bar, Row, per_request
from bench.samples import starter_answers
from bench.servers import Server
from collector.forms.model import Form
from tests.page_budgets import FIRST_QUESTION_BYTES, WHOLE_BYTES

ROUNDS = 6  # the first warms up
KEPT, DRAWN = 80, 10  # requests a lane and round
SHARE_KEPT = Bar(least=0.5)
TIMES_DRAWN = Bar(most=2, unit="x")
POSTED = "application/x-www-form-urlencoded"


def page_rows(node: Node, floor: Server | None, starter: Form, long: Form) -> list[Row]:
    """Measure the kept page as browsers ask for it, and a step of the form without scripts."""
    address = f"/f/{starter.form_id}/{starter.version}"
    kept = request("GET", address, Accept_Encoding="gzip")
    step = _step(starter, starter_answers(starter, seed=1), "0", "next")
    all_answers = {question.key: "3" for question in long.questions}
    back = _step(long, all_answers, "0", "back")
    return [
        _page_row("form page, kept", node, floor, same_for_all(kept, KEPT, ROUNDS), "/page_cached_raw"),
        _page_row("a step of the 8-item form, drawn", node, floor, same_for_all(step, DRAWN, ROUNDS), "/page_render"),
        _page_row("34 questions with 6 choices, drawn", node, floor, same_for_all(back, DRAWN, ROUNDS), "/page_render"),
    ]


def _step(form: Form, answers: Mapping[str, str], page: str, go: str) -> bytes:
    body = urlencode({**answers, "_page": page, "_go": go}).encode()
    return request("POST", f"/f/{form.form_id}/{form.version}", body, Content_Type=POSTED, Accept="text/html")


def _page_row(name: str, node: Node, floor: Server | None, rounds: list[list[Lane]], path: str) -> Row:
    loads = {"node": Load(node.server, rounds)}
    if floor is not None:
        count = len(rounds[0][0].requests)
        loads["floor"] = Load(floor, same_for_all(request("GET", path), count, ROUNDS))
    found = compare(loads)
    if floor is None:
        return Row(name, per_request(median(found["node"])))
    is_kept = path == "/page_cached_raw"
    ratio = times(found["floor"], found["node"]) if is_kept else times(found["node"], found["floor"])
    return Row(
        name=f"{name}, against `{path}`",
        node=per_request(median(found["node"])),
        judged=ratio,
        bar=SHARE_KEPT if is_kept else TIMES_DRAWN,
        floor=per_request(median(found["floor"])),
        ratio=f"{ratio:.2f}" + ("" if is_kept else "x"),
    )


def bytes_rows(node: Node, form: Form) -> list[Row]:
    """Measure what a phone loads for the form of eight items, as tests/test_page_budget.py does."""
    address = f"/f/{form.form_id}/{form.version}"
    html = httpx.get(node.url + address).text
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    more = {f"{address}/form.json", *re.findall(r'(?:src|href)="(/static[^"]+)"', html)} - set(styles)
    first = sum(_sent_bytes(node, path) for path in [address, *styles])
    whole = first + sum(_sent_bytes(node, path) for path in more)
    return [
        Row("8-item page: before the first question", f"{first:,} B", first, Bar(most=FIRST_QUESTION_BYTES, unit=" B")),
        Row("8-item page: all that it loads", f"{whole:,} B", whole, Bar(most=WHOLE_BYTES, unit=" B")),
    ]


def _sent_bytes(node: Node, path: str) -> int:
    with httpx.stream("GET", node.url + path, headers={"Accept-Encoding": "gzip"}) as answer:
        answer.raise_for_status()
        return sum(len(part) for part in answer.iter_raw())
