"""What a phone loads for the form of eight items, in gzip bytes: budgets that a change must not break unseen."""

import re
from collections.abc import Callable

import httpx

from tests.conftest import Node

FIRST_QUESTION_BYTES = 14_000  # page and style: what is needed before the first question can be answered
WHOLE_BYTES = 30_000  # everything the page loads, htmx included
PAGE = "/f/confianza/2026112100"


def sent_bytes(node: Node, path: str) -> int:
    """Return the bytes of the body as they go over the line."""
    with httpx.stream("GET", node.url + path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status_code == 200, path
        return sum(len(part) for part in answer.iter_raw())


def test_the_form_of_eight_items_stays_within_its_budgets(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None]
) -> None:
    node = make_node("campo")
    publish(node, "confianza")
    html = httpx.get(node.url + PAGE).text
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    first = {path: sent_bytes(node, path) for path in [PAGE, *styles]}
    rest = {
        path: sent_bytes(node, path)
        for path in {f"{PAGE}/form.json", *re.findall(r'(?:src|href)="(/static[^"]+)"', html)}
    }
    assert sum(first.values()) <= FIRST_QUESTION_BYTES, first
    assert sum((first | rest).values()) <= WHOLE_BYTES, first | rest


def test_every_script_the_page_loads_is_named_in_the_page(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None]
) -> None:
    node = make_node("campo")
    publish(node, "confianza")
    html = httpx.get(node.url + PAGE).text
    named = set(re.findall(r"/static/\w+/(js/[\w-]+\.js)", html))
    wanted = {"js/app.js"}
    while True:
        more = {
            f"js/{name}.js"
            for path in wanted
            for name in re.findall(
                r'^import .*?["\']\./([\w-]+)\.js["\']', node.app.state.assets.files[path].plain.decode(), re.M
            )
        } | {"js/fill.js"}
        if more <= wanted:
            break
        wanted |= more
    assert wanted <= named
