"""Pages from templates: whole, or one block of them for an HTMX request. Text people read goes through `_()`."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from collector.assets import Assets, asset_dir

LOCALE = Path(__file__).resolve().parent / "locale"
# stands between single quotes: double ones would travel as &#34;
HTMX = {"includeIndicatorCSS": False, "noSwap": [204, 304, "5xx"], "defaultTimeout": 10000}
HTMX_CONFIG = Markup(json.dumps(HTMX, separators=(",", ":")))  # noqa: S704 - nothing of it comes from outside


def load_english() -> dict[str, str]:
    """Return Spanish sentence -> English sentence, from every file of locale/en."""
    sentences: dict[str, str] = {}
    for file in sorted((LOCALE / "en").glob("*.json")):
        sentences.update(json.loads(file.read_text(encoding="utf-8")))
    return sentences


def translator(english: Mapping[str, str], lang: str) -> Callable[..., str]:
    """Return `_`: the sentence in `lang` ("en", anything else is Spanish), placeholders filled from keywords."""

    def translate(sentence: str, **values: Any) -> str:
        text = english.get(sentence, sentence) if lang == "en" else sentence
        return text.format(**values) if values else text

    return translate


def make_environment(assets: Assets) -> Environment:
    """Return the Jinja2 environment: autoescape on, a missing name is an error."""
    environment = Environment(
        loader=FileSystemLoader(asset_dir("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(assets=assets, static=assets.url, htmx_config=HTMX_CONFIG)
    return environment


def page_language(request: Request) -> str:
    """Return "es" or "en": what the person chose (cookie), else what the browser prefers, else Spanish."""
    chosen = request.query_params.get("lang") or request.cookies.get("lang")
    return chosen if chosen in ("es", "en") else browser_language(request)


def browser_language(request: Request) -> str:
    """Return "es" or "en" by the browser's own wish: for pages that are kept and know nobody."""
    first = request.headers.get("accept-language", "es").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "es"


def render(request: Request, template: str, scope: Mapping[str, Any], block: str | None = None) -> str:
    """Return the HTML of `template`, or of one block of it."""
    lang = scope.get("lang") or page_language(request)
    environment: Environment = request.app.state.templates
    full = {
        "request": request,
        "lang": lang,
        "_": translator(request.app.state.english, lang),
        "node_name": request.app.state.node_name,
        **scope,
    }
    loaded = environment.get_template(template)
    if block is None:
        return loaded.render(full)
    return "".join(loaded.blocks[block](loaded.new_context(full)))


def page(
    request: Request, template: str, scope: Mapping[str, Any], block: str | None = None, status: int = 200
) -> HTMLResponse:
    """Answer with the page, or with `block` alone when HTMX asked: same address, same template."""
    partial = block if request.headers.get("hx-request") == "true" else None
    # what quarantine keeps may hold lone surrogates, which no page can: "?" stands for them
    content = render(request, template, scope, partial).encode(errors="replace")
    response = HTMLResponse(content, status_code=status)
    response.headers["Vary"] = "HX-Request"
    response.headers["Cache-Control"] = "no-store"
    return response


def unless_same(request: Request, response: HTMLResponse) -> Response:
    """Return 304 in place of a polled part that stands in the browser already (static/js/poll.js)."""
    if request.headers.get("hx-request") != "true":
        return response
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag, "Vary": "HX-Request", "Cache-Control": "no-store"})
    response.headers["ETag"] = tag
    return response
