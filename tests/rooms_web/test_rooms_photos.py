"""Photos of the wall: kept with the record that names them, shown to who runs the room, gone when they are erased."""

import httpx

from collector.clock import now_ms
from collector.db import reading, writing
from collector.queries import blobs
from collector.queries.records import ingest
from collector.rooms.refusals import Refusal
from sync.blobs import catch_up
from sync.statements import make_tombstone
from tests.conftest import Node
from tests.rooms_web.furnished_room import open_small_room

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def allow(host: httpx.Client, room: str) -> None:
    data = {"purpose.participate": "si", "purpose.photo": "si"}
    assert host.post(f"/sala/{room}/consentimiento", data=data).status_code == 200


def add(host: httpx.Client, room: str, content: bytes = PNG, kind: str = "image/png") -> httpx.Response:
    files = {"_file/pared": ("IMG_1.png", content, kind)}
    return host.post(f"/sala/{room}/fotos", data={"text": "Las tarjetas", "step": "puntos"}, files=files)


def told(code: str, **values: str) -> str:
    return Refusal(code, **values).sentence("es")


def test_a_photo_is_kept_shown_and_on_no_other_room_s_page(node: Node, host: httpx.Client) -> None:
    room, other = open_small_room(node), open_small_room(node)
    allow(host, room)
    answer = add(host, room)
    assert answer.status_code == 200 and "Las tarjetas" in answer.text
    (photo,) = node.app.state.rooms.get(room).of("photo", "puntos")
    shown = host.get(f"/sala/{room}/foto/{photo.id}")
    assert shown.content == PNG and shown.headers["content-type"] == "image/png"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert host.get(f"/sala/{other}/foto/{photo.id}").status_code == 404
    with httpx.Client(base_url=node.url) as stranger:
        assert stranger.get(f"/sala/{room}/foto/{photo.id}").status_code in (303, 401, 403)
    host.post(f"/sala/{room}/deshacer", data={"ref": photo.id})
    assert not node.app.state.rooms.get(room).of("photo")
    assert host.get(f"/sala/{room}/foto/{photo.id}").status_code == 404


def test_a_photo_goes_with_its_record(node: Node, host: httpx.Client) -> None:
    room = open_small_room(node)
    allow(host, room)
    add(host, room, PNG + b"other")
    (photo,) = node.app.state.rooms.get(room).of("photo")
    engine = node.app.state.engine
    catch_up(engine)
    with reading(engine) as session:
        (file,) = blobs.files_of_record(session, photo.id)
    with writing(engine) as session:
        ingest(session, [make_tombstone(photo.id, "lab@ejemplo.pa", "lo pidieron")], now_ms())
    with reading(engine) as session:
        assert blobs.files_of_record(session, photo.id) == []
        assert blobs.file_named(session, file.sha256) is None


def test_what_is_no_photo_or_was_not_allowed_is_refused_in_words(node: Node, host: httpx.Client) -> None:
    room = open_small_room(node)
    refused = add(host, room)
    assert refused.status_code == 422 and told("photo_not_allowed") in refused.text
    allow(host, room)
    wrong = add(host, room, b"%PDF-1.7", "application/pdf")
    assert wrong.status_code == 422 and told("photo_not_a_picture", value="application/pdf") in wrong.text
    empty = host.post(f"/sala/{room}/fotos", data={"text": "x"}, files={"otro": ("", b"")})
    assert empty.status_code == 422 and told("photo_missing") in empty.text
    assert not node.app.state.rooms.get(room).of("photo")
