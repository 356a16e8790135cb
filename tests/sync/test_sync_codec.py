"""Canonical records and batches as bytes: pure functions, enumerated and by hypothesis."""

import gzip
import hashlib
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.problems import ProblemError
from sync.batches import Hop, hops_json, inflate, log_line, pack_batch, read_batch, split_lines
from sync.limits import RateLimit
from sync.records import MAX_DEPTH, canonical_bytes, read_record, uuid7

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
NAMES = st.text("0123456789abcdef", min_size=1, max_size=32)
HOPS = st.lists(
    st.builds(Hop, NAMES, NAMES, st.integers(1, 2**53 - 1), st.just("2026-11-20T10:42:00.123Z")), max_size=7
)


def content_with(answers: Any, **more: Any) -> dict[str, Any]:
    texts = dict.fromkeys(("kind", "form", "version", "form_sha", "started", "finished", "lang", "salt"), "x")
    return {"id": uuid7(), **texts, "answers": {"a": answers}, **more}


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@given(VALUES)
def test_canonical_bytes_read_back_as_a_usable_record_and_do_not_change_again(value: Any) -> None:
    body = canonical_bytes(content_with(value)).decode()
    record = read_record(body)
    assert record.why is None
    assert record.sha256 == hashlib.sha256(body.encode()).digest()
    assert canonical_bytes(record.content) == body.encode()


@given(VALUES, st.randoms(use_true_random=False))
def test_canonical_bytes_do_not_depend_on_the_order_of_keys(value: Any, shuffle: random.Random) -> None:
    content = content_with(value, zona="Changuinola", Ñ=1, z=2)
    keys = list(content)
    shuffle.shuffle(keys)
    assert canonical_bytes({key: content[key] for key in keys}) == canonical_bytes(content)


@given(st.lists(st.tuples(VALUES, HOPS), min_size=1, max_size=6), st.integers(0, 10**6))
def test_a_batch_read_back_holds_the_same_bytes_hops_and_numbers(entries: list[Any], after: int) -> None:
    bodies = [canonical_bytes(content_with(value)).decode() for value, _ in entries]
    hops = [tuple(via) for _, via in entries]
    lines = [log_line(after + 2 * at + 1, hops_json(hops[at]), body) for at, body in enumerate(bodies)]
    upto = after + 2 * len(lines) - 1
    packed = pack_batch("a1", "e1", after, upto, lines, "2026-11-20T10:42:00.123Z")
    batch = read_batch(inflate(packed.body))
    assert (batch.header.batch, batch.header.after, batch.header.upto) == (packed.batch, after, upto)
    assert [line.record.body for line in batch.lines] == bodies
    assert [line.via for line in batch.lines] == hops
    assert [line.n for line in batch.lines] == [after + 2 * at + 1 for at in range(len(lines))]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_problem(noise: bytes) -> None:
    head = {"batch": "b", "from": "a", "epoch": "e", "after": 0, "upto": 9, "count": noise.count(b"\n") or 1}
    head["sha256"] = hashlib.sha256(noise).hexdigest()
    for content in (noise, json.dumps(head).encode() + b"\n" + noise):
        try:
            read_batch(content)
        except ProblemError as error:
            assert error.problem.status in (400, 413)


def one_line(line: str) -> bytes:
    rest = line.encode() + b"\n"
    head = {"batch": "b", "from": "a", "epoch": "e", "after": 0, "upto": 9, "count": 1}
    return json.dumps({**head, "sha256": hashlib.sha256(rest).hexdigest()}).encode() + b"\n" + rest


def test_the_word_rec_inside_other_values_does_not_mislead_the_cut() -> None:
    body = canonical_bytes(content_with('"rec":{"x":1}}')).decode()
    line = '{"note":"\\"rec\\":{","more":{"rec":[1]},"n":3,"via":[],"rec":' + body + "}"
    [read] = read_batch(one_line(line)).lines
    assert read.record.body == body
    assert read.n == 3


@pytest.mark.parametrize(
    "line",
    [
        '{"n":1,"via":[],"rec":{"a":1}',  # cut: the record's own brace ends the line
        '{"n":1,"via":[],"rec":{"a":1},"later":2}',
        '{"n":1,"via":[]}',
        '{"via":[],"rec":{}}',
        '{"n":true,"via":[],"rec":{}}',
        '{"n":-1,"via":[],"rec":{}}',
        '{"n":9007199254740992,"via":[],"rec":{}}',
        '{"n":1.0,"via":[],"rec":{}}',
        '{"n":1,"via":{},"rec":{}}',
        '{"n":1,"via":[{"node":"a"}],"rec":{}}',
        '{"n":1,"via":[{"node":"a","epoch":"e","n":1,"received":"ayer"}],"rec":{}}',
        '{"n":1,"via":' + "[" * 5000 + ',"rec":{}}',
        '{"n":1,"via":[],"rec":[1]}',
        '{"n":1,"via":[],"rec":"x"}',
        '{"n":1,"via":[],"rec":}',
        "{}",
        "",
        "[]",
    ],
)
def test_a_line_that_is_not_of_the_protocol_is_bad_line_2(line: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_batch(one_line(line))
    assert caught.value.problem.code == "bad_line"
    assert caught.value.values["line"] == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"answers": {"a": 1.5}}, "not_canonical"),
        ({"answers": {"a": {"b": 1e400}}}, "not_canonical"),
        ({"answers": {"a": "e\u0301"}}, "not_canonical"),  # not NFC
        ({"answers": {"a": "\0"}}, "not_canonical"),
        ({"answers": {"a": "\ud800"}}, "not_canonical"),
        ({"form": "\ud800"}, "not_canonical"),
        ({"answers": {"a": nested(MAX_DEPTH)}}, "bad_record"),
        ({"answers": {"a": nested(5000)}}, "bad_record"),
        ({"kind": None}, "bad_record"),
        ({"kind": "submission", "answers": None}, "bad_record"),
        ({"id": "0197A5D0-0000-7000-8000-000000000000"}, "bad_record"),
        ({"id": "0197a5d00000-7000-8000-0000-00000000"}, "bad_record"),
        ({"salt": 3}, "bad_record"),
    ],
)
def test_what_cannot_be_used_says_why_and_can_still_be_stored(change: dict[str, Any], why: str) -> None:
    sorted_text = _dump({**content_with("x"), **change})
    record = read_record(sorted_text)
    assert record.why == why
    for stored in (record.id, record.kind, record.form, record.version, record.body):
        stored.encode()  # what a database takes
    assert read_record(sorted_text).id == record.id


def _dump(content: dict[str, Any]) -> str:
    """Write JSON as deep as the test wants it, which json.dumps refuses."""
    deep = content["answers"]["a"] if isinstance(content.get("answers"), dict) else None
    levels = 0
    while isinstance(deep, list):
        deep, levels = deep[0], levels + 1
    if levels:
        content = {**content, "answers": {"a": "@"}}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return text.replace('"@"', "[" * levels + '"x"' + "]" * levels)


@pytest.mark.parametrize("before", ["", '"b":1.5,', '"b":NaN,'])
def test_a_number_of_five_thousand_digits_is_kept_aside(before: str) -> None:
    record = read_record("{" + before + '"a":' + "1" * 5000 + "}")
    assert record.why == "bad_record"


@pytest.mark.parametrize("text", ["1.5", "[9.1,-79.2e3]", '":1.5', "NaN", "\\u0000"])
def test_what_looks_like_a_float_inside_a_text_is_usable(text: str) -> None:
    assert read_record(canonical_bytes(content_with(text)).decode()).why is None


def test_depth_is_counted_outside_texts_and_in_linear_time() -> None:
    brackets = canonical_bytes(content_with("[" * 100 + '"\\')).decode()
    assert read_record(brackets).why is None
    started = time.perf_counter()
    with pytest.raises(ValueError):
        read_record("[" * 20 + "{" * 20 + '"' + '\\"' * 120_000)
    assert time.perf_counter() - started < 2


def test_canonical_bytes_refuse_what_may_not_travel() -> None:
    for answers in (0.5, "\0", "\ud800", nested(MAX_DEPTH), nested(3000), "x" * 300_000):
        with pytest.raises(ValueError):
            canonical_bytes(content_with(answers))


def test_a_gzip_bomb_costs_no_more_memory_than_the_limit() -> None:
    import tracemalloc

    bomb = gzip.compress(b"\0" * 100_000_000)
    tracemalloc.start()
    with pytest.raises(ProblemError) as caught:
        inflate(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.problem.code == "too_large"
    assert peak < 24 * 1024 * 1024


@pytest.mark.parametrize(
    "damage", [lambda z: z[:-4], lambda z: z[:20], lambda z: z + b"x", lambda z: b"", lambda z: b"no"]
)
def test_damaged_gzip_is_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ProblemError) as caught:
        inflate(damage(gzip.compress(b"hola" * 100)))
    assert caught.value.problem.code == "bad_gzip"


def test_a_million_empty_lines_are_counted_before_they_are_split() -> None:
    with pytest.raises(ProblemError) as caught:
        split_lines(b"\n" * 1_000_000, 500)
    assert caught.value.problem.code == "too_many_records"
    assert split_lines(b"a\nb", 2) == split_lines(b"a\nb\n", 2) == [b"a", b"b"]


def test_a_rate_limit_counts_per_key_and_forgives_after_its_window() -> None:
    now = [0.0]
    rate = RateLimit(5, 60, lambda: now[0])
    for _ in range(5):
        assert rate.wait_seconds("a") == 0
        rate.count("a")
    assert 0 < rate.wait_seconds("a") <= 61
    assert rate.wait_seconds("b") == 0
    now[0] = 60.0
    assert rate.wait_seconds("a") == 0


def test_a_rate_limit_does_not_grow_without_end() -> None:
    rate = RateLimit(5, 60)
    for number in range(25_000):
        rate.count(str(number))
    assert len(rate._windows) <= RateLimit.MOST_KEYS
