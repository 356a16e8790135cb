"""Files of answers: taken in pieces and proved whole, sent up after the records that name them, cut anywhere."""

import base64
import hashlib
import json
import random
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.db import reading, writing
from collector.problems import ProblemError
from collector.queries import blobs
from sync import blobs as sending
from sync import limits
from sync.loop import SyncLoop
from sync.push import SyncState
from sync.records import canonical_bytes
from tests.faults.forked import Forker
from tests.sync.conftest import Node, record_content
from tests.sync.test_sync_chain import chain, copy_store, put_back
from tests.sync.test_sync_kill import Receiver

MakeNode = Callable[..., Node]
CHUNK = limits.MAX_BLOB_CHUNK_BYTES


def photo(size: int = 700_000, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@lru_cache
def sha_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def entry(content: bytes, name: str = "foto.jpg", **changes: Any) -> dict[str, Any]:
    return {"name": name, "sha256": sha_of(content), "bytes": len(content), "type": "image/jpeg", **changes}


def name_in_a_record(node: Node, *contents: bytes) -> str:
    """Store a record that names these files, as a phone's outbox does before it sends them."""
    [record_id] = node.capture(1, blobs=[entry(content, f"foto-{n}.jpg") for n, content in enumerate(contents)])
    return record_id


def patch(
    node: Node, content: bytes, at: int = 0, size: int = CHUNK, part: bytes | None = None, **headers: str
) -> httpx.Response:
    """Send one piece of `content` as a browser does; `part` and `headers` replace what is right."""
    piece = content[at : at + size] if part is None else part
    digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    right = {
        "Upload-Offset": str(at),
        "Upload-Length": str(len(content)),
        "Content-Digest": f"sha-256=:{digest}:",
        "Content-Type": "application/octet-stream",
    }
    sent = right | {name.replace("_", "-"): value for name, value in headers.items()}
    return node.http.patch(f"{node.url}/sync/v1/blobs/{sha_of(content)}", content=piece, headers=sent)


def head(node: Node, sha256: str) -> httpx.Response:
    return node.http.head(f"{node.url}/sync/v1/blobs/{sha256}")


def ask(node: Node, hashes: list[Any]) -> httpx.Response:
    return node.http.post(f"{node.url}/sync/v1/blobs/ask", content=json.dumps({"sha256": hashes}))


def upload(node: Node, content: bytes, size: int = CHUNK) -> dict[str, Any]:
    """Send a whole file as a browser does and return the last answer."""
    at = 0
    while at < len(content):
        answer = patch(node, content, at, size)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        at = told["have"]
    return told


def content_at(node: Node, sha256: str) -> bytes:
    """Read a whole file in odd pieces, so that they never end where the stored ones do."""
    with reading(node.engine) as session:
        found = blobs.file_named(session, sha256)
        if found is None:
            return b""
        return b"".join(blobs.read_part(session, sha256, at, 99_991) for at in range(0, found.bytes, 99_991))


def rows_of_files(node: Node) -> list[tuple[Any, ...]]:
    return node.rows("SELECT sha256, bytes, have FROM blob ORDER BY sha256")


# --- one receiver


def test_a_file_comes_in_pieces_and_is_whole_at_the_last(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo()
    name_in_a_record(central, content)
    sha256 = sha_of(content)
    assert (head(central, sha256).status_code, head(central, sha256).headers["upload-offset"]) == (204, "0")
    first = patch(central, content)
    assert first.json() == {"sha256": sha256, "have": CHUNK, "bytes": 700_000, "central": False}
    assert (first.headers["upload-offset"], first.headers["x-collector"]) == (str(CHUNK), "1")
    half = head(central, sha256)
    assert (half.status_code, half.headers["upload-offset"], half.headers["upload-length"]) == (204, "262144", "700000")
    assert content_at(central, sha256) == b""  # nobody reads half a file
    assert central.app.state.kicks == 0
    assert upload_rest(central, content) == {"sha256": sha256, "have": 700_000, "bytes": 700_000, "central": True}
    assert (head(central, sha256).status_code, content_at(central, sha256)) == (200, content)
    assert central.app.state.kicks == 1
    assert ask(central, [sha256, "0" * 64]).json() == {
        "blobs": {sha256: {"have": 700_000, "bytes": 700_000, "central": True}}
    }


def upload_rest(node: Node, content: bytes) -> dict[str, Any]:
    told: dict[str, Any] = ask(node, [sha_of(content)]).json()["blobs"][sha_of(content)]
    while told["have"] < told["bytes"]:
        told = patch(node, content, told["have"]).json()
    return told


def test_only_what_a_record_names_in_its_size_is_taken(make_node: MakeNode) -> None:
    central = make_node("central")
    content, other = photo(), photo(seed=2)
    name_in_a_record(central, content)
    for answer in (
        patch(central, other),
        patch(central, content, Upload_Length="700001"),
        patch(central, content, Upload_Length="9"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "blob_unknown")
    assert head(central, sha_of(other)).status_code == 404
    assert rows_of_files(central) == []


def test_names_that_are_not_written_as_they_must_be_are_none(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo(5000)
    good = entry(content)
    for wrong in (
        "foto", {}, [[]], [good | {"sha256": sha_of(content).upper()}], [good | {"bytes": "5000"}],
        [good | {"bytes": True}], [good | {"bytes": blobs.MAX_BLOB_BYTES + 1}], [good | {"bytes": 0}],
        [good | {"name": ""}], [good | {"name": 7}], [None] * 64 + [good],
    ):  # fmt: skip
        central.capture(1, blobs=wrong)
    assert head(central, sha_of(content)).status_code == 404
    central.capture_bodies(['{"blobs":[7],"id":"x"}', '{"blobs":' + "[" * 9000 + "]" * 9000 + "}"])
    central.capture(1, blobs=[good | {"type": "<b>"}])
    assert upload(central, content)["have"] == 5000
    with reading(central.engine) as session:
        found = blobs.file_named(session, sha_of(content))
    assert found is not None and found.media_type == "application/octet-stream"


def test_a_record_set_aside_names_its_files_too(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo(5000)
    first = record_content()
    central.capture_bodies([canonical_bytes(first).decode()])
    other = canonical_bytes({**first, "blobs": [entry(content)]}).decode()
    central.capture_bodies([other])
    assert central.rows("SELECT why FROM quarantine") == [("conflict",)]
    assert upload(central, content)["have"] == 5000


def test_a_damaged_piece_changes_nothing(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo()
    name_in_a_record(central, content)
    patch(central, content)
    before = rows_of_files(central)
    wrong = bytearray(content[CHUNK : 2 * CHUNK])
    wrong[77] ^= 1
    right = patch(central, content, CHUNK).request.headers["content-digest"]
    central_before = rows_of_files(central)
    assert central_before != before
    for answer, status, code in (
        (patch(central, content, 2 * CHUNK, part=bytes(wrong), Content_Digest=right), 422, "chunk_digest"),
        (patch(central, content, 2 * CHUNK, Content_Digest=""), 400, "bad_request"),
        (patch(central, content, 2 * CHUNK, Content_Digest="sha-256=:AAAA:"), 400, "bad_request"),
        (patch(central, content, 2 * CHUNK, Content_Digest="md5=:x:"), 400, "bad_request"),
        (patch(central, content, 2 * CHUNK, part=b""), 400, "bad_request"),
        (patch(central, content, 2 * CHUNK, size=10), 400, "bad_request"),
        (patch(central, content, 2 * CHUNK, part=photo(CHUNK + 1)), 413, "too_large"),
        (patch(central, content, 2 * CHUNK, Upload_Offset="x"), 400, "bad_request"),
        (patch(central, content, 2 * CHUNK, Upload_Offset="-1"), 400, "bad_request"),
        (patch(central, content, 2 * CHUNK, Upload_Length="1e3"), 400, "bad_request"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert rows_of_files(central) == central_before
    assert upload_rest(central, content)["have"] == len(content)
    assert content_at(central, sha_of(content)) == content


@pytest.mark.parametrize("at", [0, 4096, CHUNK - 1, CHUNK + 1, 2 * CHUNK, 699_999, 700_000])
def test_a_piece_that_begins_elsewhere_is_told_where_to_begin(make_node: MakeNode, at: int) -> None:
    central = make_node("central")
    content = photo()
    name_in_a_record(central, content)
    patch(central, content)
    answer = patch(central, content, at, part=content[at : at + CHUNK] or b"x")
    if at < 699_999:
        assert (answer.status_code, answer.json()["code"], answer.json()["have"]) == (409, "blob_offset", CHUNK)
    else:
        assert answer.status_code in (400, 409)
    assert rows_of_files(central) == [(sha_of(content), 700_000, CHUNK)]


def test_pieces_beyond_the_end_are_refused(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo()
    name_in_a_record(central, content)
    for at in (0, CHUNK):
        patch(central, content, at)
    answer = patch(central, content, 2 * CHUNK, part=photo(CHUNK, 3))
    assert (answer.status_code, answer.json()["have"]) == (409, 2 * CHUNK)
    assert upload_rest(central, content)["have"] == len(content)


def test_a_whole_file_with_another_hash_is_thrown_away_and_can_be_sent_again(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo(300_000)
    name_in_a_record(central, content)
    assert patch(central, content, part=photo(CHUNK, 9)).status_code == 200  # right in itself, of another file
    answer = patch(central, content, CHUNK)
    assert (answer.status_code, answer.json()["code"]) == (422, "blob_digest")
    assert rows_of_files(central) == [] == central.rows("SELECT at FROM blob_chunk")
    assert upload(central, content)["have"] == 300_000
    assert content_at(central, sha_of(content)) == content


def test_a_wrong_size_named_by_somebody_else_stops_nobody(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo(300_000)
    central.capture(1, blobs=[entry(content, bytes=600_000)])
    assert patch(central, content, Upload_Length="600000").status_code == 200
    name_in_a_record(central, content)
    assert upload(central, content)["have"] == 300_000
    assert content_at(central, sha_of(content)) == content


def test_what_is_whole_is_not_taken_twice(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo()
    name_in_a_record(central, content)
    upload(central, content)
    kicks = central.app.state.kicks
    pieces = central.rows("SELECT at FROM blob_chunk ORDER BY at")
    again = patch(central, content)
    assert (again.status_code, again.json()["have"]) == (200, 700_000)
    assert central.rows("SELECT at FROM blob_chunk ORDER BY at") == pieces
    assert central.app.state.kicks == kicks + 1


def test_two_senders_of_one_file_at_the_same_time_make_one_file(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo(3_000_000)
    name_in_a_record(central, content)
    url, sent = central.url, []

    def send(size: int) -> None:
        with httpx.Client(trust_env=False) as http:
            node = Node.__new__(Node)
            node.http, node.server = http, central.server
            at = 0
            while at < len(content):
                answer = patch(node, content, at, size)
                assert answer.status_code in (200, 409)
                sent.append(answer.status_code)
                at = answer.json()["have"]

    threads = [threading.Thread(target=send, args=(size,)) for size in (100_000, 65_536, CHUNK)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert url and content_at(central, sha_of(content)) == content
    assert sum(row[0] for row in central.rows("SELECT length(content) FROM blob_chunk")) == len(content)
    assert 200 in sent


@pytest.mark.parametrize("kept", [0, 1, 4095, 100_000, CHUNK - 1])
def test_a_piece_cut_on_the_way_leaves_what_was_there(make_node: MakeNode, kept: int) -> None:
    central = make_node("central")
    content = photo()
    name_in_a_record(central, content)
    patch(central, content)
    piece = content[CHUNK : 2 * CHUNK]
    digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    host, port = central.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as line:
        line.sendall(
            f"PATCH /sync/v1/blobs/{sha_of(content)} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(piece)}\r\n"
            f"Upload-Offset: {CHUNK}\r\nUpload-Length: {len(content)}\r\n"
            f"Content-Digest: sha-256=:{digest}:\r\n\r\n".encode()
            + piece[:kept]
        )
    assert rows_of_files(central) == [(sha_of(content), 700_000, CHUNK)]
    assert upload_rest(central, content)["have"] == len(content)
    assert content_at(central, sha_of(content)) == content


@pytest.mark.parametrize(
    ("hashes", "status"),
    [("x", 400), ([1], 400), (["a" * 63], 400), (["A" * 64], 400), (["a" * 64] * 201, 413), ([], 200)],
)
def test_a_question_without_hashes_is_refused(make_node: MakeNode, hashes: Any, status: int) -> None:
    assert ask(make_node(), hashes).status_code == status


def test_a_wrong_token_is_not_taken_for_a_browser(make_node: MakeNode) -> None:
    central = make_node("central")
    content = photo(5000)
    name_in_a_record(central, content)
    answer = patch(central, content, Authorization="Bearer nothing")
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_node")


def test_one_address_cannot_send_without_end(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    name_in_a_record(tablet, other := photo(seed=4))
    upload(tablet, other)
    monkeypatch.setattr(central.app.state.sync_guards, "file_bytes", limits.RateLimit(600_000, 600))
    content = photo()
    name_in_a_record(central, content)
    assert [patch(central, content, at).status_code for at in (0, CHUNK)] == [200, 200]
    answer = patch(central, content, 2 * CHUNK)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert tablet.sync().files == 1  # a node has a token: the lab knows it


def test_files_never_take_the_last_of_the_disk(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    central = make_node("central")
    content = photo()
    name_in_a_record(central, content)
    free = shutil.disk_usage(central.file.parent).free
    monkeypatch.setattr(limits, "DISK_RESERVE_BYTES", free * 2)
    answer = patch(central, content)
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert central.capture(1)  # records still fit
    monkeypatch.undo()
    assert upload(central, content)["have"] == len(content)


def test_a_file_of_the_largest_size_is_proved_at_its_end(make_node: MakeNode) -> None:
    central = make_node("central")
    largest = photo(blobs.MAX_BLOB_BYTES)
    sha256 = sha_of(largest)
    central.capture(1, blobs=[entry(largest)])
    sending.catch_up(central.engine)
    for at in range(0, len(largest), 8 * CHUNK):
        with writing(central.engine) as session:
            found = blobs.add_part(session, sha256, at, len(largest), largest[at : at + 8 * CHUNK])
    assert (found.is_whole, found.central, content_at(central, sha256)) == (True, True, largest)


# --- without scripts


def test_a_file_posted_without_scripts_waits_a_day_for_its_record(make_node: MakeNode) -> None:
    central = make_node("central")
    contents = [photo(5000, 1), photo(600_000, 2)]
    with writing(central.engine) as session:
        hashes = [blobs.add_blob(session, content, "image/jpeg; charset=x") for content in contents]
        told = blobs.entry_of(session, hashes[1], "foto")
    assert hashes == [sha_of(content) for content in contents]
    assert told == entry(contents[1], f"foto-{hashes[1][:6]}.jpg")
    assert head(central, hashes[1]).status_code == 404  # no record names it yet
    central.capture(1, blobs=[told])
    with writing(central.engine) as session:
        blobs.drop_unnamed(session, 2**52)
        assert blobs.entry_of(session, hashes[0], "foto") is None
    assert content_at(central, hashes[1]) == contents[1]
    assert len(central.rows("SELECT at FROM blob_chunk")) == 3


def test_an_empty_file_and_one_too_large_are_refused(make_node: MakeNode) -> None:
    node = make_node()
    for content in (b"", bytes(blobs.MAX_BLOB_BYTES + 1)):
        with pytest.raises(ProblemError, match="limit"), writing(node.engine) as session:
            blobs.add_blob(session, content, "image/jpeg")


def test_a_file_half_sent_by_a_phone_is_made_whole_by_a_post(make_node: MakeNode) -> None:
    node = make_node()
    content = photo()
    name_in_a_record(node, content)
    patch(node, content)
    with writing(node.engine) as session:
        blobs.add_blob(session, content, "image/jpeg")
    assert content_at(node, sha_of(content)) == content


# --- up the chain


def holds(node: Node, *contents: bytes) -> bool:
    return all(content_at(node, sha_of(content)) == content for content in contents)


def is_central(node: Node, content: bytes) -> bool:
    return bool(ask(node, [sha_of(content)]).json()["blobs"][sha_of(content)]["central"])


def tablet_holding(make_node: MakeNode, *contents: bytes) -> tuple[Node, Node]:
    """Return central, and a tablet enrolled there that has these files whole, named by a record."""
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    name_in_a_record(tablet, *contents)
    for content in contents:
        upload(tablet, content)
    return central, tablet


def test_files_go_from_tablet_to_hub_to_central_and_the_word_comes_back(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    contents = [photo(700_000, seed) for seed in range(3)]
    name_in_a_record(tablet, *contents)
    for content in contents:
        upload(tablet, content)
    state = SyncState()
    assert tablet.sync(state).files == 3
    assert holds(hub, *contents) and not holds(central, contents[0])
    assert not is_central(tablet, contents[0]) and not is_central(hub, contents[0])
    assert hub.sync().files == 3
    assert holds(central, *contents) and is_central(hub, contents[2])
    assert not is_central(tablet, contents[0])  # it has not heard yet
    assert tablet.sync(state).files == 0
    assert all(is_central(tablet, content) for content in contents)


def test_one_file_in_many_records_goes_up_once(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    content = photo()
    for _ in range(5):
        name_in_a_record(tablet, content)
    upload(tablet, content)
    name_in_a_record(central, content)
    upload(central, content)
    assert tablet.sync().files == 1
    hub.sync()
    assert hub.rows("SELECT count(*) FROM blob") == central.rows("SELECT count(*) FROM blob") == [(1,)]
    assert is_central(hub, content)


def test_a_file_that_has_not_come_from_the_phone_yet_holds_up_nothing(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    missing, here = photo(seed=1), photo(seed=2)
    name_in_a_record(tablet, missing, here)
    patch(tablet, missing)
    upload(tablet, here)
    result = tablet.sync()
    assert (result.error, result.sent, result.files) == ("", 1, 1)
    assert holds(central, here) and not holds(central, missing)
    upload_rest(tablet, missing)
    assert tablet.sync().files == 1
    assert holds(central, missing)


class Cuttable(httpx.BaseTransport):
    """A line on which the n-th PATCH is cut, before it arrives or before its answer does; `before` sees each request.

    before: may answer in the upstream's place.
    """

    def __init__(
        self,
        node: Node,
        *moments: str,
        before: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None,
    ) -> None:
        self.moments, self.before, self.bytes = list(moments), before, 0
        self.real = httpx.HTTPTransport()
        node.http.close()
        node.http = httpx.Client(trust_env=False, transport=self)

    def close(self) -> None:
        self.real.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_piece = request.method == "PATCH"
        self.bytes += len(request.content) if is_piece else 0
        moment = self.moments.pop(0) if is_piece and self.moments else ""
        if moment == "request":
            raise httpx.ConnectError("cut")
        if moment == "slow":
            raise httpx.ReadTimeout("slow")
        answer = self.before(request) or self.real.handle_request(request)
        answer.read()
        if moment == "answer":
            raise httpx.ReadError("cut")
        if moment == "late":
            raise httpx.ReadTimeout("late")
        if moment == "portal":
            return httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"})
        return answer


@pytest.mark.parametrize("moment", ["request", "answer", "portal"])
@pytest.mark.parametrize("place", range(5))
def test_a_line_cut_at_any_piece_sends_the_rest_and_at_most_one_piece_twice(
    make_node: MakeNode, moment: str, place: int
) -> None:
    content = photo(900_000)
    central, tablet = tablet_holding(make_node, content)
    line = Cuttable(tablet, *[""] * place, moment)
    assert tablet.sync().error in ("upstream_unreachable", "upstream_strange")
    assert not is_central(tablet, content)
    result = tablet.sync()
    assert (result.error, holds(central, content), is_central(tablet, content)) == ("", True, True)
    assert line.bytes <= len(content) + CHUNK


def test_a_slow_line_gets_smaller_pieces(make_node: MakeNode) -> None:
    content = photo()
    central, tablet = tablet_holding(make_node, content)
    Cuttable(tablet, *["slow"] * 4)
    assert tablet.sync().error == ""
    first = central.rows("SELECT length(content) FROM blob_chunk ORDER BY at")[0][0]
    assert (first, holds(central, content)) == (limits.MIN_BLOB_CHUNK_BYTES, True)


def test_a_piece_that_arrived_before_the_patience_ended_is_not_sent_again(make_node: MakeNode) -> None:
    content = photo()
    central, tablet = tablet_holding(make_node, content)
    Cuttable(tablet, "late", "", "late")
    assert tablet.sync().error == ""
    assert holds(central, content)


def test_new_records_go_before_the_next_piece(make_node: MakeNode) -> None:
    content = photo(900_000)
    central, tablet = tablet_holding(make_node, content)
    made: list[str] = []
    seen: list[tuple[int, int]] = []

    def capture_meanwhile(request: httpx.Request) -> None:
        if request.method == "PATCH":
            seen.append((len(made), len(central.ids())))
            made.extend(tablet.capture(1))

    Cuttable(tablet, before=capture_meanwhile)
    assert tablet.sync().files == 1
    assert len(seen) >= 4
    assert all(arrived == before + 1 for before, arrived in seen)  # and the one that names the file


def test_the_time_for_files_ends_and_the_loop_goes_on(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [photo(150_000, seed) for seed in range(3)]
    central, tablet = tablet_holding(make_node, *contents)
    monkeypatch.setattr(sending, "FILES_SECONDS", -1.0)
    result = tablet.sync()
    assert (result.files, result.has_more, result.error) == (0, True, "")
    monkeypatch.setattr(sending, "FILES_SECONDS", 0.02)
    loop = SyncLoop(tablet.engine, 600.0, tablet.install)
    loop.start()
    try:
        wait_until(lambda: holds(central, *contents))
    finally:
        loop.stop()


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    done = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if true():
            return
        done.wait(0.05)
    raise AssertionError("it did not happen in time")


def test_an_upstream_of_an_older_release_gets_no_files_and_all_records(make_node: MakeNode) -> None:
    content = photo()
    _, tablet = tablet_holding(make_node, content)
    asked: list[str] = []

    def as_before(request: httpx.Request) -> httpx.Response | None:
        asked.append(request.url.path)
        if not request.url.path.endswith("/hello"):
            return None
        answer = httpx.get(request.url, headers=request.headers, trust_env=False)
        known = {key: value for key, value in answer.json().items() if key != "blobs"}
        return httpx.Response(200, json=known, headers={"X-Collector": "1"})

    Cuttable(tablet, before=as_before)
    result = tablet.sync()
    assert (result.error, result.sent, result.files) == ("", 1, 0)
    assert not [path for path in asked if "blobs" in path]


def test_a_file_that_the_upstream_will_not_take_holds_up_no_other(make_node: MakeNode) -> None:
    contents = [photo(300_000, seed) for seed in range(3)]
    central, tablet = tablet_holding(make_node, *contents)
    bad = sha_of(contents[0])

    def refuse_one(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and bad in request.url.path:
            body = {"type": "urn:collector:problem:bad_request", "code": "bad_request", "status": 400}
            return httpx.Response(400, json=body, headers={"Content-Type": "application/problem+json"})
        return None

    Cuttable(tablet, before=refuse_one)
    state = SyncState()
    result = tablet.sync(state)
    assert (result.error, result.files, state.blobs.refused) == ("", 2, {bad})
    assert holds(central, *contents[1:])


def test_another_file_mixed_in_by_a_stranger_is_thrown_away_and_the_right_one_arrives(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    content = photo()
    name_in_a_record(tablet, content)
    tablet.sync()
    assert patch(central, content, part=photo(CHUNK, 9)).status_code == 200
    upload(tablet, content)
    result = tablet.sync()
    assert (result.error, holds(central, content)) == ("", True)


# --- stores put back


def test_a_central_put_back_from_before_the_files_gets_them_again(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    content = photo()
    name_in_a_record(tablet, content)
    tablet.sync()
    copy_store(central, "old.db")  # it has the record and not the file
    upload(tablet, content)
    state = SyncState()
    tablet.sync(state)
    assert holds(central, content)
    put_back(central, "old.db")
    assert not holds(central, content)
    tablet.sync(state)
    assert holds(central, content)


def test_what_central_lost_is_not_called_received_any_more(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    copy_store(central, "old.db")
    content = photo()
    name_in_a_record(tablet, content)
    upload(tablet, content)
    for node in (tablet, hub, tablet):
        node.sync()
    assert is_central(tablet, content)
    put_back(central, "old.db")
    hub.sync()
    tablet.sync()
    assert holds(central, content) and is_central(hub, content)


def test_a_new_upstream_gets_every_file(make_node: MakeNode) -> None:
    first, second, tablet = make_node("central"), make_node("otra central"), make_node("tableta")
    tablet.enrol_at(first)
    content = photo()
    name_in_a_record(tablet, content)
    upload(tablet, content)
    tablet.sync()
    assert is_central(tablet, content)
    tablet.enrol_at(second)
    assert not is_central(tablet, content)
    tablet.sync()
    assert holds(second, content) and is_central(tablet, content)


# --- power cuts


@pytest.fixture
def receiver(tmp_path: Path, forker: Forker) -> Iterator[Receiver]:
    one = Receiver(tmp_path, forker)
    yield one
    one.kill()
    one.engine.dispose()


def test_a_node_killed_between_pieces_goes_on_from_where_it_stood(receiver: Receiver, make_node: MakeNode) -> None:
    tablet = make_node("tableta")
    receiver.enrol(tablet)
    contents = [photo(1_500_000, seed) for seed in range(2)]
    name_in_a_record(tablet, *contents)
    for content in contents:
        upload(tablet, content)
    pieces, killers = 0, list[threading.Timer]()

    def kill_at_the_second(request: httpx.Request) -> None:
        nonlocal pieces
        pieces += request.method == "PATCH"
        if request.method == "PATCH" and pieces == 2:
            killers.append(threading.Timer(random.uniform(0, 0.02), receiver.kill))
            killers[-1].start()

    line = Cuttable(tablet, before=kill_at_the_second)
    errors = 0
    for _ in range(4):
        receiver.start()
        pieces = 0
        errors += bool(tablet.sync().error)
        for killer in killers:
            killer.join()
        receiver.kill()
    receiver.start()
    assert errors > 0
    assert tablet.sync().error == ""
    assert all(is_central(tablet, content) for content in contents)
    with reading(receiver.engine) as session:
        for content in contents:
            assert blobs.read_part(session, sha_of(content), 0, len(content)) == content
    assert line.bytes <= sum(map(len, contents)) + errors * CHUNK


@pytest.mark.parametrize("name", ["\\udfff", "\\u0000"])
def test_a_name_that_no_database_keeps_names_no_file(
    make_node: MakeNode, make_body: Callable[..., str], name: str
) -> None:
    node = make_node()
    entry = {"name": "NAME", "sha256": sha_of(b"x"), "bytes": 1, "type": "image/png"}
    node.capture_bodies([make_body(blobs=[entry]).replace("NAME", name)])
    assert ask(node, [sha_of(b"x")]).json() == {"blobs": {}}
