"""What a phone saved into a file is taken in on any node, whole or not, once or often."""

import base64
import hashlib
import io
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from collector.clock import now_ms
from collector.db import reading
from collector.problems import ProblemError
from collector.queries import blobs
from sync.carried import take_file
from sync.rescue import Rescued
from tests.sync.conftest import Node

PIECE = 192 * 1024


def take(node: Node, content: bytes) -> Rescued:
    taken = take_file(node.engine, io.BytesIO(content), now_ms())
    assert isinstance(taken, Rescued)
    return taken


def lines_of_file(content: bytes, piece: int = PIECE) -> list[str]:
    sha256 = hashlib.sha256(content).hexdigest()
    return [
        json.dumps({"blob": sha256, "at": at, "content": base64.b64encode(content[at : at + piece]).decode()}).replace(
            ": ", ":"
        )
        for at in range(0, len(content), piece)
    ]


def entry_of(content: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    return {"name": f"foto-{sha256[:6]}.jpg", "sha256": sha256, "bytes": len(content), "type": "image/jpeg"}


def kept(node: Node, content: bytes) -> bytes:
    with reading(node.engine) as session:
        return blobs.read_part(session, hashlib.sha256(content).hexdigest(), 0, len(content))


def test_every_record_of_a_phone_arrives_once_however_often_it_is_brought(
    make_node: Callable[..., Node], make_body: Callable[..., str]
) -> None:
    node = make_node()
    bodies = [make_body() for _ in range(123)]
    content = "\n".join(bodies).encode() + b"\n"
    assert (take(node, content).stored, take(node, content).duplicate) == (123, 123)
    assert sorted(body for (body,) in node.rows("SELECT body FROM record")) == sorted(bodies)


def test_photos_come_whole_with_their_answers(make_node: Callable[..., Node], make_body: Callable[..., str]) -> None:
    node = make_node()
    photo, note = random.Random(1).randbytes(500_000), b"nota de voz"
    lines = [make_body(blobs=[entry_of(photo), entry_of(note)]), *lines_of_file(photo), *lines_of_file(note)]
    taken = take(node, "\n".join(lines).encode())
    assert (taken.stored, taken.files, taken.unnamed, taken.damaged) == (1, 2, 0, [])
    assert (kept(node, photo), kept(node, note)) == (photo, note)
    assert take(node, "\n".join(lines).encode()).files == 2


def test_a_photo_of_which_half_is_here_is_completed(
    make_node: Callable[..., Node], make_body: Callable[..., str]
) -> None:
    node = make_node()
    photo = random.Random(2).randbytes(400_000)
    lines = [make_body(blobs=[entry_of(photo)]), *lines_of_file(photo)]
    assert take(node, "\n".join(lines[:2]).encode()).files == 0
    assert take(node, "\n".join([lines[0], *lines_of_file(photo, 300_001)]).encode()).files == 1
    assert kept(node, photo) == photo


def test_of_a_file_cut_short_everything_before_the_cut_is_taken(
    make_node: Callable[..., Node], make_body: Callable[..., str]
) -> None:
    node = make_node()
    bodies = [make_body() for _ in range(60)]
    content = "\n".join(bodies).encode()
    taken = take(node, content[:-20])
    assert (taken.stored, taken.damaged) == (59, [60])
    assert take(node, content).stored == 1


def test_damaged_lines_are_told_and_keep_no_other_from_being_taken(
    make_node: Callable[..., Node], make_body: Callable[..., str]
) -> None:
    node = make_node()
    wrong = ["basura", '{"blob":"x","at":0,"content":""}', '{"blob":', "[" * 70_000, "x" * 2_000_000, '{"id":4}']
    lines = [make_body(), *wrong, make_body(), "", make_body()]
    taken = take(node, "\n".join(lines).encode())
    assert (taken.stored, taken.damaged) == (3, [2, 3, 4, 5, 6, 7])


def test_a_file_that_no_answer_names_is_left_out(make_node: Callable[..., Node], make_body: Callable[..., str]) -> None:
    node = make_node()
    taken = take(node, "\n".join([make_body(), *lines_of_file(b"de nadie")]).encode())
    assert (taken.stored, taken.files, taken.unnamed) == (1, 0, 1)
    assert node.rows("SELECT * FROM blob") == []


def test_a_browser_cannot_erase_or_decide_by_way_of_a_file(
    make_node: Callable[..., Node], make_body: Callable[..., str]
) -> None:
    node = make_node()
    body = make_body()
    take(node, body.encode())
    victim = json.loads(body)["id"]
    tombstone = {"by": "person", "erases": victim, "reason": "x"}
    wrong = make_body(kind="tombstone", **tombstone)
    assert take(node, wrong.encode()).quarantined == 1
    assert node.rows("SELECT state FROM record") == [("usable",)]


def test_a_file_without_one_line_of_ours_is_refused(make_node: Callable[..., Node]) -> None:
    with pytest.raises(ProblemError) as caught:
        take(make_node(), b'{\n  "name": "otra cosa"\n}\n')
    assert caught.value.problem.code == "bundle_unknown"
