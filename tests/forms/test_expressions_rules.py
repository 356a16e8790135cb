"""Rules of the expression engine that forms made for other tools rely on, each asked of Python and of the page."""

import base64
import hashlib
import json

import pytest

from collector.forms.expressions import Env, ExpressionError, build, compile_text
from tests.conformance import cast, place_of, run_js, without_parents
from tests.forms.expression_form import DISTRICTS, NOW, SHAPE, household

LETTERS = [{"name": letter, "label": letter.upper(), "province": "x"} for letter in "abcdefgh"]


def ask_both(text: str, kind: str = "string", context: str = "/data/total") -> object:
    """Evaluate an expression on both engines and return the answer they share."""
    root = household()
    row = root[5][0] if context.startswith("/data/member") else root
    lists = {"districts": DISTRICTS if "randomize" not in text else LETTERS}
    ir = compile_text(text, SHAPE, context, nodeset=kind == "nodeset")
    task = {"id": 1, "ir": ir, "type": kind, "root": without_parents(root), "place": place_of(row, root)}
    (line,) = run_js([json.dumps(task | {"now": NOW, "lang": "es", "lists": lists})])
    mine = cast(build(ir)(Env(row, now=NOW, lang="es", instances=lists)), kind, NOW[1])
    assert json.loads(line) == {"id": 1, "value": mine}
    return mine


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("false() and substring()", False),
        ("1 = 2 and no-such() and /data/consent", False),
        ("true() or /data/nothing", True),
        ("/data/consent = 'x' or not(0) or no-such()", True),
        ("if(true(), 'a', no-such()) = 'a'", True),
        ("if('' , substring(), 'b') = 'b'", True),
        ("coalesce('a', substring()) = 'a'", True),
    ],
)
def test_what_a_constant_keeps_from_ever_running_is_not_looked_at(text, value):
    assert ask_both(text, "boolean") is value


@pytest.mark.parametrize(
    "text",
    [
        "/data/consent and substring()",
        "true() and substring()",
        "false() or substring()",
        "if(/data/age > 1, 1, no-such())",
        "coalesce('', substring())",
        "coalesce(/data/age, substring())",
    ],
)
def test_what_may_run_is_looked_at_whole(text):
    with pytest.raises(ExpressionError):
        compile_text(text, SHAPE, "/data/total")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("/data/member/years = 4", True),
        ("4 = /data/member/years", True),
        ("/data/member/years = 5", False),
        ("/data/member/years != 4", True),  # 31 differs
        ("not(/data/member/years = 5)", True),
        ("/data/member/years > 30", True),
        ("/data/member/years > 31", False),
        ("31 <= /data/member/years", True),
        ("/data/member/name = 'Eva'", True),
        ("/data/member/visit/cost = /data/member/years", False),
        ("/data/member/name = ''", False),
        ("count(/data/member[visit/cost = 2])", True),
    ],
)
def test_a_question_of_all_rows_is_compared_row_by_row(text, value):
    assert ask_both(text, "boolean") is value


def test_a_comparison_inside_the_repeat_stays_in_its_own_row():
    assert ask_both("/data/member/years = 4", "boolean", "/data/member/name") is False
    assert ask_both("../../member/years = 4", "boolean", "/data/member/name") is True


@pytest.mark.parametrize(
    ("text", "context", "name"),
    [
        ("local-name()", "/data/total", "total"),
        ("local-name(..)", "/data/member/name", "member"),
        ("local-name(/data/about/born)", "/data/total", "born"),
        ("local-name(current()/..)", "/data/member/name", "member"),
        ("concat(local-name(..), ' ', position(..))", "/data/member/name", "member 1"),
    ],
)
def test_local_name_is_the_name_of_the_node(text, context, name):
    assert ask_both(text, context=context) == name


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "sha512"])
@pytest.mark.parametrize("text", ["", "abc", "Ñame 🥰", "x" * 119, "y" * 128])
def test_digest_is_what_hashlib_says_in_the_page_too(algorithm, text):
    hashed = hashlib.new(algorithm.replace("-", "").lower(), text.encode(), usedforsecurity=False).digest()
    assert ask_both(f"digest('{text}', '{algorithm}', 'hex')") == hashed.hex()
    assert ask_both(f"digest('{text}', '{algorithm}')") == base64.b64encode(hashed).decode()


def test_digest_of_an_algorithm_that_does_not_exist_is_empty():
    assert ask_both("digest('a', /data/consent)") == ""
    assert ask_both("digest('a', 'MD5', /data/consent)") == ""


@pytest.mark.parametrize(
    ("seed", "letters"),
    [("1234", "gfedahbc"), ("'1234'", "gfedahbc"), ("1234.9", "gfedahbc"), ("''", None), ("'Ana'", None), ("-5", None)],
)
def test_a_seed_always_gives_the_order_that_odk_gives(seed, letters):
    found = ask_both(shuffled(seed))
    assert sorted(str(found)) == list("abcdefgh")
    assert letters is None or found == letters


def shuffled(seed: str) -> str:
    """Write the expression that joins the shuffled names."""
    return f"join('', randomize(instance('districts')/root/item/name, {seed}))"


def test_texts_that_differ_shuffle_differently_and_an_empty_one_counts_as_zero():
    orders = [ask_both(shuffled(f"'{seed}'")) for seed in ("Ana", "Eva", "Ana ", "0.5.1")]
    assert len(set(orders)) == len(orders)
    assert ask_both(shuffled("''")) == ask_both(shuffled("0")) == ask_both(shuffled("0 div 0"))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("count-non-empty(/data/member)", 2),
        ("count-non-empty(/data/member/visit/cost)", 2),
        ("count-non-empty(/data/about)", 1),
        ("count-non-empty(/data/member[years > 99])", 0),
        ("count-non-empty(randomize(/data/member, 3))", 2),
        ("count-non-empty(instance('districts')/root/item)", 3),
        ("count-non-empty(instance('districts')/root/item[name = 'no']/label)", 0),
    ],
)
def test_count_non_empty_counts_texts_and_rows_that_hold_something(text, count):
    assert ask_both(text, "number") == count


@pytest.mark.parametrize("name", ["date-time", "decimal-date-time", "format-date", "format-date-time", "date"])
def test_a_date_as_browsers_write_it_is_read_between_quotes(name):
    more = ", '%e %H'" if name.startswith("format") else ""
    long = compile_text(f"{name}('Mon May 06 2024 10:30:00 GMT-0700 (Pacific)'{more})", SHAPE, "/data/total")
    assert long == compile_text(f"{name}('2024-05-06T10:30:00-0700'{more})", SHAPE, "/data/total")


def test_a_month_that_does_not_exist_is_no_date():
    with pytest.raises(ExpressionError, match="not a date"):
        compile_text("date('Mon Mai 06 2024 10:30:00 GMT-0700')", SHAPE, "/data/total")
