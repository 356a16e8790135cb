"""What a phone loads for a survey, in gzip bytes: budgets that a change must not break unseen.

tests/browser/test_visit_cost.py counts what a real browser asks for, and that a second visit asks for nothing.
"""

import re
from collections.abc import Callable

import httpx
import pytest

from tests.conftest import Node
from tests.forms.household import household_xml
from tests.forms.usual_form import usual_xform
from tests.page_budgets import FIRST_QUESTION_BYTES, RICH_BYTES, WHOLE_BYTES

PAGE = "/f/confianza/2026112200"


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
    first, rest = loaded(node, PAGE)
    assert sum(first.values()) <= FIRST_QUESTION_BYTES, first
    assert sum((first | rest).values()) <= WHOLE_BYTES, first | rest


def test_the_form_of_25_questions_stays_within_the_same_budgets(make_node: Callable[..., Node]) -> None:
    node = make_node("campo")
    node.app.state.forms.install(usual_xform())
    first, rest = loaded(node, "/f/usual/1")
    assert sum(first.values()) <= FIRST_QUESTION_BYTES, first
    assert sum((first | rest).values()) <= WHOLE_BYTES, first | rest


def test_no_survey_page_loads_htmx(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> None:
    node = make_node("campo")
    publish(node, "confianza")
    assert "htmx.min.js" not in httpx.get(node.url + PAGE).text
    assert "htmx" not in httpx.get(f"{node.url}/sw.js").text.partition("\n")[0]


def test_a_form_with_rows_in_rows_stays_within_its_budget_too(make_node: Callable[..., Node]) -> None:
    node = make_node("campo")
    node.app.state.forms.install(household_xml())
    (row,) = node.app.state.forms.current()
    first, rest = loaded(node, f"/f/{row.form_id}/{row.version}")
    assert sum(first.values()) <= FIRST_QUESTION_BYTES, first
    assert sum((first | rest).values()) <= RICH_BYTES, first | rest


def loaded(node: Node, page: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return the bytes of page and styles, and of everything else that the page loads."""
    html = httpx.get(node.url + page).text
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    first = {path: sent_bytes(node, path) for path in [page, *styles]}
    named = re.findall(r'(?:src|href)="(/static[^"]+)"', html)
    # scripts that the form's expressions ask for besides the core of the engine
    more = [
        node.app.state.assets.url(f"js/{name}")
        for name in httpx.get(f"{node.url}{page}/form.json").json().get("more", ())
    ]
    return first, {path: sent_bytes(node, path) for path in {f"{page}/form.json", *named, *more, *later(node)}}


def later(node: Node) -> list[str]:
    """Return what each page fetches once it is ready, for the end of the survey."""
    return [node.app.state.assets.url(f"js/{name}") for name in ("receipt.js", "code.js", "sha256.js")]


@pytest.mark.parametrize(("form", "more"), [("confianza", ["scale.js"]), ("servicios", ["functions.js", "scale.js"])])
def test_the_page_names_the_scripts_it_loads_and_no_others(
    make_node: Callable[..., Node], publish: Callable[[Node, str], None], form: str, more: list[str]
) -> None:
    node = make_node("campo")
    publish(node, form)
    page = httpx.get(f"{node.url}/f/{form}", follow_redirects=True)
    named = set(re.findall(r"/static/\w+/(js/[\w-]+\.js)", page.text))
    asked = httpx.get(f"{page.url}/form.json").json().get("more", [])
    assert asked == more
    wanted = {"js/app.js", "js/fill.js", *(f"js/{name}" for name in asked)}
    while True:
        sources = [node.app.state.assets.files[path].plain.decode() for path in wanted]
        found = {f"js/{name}.js" for source in sources for name in re.findall(r"""from ?["']\./([\w-]+)\.js""", source)}
        if found <= wanted:
            break
        wanted |= found
    assert wanted == named
