"""A phone with 100 answers and 20 photos behind a line that cuts, delays, lies and garbles: all arrive, once."""

import itertools
import random
from collections.abc import Callable

import pytest

from collector.db import reading
from collector.queries import blobs, records
from sync.records import uuid7
from tests.browser.conftest import Phone
from tests.browser.origins import HOSTS
from tests.browser.test_files import MODULES, take_noise
from tests.conftest import Node, submission
from tests.faults.proxy import Fault, FaultProxy
from tests.stored import count_entries

RECORDS, PHOTOS, PHOTO_BYTES = 100, 20, 30_000
SECONDS = 150
OURS = b"X-Collector: 1\r\nContent-Type: application/json\r\n"


def answer(status: bytes, body: bytes, head: bytes = b"") -> Fault:
    """Return a line on which somebody else answers everything."""
    length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    return Fault(says=b"HTTP/1.1 " + status + b"\r\n" + head + length + body)


FAULTS = (
    Fault(up_bytes=700), Fault(down_bytes=90), Fault(up_bytes=9_000, resets=True), Fault(down_bytes=400, resets=True),
    Fault(delay_seconds=0.4), Fault(bytes_per_second=60_000), Fault(up_bytes=40_000),
    answer(b"200 OK", b"<html>Acepte los t\xc3\xa9rminos</html>", b"Content-Type: text/html\r\n"),
    answer(b"500 Internal Server Error", b"{}", OURS),
    answer(b"413 Content Too Large", b"<html>413</html>"),
    answer(b"503 Service Unavailable", b'{"title": "ocupado"}', OURS),
    answer(b"200 OK", b'{"results": {"', OURS),
    Fault(garbles=0.02),
)  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_a_hundred_answers_with_photos_arrive_once_over_a_line_that_does_all_a_line_can(
    make_node: Callable[..., Node], phone: Phone, host: str
) -> None:
    node = make_node("central")
    line = FaultProxy(node.port)
    try:
        page = phone.open()
        page.add_init_script(MODULES)
        page.goto(f"http://{host}:{line.port}/mis-respuestas")
        page.wait_for_selector("text=Aquí verá sus respuestas")
        photos = [take_noise(page, PHOTO_BYTES + n) for n in range(PHOTOS)]
        line.use(answer(b"500 Internal Server Error", b"{}"))
        contents = [submission(form="prueba", id=uuid7()) for _ in range(RECORDS)]
        page.evaluate(
            "async ([contents, photos]) => { for (const [n, one] of contents.entries())"
            " await addRecord(one, photos.slice(n, n + 1)); }",
            [contents, photos],
        )
        chance = random.Random(7)
        order = itertools.chain.from_iterable(chance.sample(FAULTS, len(FAULTS)) for _ in itertools.count())
        seconds = 0.0
        met: set[Fault] = set()
        while not everything_is_there(node, contents, photos):
            assert seconds < SECONDS, "not everything arrived in time"
            # a good line in between, as short as people meet it
            fault = next(order) if seconds % 2 < 1.5 else Fault()
            met.add(fault)
            line.use(fault)
            page.evaluate("dispatchEvent(new Event('online'))")
            page.wait_for_timeout(500)
            seconds += 0.5
        assert len(met) > len(FAULTS) / 2
        line.use(Fault())
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_selector("text=Todo enviado")
        with reading(node.app.state.engine) as session:
            assert (count_entries(session), records.count_quarantine(session)) == (RECORDS, 0)
    finally:
        line.stop()


def everything_is_there(node: Node, contents: list[dict[str, object]], photos: list[dict[str, object]]) -> bool:
    """Tell whether the node holds every record, and every photo whole."""
    with reading(node.app.state.engine) as session:
        if count_entries(session) + records.count_quarantine(session) < len(contents):
            return False
        found = [blobs.file_named(session, str(photo["sha256"])) for photo in photos]
        sizes = [len(blobs.read_part(session, str(photo["sha256"]), 0, 10**6)) for photo in photos]
        is_whole = sizes == [photo["bytes"] for photo in photos]
        return all(found) and is_whole and all(records.record_by_id(session, str(one["id"])) for one in contents)
