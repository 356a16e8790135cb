"""Rules of the expression engine that forms made for other tools rely on, each asked of Python and of the page."""

import base64
import hashlib
import json

import pytest

from collector.forms.expressions import Env, ExpressionError, build, compile_text
from tests.conformance import answer_with_js, answer_with_python, cast, place_of, run_js, without_parents
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


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1and1", True),
        ("1 and1", True),
        ("0or 1", True),
        ("(5or2)and'x'", True),
        ("/data/age div2 = 10", True),
        ("7mod4 = 3", True),
        ("7 mod.5 = 0", True),
        ("6 div-2 = -3", True),
        ("1or0and0", True),
    ],
)
def test_a_word_operator_needs_no_space_before_a_number(text, value):
    assert ask_both(text, "boolean") is value


@pytest.mark.parametrize("text", ["1 andx", "/data/age or1x", "/data/age order 2", "and1", "/data/div2"])
def test_a_word_that_only_begins_like_an_operator_is_none(text):
    with pytest.raises(ExpressionError):
        compile_text(text, SHAPE, "/data/total")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("checklist(2, 2, /data/member/name)", True),
        ("checklist(1, 1, /data/member/visit/cost)", False),  # 1.5, '', 2: two of them hold something
        ("checklist(2, 2, /data/member/visit/cost)", True),
        ("checklist(0, 0, /data/member/visit/cost[. > 9])", True),
        ("checklist(3, 3, instance('districts')/root/item)", True),
        ("weighted-checklist(0, 0, /data/member/visit[2]/cost, 5)", True),
        ("weighted-checklist(5, 5, /data/member[1]/name, 5)", True),
    ],
)
def test_a_checklist_counts_the_answers_of_a_node_set_by_what_they_hold(text, value):
    assert ask_both(text, "boolean") is value


@pytest.mark.parametrize("text", ["once(/data/total * 10)", "once(0 div 0)", "once(number('x'))"])
def test_once_never_keeps_what_is_no_number(text):
    assert ask_both(text) == ""


def both(expr: str, xml: str, kind: str, **context: str) -> object:
    """Answer a vector on both engines and return the value they share."""
    vector = {"id": "1", "expr": expr, "type": kind, "context": {"xml": xml, "node": "/", **context}}
    (mine,), (theirs,) = answer_with_python([vector]), answer_with_js([vector])
    assert mine == theirs
    return mine["value"]


def test_a_group_with_a_single_thing_in_it_is_a_group_in_the_page_too():
    rows = "<data><g><r><a>1</a></r><r><a>2</a></r></g></data>"
    assert both("/data/g", rows, "nodeset") == ["12"]
    assert both("string(/data/g)", rows, "string") == "12"
    assert both("count(/data/g)", "<data><g><a/></g></data>", "number") == 1


def test_the_text_of_a_mixed_element_is_in_document_order():
    assert both("string(/d)", "<d><b>x</b>y<b>z</b><c>w<e>v</e></c></d>", "string") == "xzywv"


def test_itext_is_read_in_the_language_asked_for_or_else_the_default():
    model = (
        "<html><itext><translation lang='en'><text id='one'><value>One</value></text></translation>"
        "<translation lang='fr' default=''><text id='one'><value form='short'>1</value><value>Un</value></text>"
        "</translation></itext></html>"
    )
    assert both("jr:itext('one')", model, "string") == "Un"
    assert both("jr:itext('one')", model, "string", lang="en") == "One"
    assert both("jr:itext('two')", model, "string") == "two"


@pytest.mark.parametrize("name", ["date-time", "decimal-date-time", "format-date", "format-date-time", "date"])
def test_a_date_as_browsers_write_it_is_read_between_quotes(name):
    more = ", '%e %H'" if name.startswith("format") else ""
    long = compile_text(f"{name}('Mon May 06 2024 10:30:00 GMT-0700 (Pacific)'{more})", SHAPE, "/data/total")
    assert long == compile_text(f"{name}('2024-05-06T10:30:00-0700'{more})", SHAPE, "/data/total")


def test_a_month_that_does_not_exist_is_no_date():
    with pytest.raises(ExpressionError, match="not a date"):
        compile_text("date('Mon Mai 06 2024 10:30:00 GMT-0700')", SHAPE, "/data/total")
