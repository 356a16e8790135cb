"""What every page promises: headers, caching, no external request, and the same bytes for everybody."""

import re
from collections.abc import Callable

import httpx
import pytest

from tests.conftest import Node

PAGE = "/f/confianza/2026112200"


@pytest.fixture
def node(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    one = make_node()
    publish(one, "confianza")
    return one


def assert_same_for_everybody(address: str) -> None:
    """Hold a page to what lets it be kept for a week: the same bytes for whoever asks, none for who has them."""
    first = httpx.get(address)
    cookies = "lang=en; collector_session=x; collector_pin=x"
    other = httpx.get(address, headers={"Accept-Language": "en", "Cookie": cookies})
    assert first.content == other.content
    assert first.headers["cache-control"] == "max-age=604800"
    assert "set-cookie" not in first.headers and "cookie" not in first.headers["vary"].lower()
    again = httpx.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/", PAGE, "/mis-respuestas", "/equipo/pin", "/lab/login", "/offline", "/nada"])
def test_every_page_has_a_strict_policy_and_asks_nothing_of_other_hosts(node: Node, path: str) -> None:
    answer = httpx.get(node.url + path, headers={"Accept": "text/html"})
    policy = answer.headers["content-security-policy"]
    frames = "'self'" if path == PAGE else "'none'"  # the survey stands inside the kiosk page
    assert "default-src 'self'" in policy and "unsafe" not in policy and policy.endswith(f"frame-ancestors {frames}")
    assert answer.headers["x-collector"] == "1"
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text)


def test_a_forms_page_is_the_same_for_everybody_and_kept_for_a_week(node: Node) -> None:
    assert_same_for_everybody(node.url + PAGE)


def test_the_short_address_leads_to_the_newest_version_and_is_kept(node: Node) -> None:
    answer = httpx.get(f"{node.url}/f/confianza")
    assert (answer.status_code, answer.headers["location"]) == (302, PAGE)
    assert "max-age" in answer.headers["cache-control"]
    current = httpx.get(f"{node.url}/f/confianza/current")
    assert current.json() == {"version": "2026112200", "address": PAGE}
    assert current.headers["cache-control"] == "max-age=600"


def test_static_files_are_kept_for_a_year_under_their_own_hash(node: Node) -> None:
    style = re.findall(r'href="(/static/[^"]+\.css)"', httpx.get(node.url + PAGE).text)[0]
    answer = httpx.get(node.url + style, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["cache-control"] and answer.headers["content-encoding"] == "gzip"
    assert httpx.get(f"{node.url}/static/otra/css/base.css").headers["cache-control"] == "no-cache"


def test_the_service_worker_keeps_what_the_form_needs(node: Node) -> None:
    worker = httpx.get(f"{node.url}/sw.js").text
    page = httpx.get(node.url + PAGE).text
    needed = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
    assert not [path for path in needed if path not in worker]


@pytest.mark.parametrize("path", ["/", PAGE, f"{PAGE}/form.json", "/mis-respuestas", "/sw.js", "/lab/login", "/nada"])
def test_a_page_answers_head_as_it_answers_get_without_the_body(node: Node, path: str) -> None:
    accept = {"Accept": "text/html", "Accept-Encoding": "identity"}
    seen, head = httpx.get(node.url + path, headers=accept), httpx.head(node.url + path, headers=accept)
    assert head.status_code == seen.status_code != 405
    assert head.content == b"" and len(seen.content) > 0
    same = ("content-type", "content-length", "etag", "cache-control", "location", "x-collector")
    assert [head.headers.get(name) for name in same] == [seen.headers.get(name) for name in same]


def test_what_only_takes_posts_and_the_protocol_answer_no_head(node: Node) -> None:
    for path in ("/sync/v1/outbox", "/sync/v1/forms"):
        assert httpx.head(node.url + path).status_code in (401, 405), path
    assert httpx.head(f"{node.url}/equipo/salir").status_code in (404, 405)


def test_a_post_from_another_page_is_refused_in_words_to_people_and_in_json_to_programs(node: Node) -> None:
    elsewhere = {"Origin": "http://otra.example"}
    program = httpx.post(node.url + PAGE, headers=elsewhere)
    assert (program.status_code, program.json()["code"]) == (403, "other_origin")
    person = httpx.post(node.url + PAGE, headers={**elsewhere, "Accept": "text/html", "Accept-Language": "es"})
    assert person.status_code == 403 and person.headers["content-type"].startswith("text/html")
    assert "Este envío viene de otra página (http://otra.example)" in person.text and "<h1" in person.text
    assert "default-src 'self'" in person.headers["content-security-policy"]
    english = httpx.post(node.url + PAGE, headers={**elsewhere, "Accept": "text/html", "Accept-Language": "en"})
    assert "A post from another origin" in english.text
    odd = httpx.post(node.url + PAGE, headers={"Origin": "http://<b>", "Accept": "text/html"})
    assert odd.status_code == 403 and "&lt;b&gt;" in odd.text


def test_nobody_is_handed_the_list_of_all_addresses(node: Node) -> None:
    assert [httpx.get(node.url + path).status_code for path in ("/openapi.json", "/docs", "/redoc")] == [404] * 3


def test_the_facilitators_page_needs_the_pin_and_the_lab_a_login(node: Node) -> None:
    for path, door in (("/equipo", "/equipo/pin"), ("/lab", "/lab/login")):
        answer = httpx.get(node.url + path, headers={"Accept": "text/html"})
        assert answer.status_code == 303 and answer.headers["location"].startswith(door)
        assert httpx.get(node.url + path).status_code == 401
