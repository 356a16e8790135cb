"""Files of answers in a real browser: scaled, kept through a kill, sent in pieces after the text, freed by central."""

import base64
import hashlib
import json
import struct
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route

from collector.db import reading
from collector.queries import blobs
from sync.records import uuid7
from tests.browser.conftest import Phone, until
from tests.browser.test_offline import again, stored
from tests.conftest import Node, submission

HOSTS = ["localhost", "nodo.lan"]  # a secure origin; plain http on the local network
PIECES = "**/sync/v1/blobs/*"
# the page's modules, reached as the page reaches them
MODULES = """
window.module = (name) => import(document.querySelector('[src*="app.js"]').src.replace('app.js', name));
window.takePhoto = async (width, height, options) => {
  const canvas = document.createElement('canvas');
  canvas.width = width; canvas.height = height;
  const pen = canvas.getContext('2d');
  for (let x = 0; x < width; x += 50) for (let y = 0; y < height; y += 50) {
    pen.fillStyle = `rgb(${x % 256}, ${y % 256}, ${(x * y) % 256})`;
    pen.fillRect(x, y, 50, 50);
  }
  const photo = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.95));
  const file = new File([photo], 'IMG_0001.JPG', { type: 'image/jpeg' });
  return { entry: await (await module('files.js')).takeFile(file, { kind: 'image', ...options }), before: photo.size };
};
window.takeNoise = async (size, options) => {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  const file = new File([bytes], 'Nota de voz.M4A', { type: 'audio/mp4; codecs=aac' });
  return (await module('files.js')).takeFile(file, options);
};
window.addRecord = async (content, entries) => {
  const { add, canonical } = await module('outbox.js');
  const body = canonical({ ...content, blobs: entries });
  await add({ id: content.id, form: content.form, version: content.version, title: 'Prueba', state: 'saved',
    saved: Date.now(), body, blobs: entries.map((entry) => entry.sha256) }, 'none');
};
window.rows = (name, store) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name);
  // not there yet: looking must not make it
  request.onupgradeneeded = () => { request.transaction.abort(); resolve([]); };
  request.onsuccess = () => {
    const all = request.result.transaction(store).objectStore(store).getAll();
    all.onsuccess = () => { request.result.close(); resolve(all.result); };
  };
  request.onerror = reject;
});
"""


def open_page(phone: Phone, node: Node, host: str = "localhost") -> Page:
    page = phone.open()
    page.add_init_script(MODULES)
    page.goto(f"http://{host}:{node.port}/mis-respuestas")
    return page


def take_photo(page: Page, width: int = 3000, height: int = 2000, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("(given) => takePhoto(...given)", [width, height, options])
    return found


def take_noise(page: Page, size: int, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("(given) => takeNoise(...given)", [size, options])
    return found


def add_record(page: Page, *entries: dict[str, Any]) -> str:
    content = submission(form="prueba", id=uuid7())
    page.evaluate("(given) => addRecord(...given)", [content, list(entries)])
    return str(content["id"])


def file_rows(page: Page) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = page.evaluate("rows('collector-files', 'files')")
    return rows


def bytes_kept(page: Page) -> int:
    return int(
        page.evaluate(
            "rows('collector-files', 'blobs').then((all) => all.reduce((sum, one) => sum + one.byteLength, 0))"
        )
    )


def entry_of(page: Page, record_id: str) -> dict[str, Any]:
    [found] = [row for row in page.evaluate("rows('collector', 'outbox')") if row["id"] == record_id]
    return dict(found)


def holds(node: Node, entry: dict[str, Any]) -> bool:
    with reading(node.app.state.engine) as session:
        found = blobs.file_named(session, entry["sha256"])
        content = blobs.read_part(session, entry["sha256"], 0, entry["bytes"])
    return found is not None and hashlib.sha256(content).hexdigest() == entry["sha256"]


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    return make_node("campo")


# --- taking


@pytest.mark.parametrize("host", HOSTS)
def test_a_photo_is_scaled_and_named_by_its_bytes(node: Node, phone: Phone, host: str) -> None:
    page = open_page(phone, node, host)
    assert page.evaluate("isSecureContext") == (host == "localhost")
    found = take_photo(page, question="vivienda/foto")
    entry = found["entry"]
    assert entry["bytes"] < found["before"]
    assert entry["name"] == f"foto-{entry['sha256'][:6]}.jpg"
    assert entry["type"] == "image/jpeg"
    content = base64.b64decode(
        page.evaluate(
            """async (sha256) => {
              const bytes = new Uint8Array(await (await module('files.js')).readFile(sha256));
              return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
            }""",
            entry["sha256"],
        )
    )
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (entry["sha256"], entry["bytes"])
    assert size_of_jpeg(content) == (1600, 1067)


def size_of_jpeg(content: bytes) -> tuple[int, int]:
    """Return width and height as the file itself says them."""
    at = 2
    while not 0xC0 <= content[at + 1] <= 0xC3:
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    height, width = struct.unpack(">HH", content[at + 5 : at + 9])
    return width, height


def test_the_longer_side_is_what_the_form_asks_for(node: Node, phone: Phone) -> None:
    page = open_page(phone, node)
    for (width, height), most, (wide, high) in (
        ((2000, 3000), 600, (400, 600)),
        ((300, 200), 600, (300, 200)),
        ((2000, 1000), 0, (1600, 800)),
        ((1601, 1), 800, (800, 1)),
    ):
        entry = take_photo(page, width, height, maxPixels=most)["entry"]
        size = page.evaluate(
            """async (sha256) => {
              const bytes = await (await module('files.js')).readFile(sha256);
              const picture = await createImageBitmap(new Blob([bytes]));
              return [picture.width, picture.height];
            }""",
            entry["sha256"],
        )
        assert size == [wide, high]


EXIF = (
    b"\xff\xe1" + struct.pack(">H", 2 + 6 + 60) + b"Exif\0\0MM\0*\0\0\0\x08" + b"GPS 8.98N 79.52W".ljust(52, b"\0")
)  # fmt: skip


def test_a_photo_drawn_anew_does_not_say_where_it_was_taken(node: Node, phone: Phone) -> None:
    page = open_page(phone, node)
    kept = page.evaluate(
        """async (exif) => {
          const canvas = document.createElement('canvas');
          canvas.width = canvas.height = 300;
          canvas.getContext('2d').fillRect(0, 0, 300, 300);
          const photo = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg'));
          const note = Uint8Array.from(atob(exif), (letter) => letter.charCodeAt(0));
          const file = new File([photo.slice(0, 2), note, photo.slice(2)], 'a.jpg', { type: 'image/jpeg' });
          const { takeFile, readFile } = await module('files.js');
          const entry = await takeFile(file, { kind: 'image' });
          const text = async (blob) => new TextDecoder('latin1').decode(await new Response(blob).arrayBuffer());
          return [await text(file), await text(await readFile(entry.sha256))];
        }""",
        base64.b64encode(EXIF).decode(),
    )
    assert ["GPS" in text for text in kept] == [True, False]


@pytest.mark.parametrize(
    ("name", "media_type", "kind", "ending"),
    [
        ("dibujo.svg", "image/svg+xml", "image", "svg"),
        ("IMG.HEIC", "image/heic", "image", "heic"),
        ("roto.jpg", "image/jpeg", "image", "jpg"),
        ("video", "video/quicktime", "video", "mov"),
        ("informe final.PDF", "application/pdf", "file", "pdf"),
        ("sin tipo", "", "file", "bin"),
    ],
)
def test_what_a_canvas_cannot_read_is_kept_as_it_is(
    node: Node, phone: Phone, name: str, media_type: str, kind: str, ending: str
) -> None:
    page = open_page(phone, node)
    content = "<svg xmlns='http://www.w3.org/2000/svg'/>"
    entry = page.evaluate(
        "async ([text, name, type, kind]) =>"
        " (await module('files.js')).takeFile(new File([text], name, { type }), { kind, question: 'anexo' })",
        [content, name, media_type, kind],
    )
    digest = hashlib.sha256(content.encode()).hexdigest()
    assert entry == {
        "name": f"anexo-{digest[:6]}.{ending}",
        "sha256": digest,
        "bytes": len(content),
        "type": media_type or "application/octet-stream",
    }


def test_a_canvas_that_gives_noise_is_not_used(node: Node, phone: Phone) -> None:
    page = open_page(phone, node)
    page.evaluate(
        """() => {
          const right = CanvasRenderingContext2D.prototype.getImageData;
          CanvasRenderingContext2D.prototype.getImageData = function (...given) {
            const found = right.apply(this, given);
            found.data.fill(255);
            return found;
          };
        }"""
    )
    found = take_photo(page)
    assert found["entry"]["bytes"] == found["before"]


@pytest.mark.parametrize(
    ("size", "kind", "said"),
    [
        (10_000_001, "file", {"code": "too_large", "bytes": 10_000_001, "most": 10_000_000}),
        (20_000_001, "video", {"code": "too_large", "bytes": 20_000_001, "most": 20_000_000}),
        (10_000_001, "image", {"code": "too_large", "bytes": 10_000_001, "most": 10_000_000}),
        (0, "file", {"code": "empty", "bytes": None, "most": None}),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(node: Node, phone: Phone, size: int, kind: str, said: object) -> None:
    page = open_page(phone, node)
    found = page.evaluate(
        "([size, kind]) => takeNoise(size, { kind }).catch(({ code, bytes, most }) =>"
        " ({ code, bytes: bytes ?? null, most: most ?? null }))",
        [size, kind],
    )
    assert found == said
    assert file_rows(page) == []


def test_a_browser_without_a_store_says_that_it_is_not_kept(node: Node, phone: Phone) -> None:
    page = phone.open()
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    page.add_init_script(MODULES)
    page.goto(f"{node.url}/mis-respuestas")
    assert page.evaluate("takeNoise(5000, {}).catch((error) => error.code)") == "not_kept"


@pytest.mark.parametrize("host", HOSTS)
def test_kill_9_right_after_a_file_is_taken_loses_nothing(node: Node, phone: Phone, host: str) -> None:
    taken: list[dict[str, Any]] = []
    for _ in range(3):
        page = open_page(phone, node, host)
        taken.append(take_noise(page, 400_000, kind="audio"))
        phone.kill()
    page = open_page(phone, node, host)
    hashes = page.evaluate(
        """async (all) => {
          const { readFile } = await module('files.js');
          const { sha256 } = await module('sha256.js');
          const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
          return Promise.all(all.map(async (entry) => hex(await sha256(new Uint8Array(await readFile(entry.sha256))))));
        }""",
        taken,
    )
    assert hashes == [entry["sha256"] for entry in taken]
    assert taken[0]["name"] == f"audio-{taken[0]['sha256'][:6]}.m4a"
    assert taken[0]["type"] == "audio/mp4"


# --- sending


@pytest.mark.parametrize("host", HOSTS)
def test_files_arrive_after_the_text_and_leave_the_browser_when_central_has_them(
    node: Node, phone: Phone, host: str
) -> None:
    page = open_page(phone, node, host)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/sync/v1/")[2]))
    entries = [take_photo(page)["entry"], take_noise(page, 900_000, kind="audio")]
    record_id = add_record(page, *entries)
    until(page, lambda: all(holds(node, entry) for entry in entries))
    page.wait_for_selector("text=Todo enviado")
    until(page, lambda: "blobs" not in entry_of(page, record_id))
    until(page, lambda: (bytes_kept(page), file_rows(page)) == (0, []))
    ours = [address for address in asked if address.startswith(("outbox", "blobs"))]
    assert ours[0] == "outbox" and ours[1] == "blobs/ask"
    assert entry_of(page, record_id)["state"] == "central"


def test_bytes_stay_until_central_itself_has_them(make_node: Callable[..., Node], phone: Phone) -> None:
    central = make_node("central")
    field = make_node("campo", upstream=central)  # it sends only when told to
    page = open_page(phone, field)
    entry = take_noise(page, 700_000)
    record_id = add_record(page, entry)
    until(page, lambda: holds(field, entry))
    until(page, lambda: [row["state"] for row in file_rows(page)] == ["node"])
    assert bytes_kept(page) == 700_000
    page.wait_for_selector("text=Todo enviado")
    assert page.locator("[data-files]").last.is_hidden()
    result = field.app.state.sync_now()
    assert (result.error, result.files) == ("", 1)
    page.clock.install()
    page.clock.fast_forward(40_000)  # files that the node has are asked for every 30 s
    until(page, lambda: entry_of(page, record_id).get("blobs") is None)
    until(page, lambda: bytes_kept(page) == 0)


def test_what_waits_is_said_in_kilobytes_and_the_rest_is_sent_when_the_network_is_back(
    make_node: Callable[..., Node], phone: Phone
) -> None:
    node = make_node("campo")
    page = open_page(phone, node, "nodo.lan")
    sent: list[int] = []

    def cut_after_two(route: Route) -> None:
        if route.request.method == "PATCH":
            sent.append(int(route.request.headers["upload-offset"]))
            if len(sent) > 2:
                route.abort()
                return
        route.continue_()

    page.route(PIECES, cut_after_two)
    entry = take_noise(page, 600_000)
    record_id = add_record(page, entry)
    page.wait_for_selector("text=Faltan 404 kB de fotos o archivos.")  # 600,000 without 65,536 and 131,072
    assert page.is_visible("h1:has-text('1 sin enviar')")
    assert entry_of(page, record_id)["state"] == "central"  # its text
    assert stored(node) == 1 and not holds(node, entry)
    phone.close()
    node.stop()
    back = again(node)
    try:
        page = open_page(phone, back, "nodo.lan")
        offsets: list[str] = []
        page.on(
            "request",
            lambda request: offsets.extend([request.headers["upload-offset"]] if request.method == "PATCH" else []),
        )
        until(page, lambda: holds(back, entry))
        assert offsets[0] == str(65_536 + 131_072)
        page.wait_for_selector("text=Todo enviado")
    finally:
        back.stop()


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": "<html>Acepte</html>", "content_type": "text/html"},
        {"status": 200, "body": "{}", "headers": {"X-Collector": "1"}},
        {"status": 200, "body": '{"sha256": "', "headers": {"X-Collector": "1"}},
        {"status": 204, "headers": {"X-Collector": "1"}},
        {"status": 500, "body": "{}", "headers": {"X-Collector": "1"}},
        {"status": 507, "body": '{"code": "disk_full"}', "headers": {"X-Collector": "1"}},
        {"status": 422, "body": '{"code": "chunk_digest"}', "headers": {"X-Collector": "1"}},
        {"status": 422, "body": '{"code": "blob_digest"}', "headers": {"X-Collector": "1"}},
        {"status": 409, "body": '{"code": "blob_offset", "have": 0}', "headers": {"X-Collector": "1"}},
        {"status": 404, "body": '{"code": "blob_unknown"}', "headers": {"X-Collector": "1"}},
    ],
    ids=["portal", "names nothing", "cut", "empty", "500", "disk", "piece", "whole", "offset", "unknown"],
)
def test_an_answer_that_is_not_the_right_one_frees_nothing(node: Node, phone: Phone, answer: dict[str, Any]) -> None:
    page = open_page(phone, node)
    tries: list[str] = []

    def reply(route: Route) -> None:
        if route.request.method == "PATCH":
            tries.append(route.request.url)
            route.fulfill(**answer)
        else:
            route.continue_()

    page.route(PIECES, reply)
    entry = take_noise(page, 300_000)
    record_id = add_record(page, entry)
    until(page, lambda: bool(tries))
    page.wait_for_timeout(700)
    assert (bytes_kept(page), entry_of(page, record_id)["blobs"]) == (300_000, [entry["sha256"]])
    assert len(tries) < 30  # no wild repeating
    page.unroute(PIECES)
    page.reload()
    until(page, lambda: holds(node, entry))
    page.wait_for_selector("text=Todo enviado")


def test_a_new_record_goes_before_the_next_piece(node: Node, phone: Phone) -> None:
    page = open_page(phone, node)
    order: list[str] = []

    def watch(route: Route) -> None:
        address = route.request.url.rpartition("/sync/v1/")[2]
        order.append("piece" if route.request.method == "PATCH" else address)
        if order.count("piece") == 1 and order[-1] == "piece":
            held.append(route)
        else:
            route.continue_()

    held: list[Route] = []
    page.route("**/sync/v1/**", watch)
    add_record(page, take_noise(page, 900_000, kind="audio"))
    until(page, lambda: bool(held))
    add_record(page)
    held[0].continue_()
    until(page, lambda: order.count("piece") >= 3)
    after = order[order.index("piece") + 1 :]
    assert after.index("outbox") < after.index("piece")
    assert stored(node) == 2


def test_files_of_a_draft_thrown_away_are_freed_and_those_of_a_kept_one_are_not(node: Node, phone: Phone) -> None:
    page = open_page(phone, node)
    kept, dropped = take_noise(page, 5000), take_noise(page, 6000)
    page.evaluate("async (given) => (await module('outbox.js')).putDraft('a 1', { files: { 3: given } })", kept)
    assert len(file_rows(page)) == 2
    free = "async () => (await module('files.js')).freeFiles()"
    page.evaluate(free)
    assert len(file_rows(page)) == 2  # one just taken may stand in a draft that is not written yet
    page.evaluate("{ const right = Date.now; Date.now = () => right() + 61000; }")
    page.evaluate(free)
    assert [row["sha256"] for row in file_rows(page)] == [kept["sha256"]]
    assert bytes_kept(page) == 5000 and dropped["sha256"] != kept["sha256"]
    page.evaluate("async () => (await module('outbox.js')).putDraft('a 1', {})")
    page.evaluate(free)
    assert (file_rows(page), bytes_kept(page)) == ([], 0)


def test_two_tabs_send_one_file_once_and_whole(node: Node, phone: Phone) -> None:
    page = open_page(phone, node, "nodo.lan")
    node_down: list[str] = []
    page.context.route(PIECES, lambda route: (node_down.append("x"), route.abort())[-1])
    entry = take_noise(page, 3_000_000, kind="audio")
    add_record(page, entry)
    until(page, lambda: bool(node_down))
    other = phone.context.new_page()
    other.goto(page.url)
    page.context.unroute(PIECES)
    until(page, lambda: holds(node, entry))
    with reading(node.app.state.engine) as session:
        assert blobs.count_central(session) == 1


def test_the_hash_of_plain_http_pages_is_sha_256(node: Node, phone: Phone) -> None:
    page = open_page(phone, node, "nodo.lan")
    assert page.evaluate("crypto.subtle === undefined")
    sizes = [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 1_048_576, 1_048_577, 3_000_003]
    found = page.evaluate(
        """async (sizes) => {
          const { sha256 } = await module('sha256.js');
          const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
          return Promise.all(sizes.map(async (size) =>
            hex(await sha256(Uint8Array.from({ length: size }, (_, n) => (n * 7 + size) % 251)))));
        }""",
        sizes,
    )
    assert found == [hashlib.sha256(bytes((n * 7 + size) % 251 for n in range(size))).hexdigest() for size in sizes]


# --- what the lab sees


def test_people_of_the_lab_open_a_file_and_nobody_else_does(
    node: Node, lab_login: Callable[[Node], httpx.Client]
) -> None:
    contents = {"image/jpeg": b"\xff\xd8 foto", "image/svg+xml": b"<svg onload='x'/>", "text/html": b"<script>"}
    lab = lab_login(node)
    for media_type, content in contents.items():
        sha256 = hashlib.sha256(content).hexdigest()
        entry = {"name": "niñas y niños.x", "sha256": sha256, "bytes": len(content), "type": media_type}
        body = json.dumps(
            submission(form="prueba", blobs=[entry]), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        headers = {"Content-Type": "application/x-ndjson"}
        assert httpx.post(f"{node.url}/sync/v1/outbox", content=body.encode(), headers=headers).status_code == 200
        assert lab.get(f"/lab/archivo/{sha256}").status_code == 404  # named, not here
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        piece = {"Upload-Offset": "0", "Upload-Length": str(len(content)), "Content-Digest": f"sha-256=:{digest}:"}
        assert httpx.patch(f"{node.url}/sync/v1/blobs/{sha256}", content=content, headers=piece).status_code == 200
        found = lab.get(f"/lab/archivo/{sha256}")
        assert (found.content, found.headers["content-type"].partition(";")[0]) == (content, media_type)
        kind = "inline" if media_type == "image/jpeg" else "attachment"
        assert found.headers["content-disposition"] == f"{kind}; filename*=UTF-8''ni%C3%B1as%20y%20ni%C3%B1os.x"
        assert found.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in found.headers["cache-control"]
        stranger = httpx.get(f"{node.url}/lab/archivo/{sha256}", headers={"Accept": "application/json"})
        assert stranger.status_code == 401
    assert lab.get(f"/lab/archivo/{'0' * 64}").status_code == 404
