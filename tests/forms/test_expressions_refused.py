"""What is refused at publish, how it is said, and what is told about an expression that is accepted."""

import json

import pytest

from collector.forms.expressions import (
    ExpressionError,
    columns_used,
    compile_text,
    functions_used,
    is_anchored,
    is_volatile,
    labels_used,
    may_run_long,
    parse,
    reads,
    regex_problems,
    scripts_needed,
)
from collector.forms.expressions.catalogue import FUNCTIONS, REFUSED
from tests.forms.expression_form import SHAPE


def refused(text: str, context: str = "/data/total") -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile_text(text, SHAPE, context)
    return caught.value


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("if(/data/aeg > 1, 2, 3)", 9, "Did you mean /data/age?"),
        ("selcted(/data/age, 1)", 0, "Did you mean selected"),
        ("count-if(/data/age)", 0, "count(repeat[condition])"),
        ("index()", 0, "position(..)"),
        ("cht:extension-lib('x')", 0, "CHT"),
        ("if(1 > 2, 3", 11, "A ) is missing"),
        ("/data/age >> 2", 11, "> cannot stand here"),
        ("/data/age | /data/total", 10, "Unions"),
        ("//age", 0, "//"),
        ("/data/@id", 6, "Attributes"),
        ("/data/*", 6, "Wildcards"),
        ("ancestor::data", 8, "Axes"),
        ("$age", 0, "Variables"),
        ("(/data/age)[1]", 11, "after a parenthesis"),
        ("‘a’", 0, "straight quotes"),
        ("'abc", 0, "no closing"),
        ("1 +", 3, "stops too early"),
        ("/data/member/years + 1", 0, "indexed-repeat"),
        ("concat(/data/age, substring('a'))", 18, "at least 2"),
        ("count(5)", 6, "not a value"),
        ("regex(/data/age, '(?<=a)b')", 17, "Lookbehind"),
        ("regex(/data/age, /data/total)", 17, "literal"),
        ("instance('distrits')/root/item/name", 0, "districts"),
        ("instance('districts')/root/item[nam = 1]/name", 32, "no column nam"),
        ("instance('districts')/root/item[../age = 1]/name", 32, "current()/../question"),
        ("instance('districts')", 0, "/root/item"),
        ("../../../x", 6, "out of the form"),
        ("decimal-date-time('01-2019')", 18, "not a date"),
        ("date('2012-02-30')", 5, "not a date"),
        ("date(1 = 1)", 7, "True or false is not a date"),
        ("digest('a', 'SHA-3')", 12, "it knows: md5"),
        ("digest('a', 'MD5', 'base32')", 19, "it knows: base64, hex"),
        ("extract-signed('a', 'b')", 0, "Signed texts are not checked"),
        ("geofence('8.9 -79.5', '')", 22, "at least three points"),
        ("name(..)", 0, "Use local-name()"),
        ("local-name('a')", 0, "needs a path"),
        ("/data/member = 1", 0, "one value is needed"),
        ("/data/member/years = true()", 0, "one value is needed"),
        ("/data/member/years + 1 > 2", 0, "one value is needed"),
        ("if(/data/consent, 1, substring('a'))", 21, "at least 2"),
    ],
)
def test_an_error_says_where_and_what_to_do(text, position, words):
    error = refused(text)
    assert error.position == position
    assert words in f"{error.en} {error.hint}"
    assert error.caret() == f"{text}\n{' ' * position}^"
    assert error.es and error.es != error.en


def test_the_caret_stands_right_under_an_expression_of_several_lines():
    assert refused("1 +\n  foo()").caret() == "1 +   foo()\n      ^"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_functions_of_other_tools_are_refused_by_name(name):
    assert name not in FUNCTIONS
    assert f"{name}()" in refused(f"{name}(1)").en


@pytest.mark.parametrize(
    "text", ["(" * 500 + "1" + ")" * 500, "1" + "=1" * 5000, "9" * 400, "not(" * 200 + "1" + ")" * 200]
)
def test_what_would_exhaust_the_machine_is_refused(text):
    assert refused(text)


def test_long_chains_of_conditions_are_taken():
    many = " or ".join(f"/data/age = {number}" for number in range(1000))
    assert len(compile_text(many, SHAPE, "/data/total")) == 1002


@pytest.mark.parametrize("text", ["div div div", "mod and and", "a-b - a-b", "नाम = 1", "ñandú.2 * 3", "jr:x = 1"])
def test_names_may_look_like_operators_and_carry_any_letter(text):
    assert parse(text)


def test_long_spellings_of_steps_mean_the_short_ones():
    long = compile_text("parent::node()/child::age + self::node()", SHAPE, "/data/total")
    assert long == compile_text("../age + .", SHAPE, "/data/total")


def test_the_ir_survives_json():
    ir = compile_text("sum(/data/member[years > 1]/years) + int('3')", SHAPE, "/data/total")
    assert json.loads(json.dumps(ir)) == ir


@pytest.mark.parametrize(
    ("text", "context", "paths"),
    [
        ("/data/age + ../consent", "/data/total", {"/data/age", "/data/consent"}),
        ("sum(/data/member/years)", "/data/total", {"/data/member", "/data/member/years"}),
        ("count(../../member)", "/data/member/name", {"/data/member"}),
        ("../years", "/data/member/name", {"/data/member/years"}),
        ("position(..)", "/data/member/name", {"/data/member"}),
        (
            "count(/data/member[name = current()/../consent])",
            "/data/total",
            {"/data/member", "/data/member/name", "/data/consent"},
        ),
        (
            "indexed-repeat(/data/member/name, /data/member, /data/age)",
            "/data/total",
            {"/data/member", "/data/member/name", "/data/age"},
        ),
        ("instance('districts')/root/item[name = /data/consent]/label", "/data/total", {"/data/consent"}),
        ("once(/data/age)", "/data/total", {"/data/age", "/data/total"}),
        ("jr:choice-name('1', ' /data/consent ')", "/data/total", {"/data/consent"}),
        ("count(/data/about)", "/data/total", {"/data/about/born", "/data/about/hobbies"}),
    ],
)
def test_an_expression_tells_what_it_reads(text, context, paths):
    assert reads(compile_text(text, SHAPE, context), SHAPE, context) == paths


@pytest.mark.parametrize(
    ("text", "volatile"),
    [
        ("today() - 1", True),
        ("if(/data/age > 1, now(), 2)", True),
        ("/data/member[random() > 0.5]/name", True),
        ("uuid()", True),
        ("pulldata('districts', 'label', 'name', /data/age)", True),
        ("count(randomize(/data/member))", True),
        ("count(randomize(/data/member, 3))", False),
        ("once(random())", False),
        ("/data/age + 1", False),
        ("instance('districts')/root/item[name = /data/age]/label", False),
    ],
)
def test_an_expression_tells_whether_a_node_can_recompute_it(text, volatile):
    assert is_volatile(compile_text(text, SHAPE, "/data/total")) is volatile


def test_lists_that_come_as_attachments_make_an_expression_volatile():
    ir = compile_text("instance('districts')/root/item[name = /data/age]/label", SHAPE, "/data/total")
    assert is_volatile(ir, {"districts"})


CORE: tuple[str, ...] = ()
NOW = ("now.js",)
COMMON = ("functions.js",)
RARE = ("functions.js", "functions-rare.js")
HASHING = (*RARE, "digest.js")


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("/data/consent = 'si' and not(selected(/data/about/hobbies, 'read'))", CORE),
        ("/data/age = '' or /data/consent", CORE),
        ("instance('districts')/root/item[province = /data/consent]/name", CORE),
        ("if(/data/consent = 'si', 1, 0)", CORE),
        ("coalesce(/data/consent, 'no') != 'no'", CORE),
        ("true() = instance('districts')/root/item[province = 'vera']/name", CORE),
        ("/data/age = 5", COMMON),
        ("/data/age > '5'", COMMON),
        ("if(/data/consent, 0.0000001, 0)", COMMON),
        ("instance('districts')/root/item[province = /data/consent]/name = 'd1'", COMMON),
        ("instance('districts')/root/item[province != /data/consent]/name", COMMON),
        ("instance('districts')/root/item[province = 1]/name", COMMON),
        ("instance('districts')/root/item[province = 'vera'][1]/name", COMMON),
        ("pulldata('districts', 'label', 'name', /data/consent)", COMMON),
        ("-/data/age", COMMON),
        ("count(/data/member)", COMMON),
        ("/data/member[1]/name", COMMON),
        ("concat(round(1.5), today())", COMMON),
        ("not(sin(2))", RARE),
        ("count(randomize(/data/member, 7))", RARE),
        ("count(randomize(/data/member, /data/age))", HASHING),
        ("digest(/data/consent, 'MD5')", HASHING),
        ("local-name()", CORE),
        ("if(/data/consent = 'OK', once(now()), '')", NOW),
        ("now() > /data/consent", COMMON),
        ("concat(now(), today())", COMMON),
    ],
)
def test_the_page_learns_which_scripts_an_expression_needs(text, scripts):
    assert scripts_needed(compile_text(text, SHAPE, "/data/total", nodeset=True)) == scripts


def test_a_question_in_the_row_around_needs_more_than_the_core():
    assert scripts_needed(compile_text("/data/age = 'x'", SHAPE, "/data/member/name")) == COMMON


@pytest.mark.parametrize(("type", "scripts"), [("string", CORE), ("int", COMMON), ("date", COMMON)])
def test_a_truth_kept_as_a_number_or_a_date_needs_more_than_the_core(type, scripts):
    assert scripts_needed(compile_text("true()", SHAPE, "/data/total"), type) == scripts


def test_a_text_kept_as_a_number_or_a_date_is_kept_as_it_is_by_the_core():
    assert scripts_needed(compile_text("/data/age", SHAPE, "/data/total"), "int") == CORE


def test_an_expression_tells_what_it_calls_and_which_columns_and_labels_it_reads():
    ir = compile_text(
        "concat(jr:choice-name(/data/consent, '/data/consent'), instance('districts')/root/item[name != 'x']/label)",
        SHAPE,
        "/data/total",
    )
    assert columns_used(ir) == {"name", "label"}
    assert labels_used(ir) == {"/data/consent"}
    assert functions_used(compile_text("if(not(true()), 1, 2)", SHAPE, "/data/total")) == {"if", "not", "true"}


def test_a_repeat_count_is_evaluated_in_the_row_around_the_repeat():
    assert compile_text("../age", SHAPE, "/data/member", outside=True) == ["v", 0, 1]
    assert compile_text("../age", SHAPE, "/data/member") == ["v", 1, 1]


@pytest.mark.parametrize(
    "pattern", [r"\p{L}", r"(?P<a>x)", r"(?i)a", r"a++", r"(a)\1", r"\Aa", "(", "[z-a]", "a{2,1}", r"[\b]", "[]", "a\\"]
)
def test_patterns_of_one_language_only_are_refused(pattern):
    assert regex_problems(pattern)


@pytest.mark.parametrize(
    "pattern", [r"^[0-9]{4}-[0-9]{4}$", r"^\+?507[\-\s]?\d{3,4}$", r"^(?:a|b)(?=c)c{,2}]$", r"^[A-ZÑ'_\.]+@x$"]
)
def test_patterns_that_forms_use_are_taken(pattern):
    assert regex_problems(pattern) == []
    assert is_anchored(pattern)


def test_a_pattern_that_may_run_long_or_is_not_anchored_is_told():
    assert may_run_long("^(a+)+$")
    assert not may_run_long("^([a-z]+ [a-z])?$")
    assert not is_anchored("[0-9]+")


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a*)*", "([a-z]+)*!", "((x+))+", r"(\d+|x)+", "(a+b*)+", "(?:a+){2,}"])
def test_a_pattern_that_may_take_for_ever_is_known(pattern: str) -> None:
    assert may_run_long(pattern)


@pytest.mark.parametrize(
    "pattern", ["^[0-9]{4}$", "^([0-9]+,)*[0-9]+$", "(,[a-z]+)*", "^(a|b)+$", "a+b+", "(ab?)+", "[(+)]+"]
)
def test_an_ordinary_pattern_is_not_refused(pattern: str) -> None:
    assert not may_run_long(pattern)
