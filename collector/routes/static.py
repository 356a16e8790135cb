"""Static files under the hash of their tree, a year's cache; the service worker and the manifest at the root."""

import json

from fastapi import APIRouter, Request, Response

from collector.assets import Asset, Assets
from collector.fill.page_files import MINE, offline_files
from collector.pages import browser_language, render
from collector.problems import PROBLEMS, ProblemError

router = APIRouter()
YEAR = "public, max-age=31536000, immutable"


@router.get("/static/{version}/{path:path}", include_in_schema=False)
def static_file(request: Request, version: str, path: str) -> Response:
    """Send one static file. Another version's address still gets today's file, but is not kept."""
    assets: Assets = request.app.state.assets
    asset = assets.files.get(path)
    if asset is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return send_asset(request, asset, YEAR if version == assets.version else "no-cache")


def send_asset(request: Request, asset: Asset, cache: str) -> Response:
    """Answer with the gzipped bytes where the browser takes them."""
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if zipped else {})
    if asset.path.startswith(("js/", "css/")):
        headers["Content-Security-Policy"] = "default-src 'none'"  # is no page; and a tenth of what a 2G phone loads
    return Response(asset.gzipped if zipped else asset.plain, headers=headers, media_type=asset.media_type)


@router.get("/sw.js", include_in_schema=False)
def service_worker(request: Request) -> Response:
    """Send the service worker with the list of what it keeps: any changed file changes its bytes, so it updates.

    Kept for ten minutes, as the question for a newer version of a form: visits in between cost nothing.
    """
    assets: Assets = request.app.state.assets
    store = request.app.state.forms
    forms = (store.get(row.form_id, row.version) for row in store.current())
    keep = ["/offline", *(assets.url(path) for path in offline_files(form for form in forms if form is not None))]
    lists = {"VERSION": assets.version, "KEEP": keep, "MINE": [assets.url(path) for path in MINE]}
    head = "const " + ",".join(f"{name}={json.dumps(value)}" for name, value in lists.items()) + ";\n"
    body = head.encode() + assets.files["js/sw.js"].plain
    return send_asset(request, Asset("sw.js", "text/javascript", body), "max-age=600")


@router.get("/offline", include_in_schema=False)
def offline(request: Request) -> Response:
    """The page shown when another page is asked for without a signal."""
    body = render(request, "citizen/offline.html", {"lang": browser_language(request)})
    headers = {"Cache-Control": "max-age=604800", "Vary": "Accept-Language"}
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/favicon.ico", include_in_schema=False)
def favicon(request: Request) -> Response:
    """Browsers ask for this by themselves."""
    return send_asset(request, request.app.state.assets.files["favicon.svg"], "max-age=604800")


@router.get("/health", include_in_schema=False)
def health() -> dict[str, str]:
    """Answer {"status": "ok"} while the process serves."""
    return {"status": "ok"}
