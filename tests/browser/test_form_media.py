"""A form's pictures and sounds in the browser: kept for when there is no signal, and unable to run anything."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.conftest import Phone
from tests.browser.test_offline import keep_page
from tests.conftest import Node
from tests.test_form_files import FILES, SOUND, xform_with_files

PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><style>rect{fill:red}</style>'
    b'<rect width="40" height="30"/><script>fetch("/ran")</script></svg>'
)
GET = """async ([address, range]) => {
  const answer = await fetch(address, { headers: range ? { Range: range } : {} });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return [answer.status, answer.headers.get('content-range'), bytes.length, bytes[0], bytes[bytes.length - 1]];
}"""
KEEP = """async (addresses) => {
  const registration = await navigator.serviceWorker.ready;
  registration.active.postMessage({ keep: addresses });
  for (const address of addresses) {
    while (!await caches.match(address)) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}"""
FRAME = """(address) => {
  const frame = document.createElement('iframe');
  frame.src = address;
  document.body.append(frame);
}"""
DRAW = """async (address) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  return [picture.naturalWidth, picture.naturalHeight];
}"""


def open_form(make_node: Callable[..., Node], phone: Phone) -> tuple[Node, Page]:
    node = make_node("campo")
    node.app.state.forms.install(xform_with_files(), files=FILES | {"sí.svg": PICTURE})
    page = phone.open()
    page.goto(f"http://localhost:{node.port}/f/agua/1")
    return node, page


def test_kept_pictures_and_sounds_are_there_without_a_signal(make_node: Callable[..., Node], phone: Phone) -> None:
    node, page = open_form(make_node, phone)
    keep_page(page)
    media = [f"/f/agua/1/media/{name}" for name in ("s%C3%AD.svg", "voz.mp3")]
    page.evaluate(KEEP, media)
    node.stop()
    assert page.evaluate(DRAW, media[0]) == [40, 30]
    assert page.evaluate(GET, [media[1], ""]) == [200, None, 10_000, SOUND[0], SOUND[-1]]
    assert page.evaluate(GET, [media[1], "bytes=5-9"]) == [206, "bytes 5-9/10000", 5, SOUND[5], SOUND[9]]
    assert page.evaluate(GET, [media[1], "bytes=9990-"])[:3] == [206, "bytes 9990-9999/10000", 10]
    assert page.evaluate(GET, [media[1], "bytes=10000-"])[:2] == [416, "bytes */10000"]


def test_a_drawing_is_drawn_and_runs_nothing(make_node: Callable[..., Node], phone: Phone) -> None:
    node, page = open_form(make_node, phone)
    asked: list[str] = []
    phone.context.on("request", lambda request: asked.append(request.url))
    address = f"http://localhost:{node.port}/f/agua/1/media/s%C3%AD.svg"
    assert page.evaluate(DRAW, address) == [40, 30]
    with page.expect_download() as download:
        page.evaluate("(address) => { location.href = address; }", address)
    assert download.value.suggested_filename == "sí.svg"
    page.evaluate(FRAME, address)
    page.wait_for_timeout(500)
    assert not [url for url in asked if url.endswith("/ran")]
