"""Records are read by a quick library where it is installed: it must judge every text as the standard library does."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import records
from sync.records import canonical_bytes, read_record

ID = "019c2f4e-8a30-7c1b-9d2e-3f4a5b6c7d8e"
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["\u00e9", "e\u0301", "\x7f", "\u2028", "a\\u0000b", "😀", '"', "\\", "/"]
)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.just(-0.0)
VALUES = st.recursive(
    TEXTS | NUMBERS | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def both(body: bytes | str) -> list[tuple[Any, ...]]:
    """Return what the two ways say of a text."""
    said = []
    for library in (records.orjson, None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(records, "orjson", library)
            try:
                read = read_record(body)
                said.append((read.id, read.why, repr(read.content)))
            except ValueError:
                said.append(("refused",))
    return said


def test_the_quick_library_is_there_when_tests_run() -> None:
    assert records.orjson is not None


@given(VALUES, st.booleans(), st.booleans())
def test_both_ways_judge_any_json_alike(value: Any, tidy: bool, escaped: bool) -> None:
    content = {
        "answers": {"a": value}, "finished": "x", "form": "f", "form_sha": "0", "id": ID,
        "kind": "submission", "lang": "es", "salt": "s", "started": "x", "version": "1",
    }  # fmt: skip
    body = json.dumps(content, ensure_ascii=escaped, separators=(",", ":") if tidy else None)
    try:
        body.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate cannot be sent
    quick, slow = both(body)
    assert quick == slow
    try:
        assert (quick[1] is None) == (canonical_bytes(content) == body.encode())
    except ValueError:
        assert quick[1] is not None


@pytest.mark.parametrize(
    "value",
    ["1.5", "1e3", "-0", "-0.0", "00", "18446744073709551616", "1E400", '"\\u0041"', '"\\ud800"', '"\\u001F"',
     '"\\u001f"', '"\\/"', '{"b":1,"a":2}', '{"a":1,"a":1}', "[1.0]", '[{"a":[0.5]}]', "NaN", '"e\u0301"', '"\\u0000"',
     "[" * 40 + "]" * 40],
)  # fmt: skip
def test_both_ways_judge_the_hard_cases_alike(value: str) -> None:
    body = (
        f'{{"answers":{{"a":{value}}},"finished":"x","form":"f","form_sha":"0","id":"{ID}",'
        '"kind":"submission","lang":"es","salt":"s","started":"x","version":"1"}'
    )
    quick, slow = both(body)
    assert quick == slow
    assert both(body.encode()) == [quick, slow]
