"""The sender: what counts as delivery, what does not, and that nothing is sent for ever or lost on the way."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collector.db import writing
from collector.problems import ProblemError
from collector.queries import nodes
from sync.loop import pause_seconds
from sync.push import SyncResult, SyncState
from tests.sync.conftest import Node

MakeNode = Callable[..., Node]
Serve = Callable[[Any], str]


def pair(make_node: MakeNode) -> tuple[Node, Node]:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    return central, tablet


def move_to(node: Node, url: str) -> None:
    """Let `node` find its upstream at another address, as a hotspot with a portal makes it."""
    with writing(node.engine) as session:
        nodes.change_upstream(session, url=url)


def states(node: Node) -> tuple[int, int, int]:
    counts = node.status().counts
    return counts.saved, counts.sent, counts.central


def test_what_a_tablet_has_reaches_central_and_is_shown_so(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    ids = tablet.capture(3)
    assert states(tablet) == (3, 0, 0)
    result = tablet.sync()
    assert (result.sent, result.duplicates, result.error) == (3, 0, "")
    assert central.ids() == sorted(ids)
    assert states(tablet) == (0, 0, 3)
    assert central.rows("SELECT body FROM record ORDER BY id") == tablet.rows("SELECT body FROM record ORDER BY id")
    assert central.status().counts.central == 3


def test_a_node_without_upstream_says_so(make_node: MakeNode) -> None:
    with pytest.raises(ProblemError) as caught:
        make_node().sync()
    assert caught.value.problem.code == "no_upstream"


class Counted(httpx.HTTPTransport):
    """Counts requests and bytes on their way out."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []
        self.batch_bytes: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path.rsplit("/", 1)[-1])
        if self.paths[-1] == "batches":
            self.batch_bytes.append(len(request.content))
        return super().handle_request(request)


def counted(node: Node) -> Counted:
    transport = Counted()
    node.http.close()
    node.http = httpx.Client(transport=transport, trust_env=False)
    return transport


def test_one_round_trip_when_warm_two_when_cold_and_one_when_there_is_nothing_new(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    central.publish("f", "1", 1)
    transport, state = counted(tablet), SyncState()
    with writing(tablet.engine) as session:  # the forms are another test's
        nodes.change_upstream(session, forms_etag=_etag(central, tablet))
    transport.paths.clear()
    for expected in (["hello", "batches"], ["batches"], ["hello", "report"], ["hello"]):
        if "batches" in expected:
            tablet.capture(15)
        assert tablet.sync(state).error == ""
        assert transport.paths == expected
        transport.paths.clear()


def _etag(central: Node, tablet: Node) -> str:
    with writing(tablet.engine) as session:
        upstream = nodes.get_upstream(session)
        assert upstream is not None
        headers = {"Authorization": f"Bearer {upstream.token}"}
    return str(tablet.http.get(central.url + "/sync/v1/hello", headers=headers).json()["forms_etag"])


def test_batches_grow_while_the_line_is_quick_and_spare_its_bytes(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    tablet.capture(20 + 40 + 80 + 160 + 7)
    transport = counted(tablet)
    assert tablet.sync().sent == 307
    assert transport.paths.count("batches") == 5
    assert len(central.ids()) == 307
    assert transport.batch_bytes[3] / 160 <= 160  # bytes a record


def test_a_batch_of_large_records_stays_within_the_limits(make_node: MakeNode) -> None:
    import secrets

    central, tablet = pair(make_node)
    for _ in range(12):
        tablet.capture(1, answers={"nota": secrets.token_hex(110_000)})  # 12 x 110 kB that gzip cannot shrink
    transport = counted(tablet)
    assert tablet.sync().error == ""
    assert len(central.ids()) == 12
    assert max(transport.batch_bytes) <= 1024 * 1024
    assert transport.paths.count("batches") >= 2


def test_a_receiver_that_takes_less_gets_smaller_batches(make_node: MakeNode, serve: Serve) -> None:
    central, tablet = pair(make_node)
    tablet.capture(20)
    sizes: list[int] = []

    async def narrow(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        size = int(headers.get(b"content-length", b"0"))
        if scope["path"].endswith("/batches"):
            sizes.append(size)
            if size > 900:
                scope = {**scope, "path": "/narrow"}
        if scope["path"] == "/narrow":
            await receive()
            await _say(
                send, 413, b"application/problem+json", b'{"type":"urn:collector:problem:too_large","code":"too_large"}'
            )
            return
        await central.app(scope, receive, send)

    move_to(tablet, serve(narrow))
    assert tablet.sync().error == ""
    assert len(central.ids()) == 20
    assert sizes[0] > 900 > min(sizes)


async def _say(send: Any, status: int, media_type: bytes, body: bytes, **more: bytes) -> None:
    headers = [(b"content-type", media_type), *((name.encode(), value) for name, value in more.items())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


PORTAL = b"<html><title>Bienvenido</title><form>Acepte las condiciones</form></html>"


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [
        (200, b"text/html", PORTAL),
        (200, b"application/json", b'{"ok":true}'),
        (302, b"text/html", b""),
        (204, b"text/plain", b""),
        (403, b"text/html", PORTAL),
        (401, b"application/json", b'{"code":"unknown_node"}'),
        (511, b"text/html", PORTAL),
        (404, b"text/html", PORTAL),
    ],
)
def test_a_captive_portal_marks_nothing_as_sent(
    status: int, media_type: bytes, body: bytes, make_node: MakeNode, serve: Serve
) -> None:
    central, tablet = pair(make_node)
    tablet.capture(2)
    home = central.url

    async def portal(scope: Any, _receive: Any, send: Any) -> None:
        await _say(send, status, media_type, body, location=home.encode() + scope["path"].encode())

    move_to(tablet, serve(portal))
    warm = SyncState(is_warm=True, hello_at=time.monotonic())
    for state in (None, warm):
        result = tablet.sync(state)
        assert (result.error, result.sent, result.is_final) == ("upstream_strange", 0, False)
    assert states(tablet) == (2, 0, 0)
    assert tablet.status().last_contact_ms is None
    assert "Wi-Fi" in tablet.status().error_es
    move_to(tablet, home)
    assert tablet.sync().sent == 2
    assert tablet.status().as_json()["last_error"] is None


@pytest.mark.parametrize(
    # the last: beyond all that was sent, whatever is sent; it must end too
    "change",
    [{"batch": "x"}, {"node": "x"}, {"cursor": 1}, {"cursor": None}, {"epoch": "x"}, {"cursor": 9999}],
)
def test_an_answer_that_does_not_echo_the_batch_marks_nothing(
    change: dict[str, Any], make_node: MakeNode, serve: Serve
) -> None:
    import json

    central, tablet = pair(make_node)
    tablet.capture(2)

    async def forger(scope: Any, receive: Any, send: Any) -> None:
        async def other(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [pair for pair in message["headers"] if pair[0] != b"content-length"]
            elif scope["path"].endswith("/batches"):
                message["body"] = json.dumps({**json.loads(message["body"]), **change}).encode()
            await send(message)

        await central.app(scope, receive, other)

    home = central.url
    move_to(tablet, serve(forger))
    assert tablet.sync().error == "upstream_strange"
    assert states(tablet) == (2, 0, 0)
    move_to(tablet, home)
    tablet.sync()
    assert (states(tablet), len(central.ids())) == ((0, 0, 2), 2)


@pytest.mark.parametrize(
    ("status", "code", "error", "is_final"),
    [
        (401, "unknown_node", "upstream_unknown", True),
        (403, "revoked", "upstream_unknown", True),
        (426, "protocol", "upstream_refused", True),
        (508, "loop", "upstream_refused", False),
        (400, "bad_line", "upstream_refused", False),
        (429, "too_many_tries", "upstream_busy", False),
        (503, "store_busy", "upstream_busy", False),
        (507, "disk_full", "upstream_busy", False),
    ],
)
def test_a_refusal_keeps_everything_and_says_why(
    status: int, code: str, error: str, is_final: bool, make_node: MakeNode, serve: Serve
) -> None:
    _, tablet = pair(make_node)
    tablet.capture(2)

    async def refuse(_scope: Any, _receive: Any, send: Any) -> None:
        body = f'{{"type":"urn:collector:problem:{code}","code":"{code}"}}'.encode()
        await _say(send, status, b"application/problem+json", body, **{"retry-after": b"77"})

    move_to(tablet, serve(refuse))
    result = tablet.sync()
    assert (result.error, result.is_final, result.retry_seconds) == (error, is_final, 77.0)
    status_now = tablet.status()
    assert (states(tablet), status_now.error_code) == ((2, 0, 0), error)
    assert code in status_now.error_en
    assert status_now.last_contact_ms is not None
    for sentence in (status_now.error_es, status_now.error_en):
        assert "{" not in sentence and "?" not in sentence
    assert pause_seconds(1, result) == (900.0 if is_final else 77.0)


def test_no_signal_is_said_in_plain_words_and_keeps_the_last_contact(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    tablet.capture()
    tablet.sync()
    contact = tablet.status().last_contact_ms
    tablet.capture()
    central.close()
    time.sleep(0.01)
    assert tablet.sync().error == "upstream_unreachable"
    status = tablet.status()
    assert status.last_contact_ms == contact is not None
    assert status.last_try_ms is not None and status.last_try_ms > contact
    assert status.error_es.startswith("No hay señal con http://127.0.0.1")
    assert states(tablet) == (1, 0, 1)


class Cutting(httpx.HTTPTransport):
    """Lets a whole batch through and loses its answer, as a line does that dies at that moment."""

    def __init__(self, losses: int) -> None:
        super().__init__()
        self.losses = losses

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.url.path.endswith("/batches") and self.losses:
            self.losses -= 1
            response.read()
            raise httpx.ReadError("connection reset", request=request)
        return response


def test_a_lost_answer_makes_no_second_copy_and_loses_nothing(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    ids = tablet.capture(30)
    tablet.http.close()
    tablet.http = httpx.Client(transport=Cutting(1), trust_env=False)
    assert tablet.sync().error == "upstream_unreachable"
    assert states(tablet) == (30, 0, 0)
    assert len(central.ids()) == 20  # the first batch is there, and nobody here knows
    assert tablet.sync().error == ""
    assert central.ids() == sorted(ids)
    assert states(tablet) == (0, 0, 30)
    assert [row[0] for row in central.rows("SELECT count(*) FROM record GROUP BY id")] == [1] * 30


def test_a_lost_answer_to_a_warm_sender_is_made_good_by_sending_again(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    state = SyncState()
    tablet.sync(state)
    tablet.capture(5)
    tablet.http.close()
    tablet.http = httpx.Client(transport=Cutting(1), trust_env=False)
    assert tablet.sync(state).error == "upstream_unreachable"
    with writing(tablet.engine) as session:  # were the hello skipped, the same batch goes again
        nodes.change_upstream(session, cursor_n=0)
    state.is_warm, state.hello_at = True, time.monotonic()
    assert tablet.sync(state).duplicates == 5
    assert len(central.ids()) == 5


def test_a_client_that_hangs_up_after_sending_is_stored_once(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    ids = tablet.capture(4)
    transport = Recorded()
    tablet.http.close()
    tablet.http = httpx.Client(transport=transport, trust_env=False)
    tablet.sync()
    request = transport.batches[0]
    central_again = make_node("otra")
    tablet.enrol_at(central_again)
    with writing(tablet.engine) as session:
        upstream = nodes.get_upstream(session)
        assert upstream is not None
        token = upstream.token
    host, port = central_again.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(
            b"POST /sync/v1/batches HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
            b"Content-Encoding: gzip\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
            % (token.encode(), len(request), request)
        )
    deadline = time.monotonic() + 10
    while not central_again.ids() and time.monotonic() < deadline:
        time.sleep(0.02)
    tablet.sync()
    assert central_again.ids() == sorted(ids) == central.ids()
    assert states(tablet) == (0, 0, 4)


class Recorded(httpx.HTTPTransport):
    def __init__(self) -> None:
        super().__init__()
        self.batches: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/batches"):
            self.batches.append(request.content)
        return super().handle_request(request)


class Slow(httpx.HTTPTransport):
    """A line on which a batch larger than `most` times out."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.tried: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/batches"):
            self.tried.append(len(request.content))
            if self.tried[-1] > self.most:
                raise httpx.WriteTimeout("timed out", request=request)
        return super().handle_request(request)


def test_a_slow_line_gets_smaller_batches_down_to_one_record(make_node: MakeNode) -> None:
    central, tablet = pair(make_node)
    tablet.capture(20)
    tablet.http.close()
    transport = Slow(most=900)
    tablet.http = httpx.Client(transport=transport, trust_env=False)
    assert tablet.sync().error == ""
    assert len(central.ids()) == 20
    tablet.capture(2)
    transport.most = 0
    result = tablet.sync()
    assert result.error == "upstream_unreachable"
    assert "time" in result.reason


def test_eight_senders_at_once_arrive_whole_and_once(make_node: MakeNode) -> None:
    central = make_node("central")
    tablets = [make_node(f"tableta {number}") for number in range(4)]
    for tablet in tablets:
        tablet.enrol_at(central)
        tablet.capture(40)
    shared = tablets[0].rows("SELECT body FROM record")[0][0]
    for tablet in tablets[1:]:
        tablet.capture_bodies([shared])  # the same record by two ways
    results: list[SyncResult] = []
    threads = [
        threading.Thread(target=lambda node=node: results.append(node.sync())) for node in tablets for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [result.error for result in results] == [""] * 8
    assert len(central.ids()) == 160
    assert central.ids("quarantine") == []
