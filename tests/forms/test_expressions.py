"""What expressions mean: the decisions on empty values, dates, repeats and casts, one example each."""

import math

import pytest

from collector.forms.expressions import (
    Env,
    Moment,
    build,
    build_nodes,
    compile_text,
    stored_text,
    to_boolean,
    to_number,
    to_text,
)
from tests.forms.expression_form import DISTRICTS, NOW, SHAPE, ask, household, member


def is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


@pytest.mark.parametrize("text", ["", " ", "1.1e6", "Infinity", "- 17", "+5", "1,5", "٣", "0x10", "abc", "2012-02-30"])
def test_what_is_no_number_reads_as_nan(text):
    assert is_nan(to_number(text))


@pytest.mark.parametrize(("text", "number"), [("0017.", 17), (".5", 0.5), (" -3 ", -3), ("1970-01-11", 10)])
def test_numbers_and_dates_read_as_numbers(text, number):
    assert to_number(text) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5.0, "5"),
        (-0.0, "0"),
        (0.557586, "0.557586"),
        (1e-7, "0.0000001"),
        (-1.25e-9, "-0.00000000125"),
        (1e15, "1000000000000000"),
        (1.5e21, "1500000000000000000000"),
        (1e22, "10000000000000000000000"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
    ],
)
def test_numbers_are_written_without_exponent(number, text):
    assert to_text(number) == text


def test_nan_is_never_stored():
    assert stored_text(math.nan) == ""
    assert stored_text(ask("/data/age + /data/total")) == ""


@pytest.mark.parametrize(
    ("value", "type", "text"),
    [
        (3.9, "int", "3"),
        (True, "string", "true"),
        (10.0, "date", "1970-01-11"),
        (10.5, "date", "1970-01-11"),
        (Moment(10.0), "date", "1970-01-11"),
        (Moment(10.0), "dateTime", "1970-01-11T00:00:00.000-05:00"),
        ("free text", "date", "free text"),
        (math.nan, "int", ""),
        (math.inf, "date", ""),
    ],
)
def test_a_calculate_stores_what_its_type_holds(value, type, text):
    assert stored_text(value, type, -300) == text


@pytest.mark.parametrize("comparison", ["'' < 5", "'' = 0", "'' > 0", "/data/total >= 0", "number('') = number('')"])
def test_empty_compares_false(comparison):
    assert ask(comparison) is False


def test_empty_differs_from_a_number():
    assert ask("/data/total != 0") is True


def test_sums_that_people_write_are_equal_to_what_they_mean():
    assert ask("0.1 + 0.2 = 0.3") is True
    assert ask("1 div 0 = 1 div 0") is True


@pytest.mark.parametrize(("held", "counts"), [("", False), ("0", False), ("false", False), ("1", True), ("no", True)])
def test_a_bare_question_counts_by_what_it_holds(held, counts):
    row = household()
    row[2] = held
    assert ask("if(/data/consent, 'on', 'off')", row=row) == ("on" if counts else "off")
    assert ask("not(/data/consent)", row=row) is not counts
    assert ask("/data/consent = true()", row=row) is counts
    assert to_boolean(ask("/data/consent", row=row)) is counts


def test_a_value_that_is_not_relevant_reads_as_empty_and_leaves_node_sets():
    row = household()
    row[1] = None
    row[5].append(member(row, None, None, []))
    assert ask("/data/age", row=row) == ""
    assert ask("count(/data/age)", row=row) == 0
    assert ask("count(/data/member/name)", row=row) == 2
    assert ask("join(', ', /data/member/name)", row=row) == "Ana, Eva"


@pytest.mark.parametrize(
    "text",
    [
        "true() or /data/member[0]/name + random()",
        "not(false() and uuid())",
        "if(true(), true(), regex(uuid(), 'a'))",
        "coalesce('x', uuid()) = 'x'",
    ],
)
def test_what_is_not_needed_is_not_evaluated(text):
    def never() -> float:
        raise AssertionError("evaluated")

    env = Env(household(), random=never)
    assert build(compile_text(text, SHAPE, "/data/total"))(env) is True


def test_once_keeps_what_the_question_has():
    row = household()
    assert ask("once(/data/age)", row=row) == "20"
    assert ask("once(/data/total * 10)", row=row) == ""
    row[6] = "7"
    assert ask("once(/data/age)", row=row) == "7"


# -- repeats


def test_an_absolute_path_from_inside_a_repeat_means_the_own_row():
    row = household()
    assert ask("/data/member/name", "/data/member/years", row[5][1]) == "Eva"
    assert ask("../name", "/data/member/years", row[5][1]) == "Eva"


def test_a_path_that_leaves_the_repeat_and_comes_back_means_all_rows():
    row = household()
    assert ask("sum(../../member/years)", "/data/member/name", row[5][1]) == 35
    assert ask("count(/data/member)", "/data/member/name", row[5][1]) == 2


def test_inner_repeats_of_an_absolute_path_stay_in_the_own_row():
    row = household()
    assert ask("sum(/data/member/visit/cost)", "/data/member/name", row[5][1]) == 2
    assert is_nan(ask("sum(/data/member/visit/cost)"))
    assert ask("sum(/data/member/visit/cost[. != ''])") == 3.5


def test_position_is_the_row_number():
    row = household()
    assert ask("position(..)", "/data/member/name", row[5][1]) == 2
    assert ask("position(../..)", "/data/member/visit/cost", row[5][1][3][0]) == 2
    assert ask("position(/data/member)", "/data/member/visit/cost", row[5][1][3][0]) == 2


def test_predicates_choose_rows():
    assert ask("/data/member[2]/name") == ["Eva"]
    assert ask("/data/member[position() = last()]/name") == ["Eva"]
    assert ask("count(/data/member[years > 18])") == 1
    assert ask("/data/member[name = 'Ana']/years + 1") == 32
    assert ask("string(/data/member/years[. > 18]/../name)") == "Ana"


def test_a_number_question_as_a_predicate_is_a_position():
    row = household()
    row[1] = "2"
    assert ask("string(/data/member[/data/age]/name)", row=row) == "Eva"


def test_current_is_the_question_inside_a_predicate():
    row = household()
    assert ask("count(/data/member[years > current()/../years])", "/data/member/name", row[5][1]) == 1


def test_indexed_repeat_goes_down_several_repeats():
    assert ask("indexed-repeat(/data/member/visit/cost, /data/member, 1, /data/member/visit, 1)") == ["1.5"]
    assert to_text(ask("indexed-repeat(/data/member/name, /data/member, 9)")) == ""


def test_nodes_of_a_repeat_are_its_rows():
    row = household()
    nodes = build_nodes(compile_text("/data/member[years > 5]", SHAPE, "/data/total", nodeset=True))
    assert nodes(Env(row)) == [row[5][0]]


# -- lists


def test_a_choice_filter_is_answered_from_an_index_and_by_scanning_alike():
    by_text = "instance('districts')/root/item[province = 'vera']/label"
    scanned = "instance('districts')/root/item[province = 'vera' and true()]/label"
    assert compile_text(by_text, SHAPE, "/data/total")[2][0][0] == "x"
    assert compile_text(scanned, SHAPE, "/data/total")[2][0][0] == "b"
    assert ask(by_text) == ask(scanned) == ["Soná", "Santiago"]


def test_the_index_follows_the_list_it_was_made_for():
    find = build(compile_text("instance('districts')/root/item[name = 'd1']/label", SHAPE, "/data/total"))
    other = [{"name": "d1", "label": "Otro", "province": "x"}]
    assert find(Env(household(), instances={"districts": DISTRICTS})) == ["Soná"]
    assert find(Env(household(), instances={"districts": other})) == ["Otro"]


def test_pulldata_looks_up_its_file():
    assert to_text(ask("pulldata('districts.csv', 'label', 'name', 'd2')")) == "Chepo"
    assert to_text(ask("pulldata('districts', 'label', 'name', 'none')")) == ""


def test_choice_names_and_translations_are_asked_from_the_form():
    env = Env(
        household(), choice_label=lambda path, value, row: f"{path}:{value}", itext=lambda text_id: text_id.upper()
    )
    name = build(compile_text("jr:choice-name(/data/consent, ' /data/consent ')", SHAPE, "/data/total"))
    assert name(env) == "/data/consent:0"
    assert build(compile_text("jr:itext('hello')", SHAPE, "/data/total"))(env) == "HELLO"


# -- dates


def test_a_date_is_a_day_count_without_a_zone():
    assert ask("number(date('1970-01-01'))") == 0
    assert ask("decimal-date-time(today()) - decimal-date-time(/data/about/born)") == 8833
    assert ask(". + 1", "/data/about/born") == 11017
    assert ask("today() > /data/about/born") is True


def test_today_is_the_respondents_day_even_late_in_the_evening():
    late = Env(household(), now=(1_715_047_200_000, -300))  # 2024-05-06 21:00 in Panama, the 7th in Greenwich
    assert to_text(build(compile_text("today()", SHAPE, "/data/total"))(late)) == "2024-05-06"
    assert build(compile_text("today() + 1 > now()", SHAPE, "/data/total"))(late) is False
    assert build(compile_text("date(today() + 1) > now()", SHAPE, "/data/total"))(late) is True
    assert build(compile_text("date(now()) = today()", SHAPE, "/data/total"))(late) is True
    assert build(compile_text("date(decimal-date-time(now())) = today()", SHAPE, "/data/total"))(late) is True


@pytest.mark.parametrize("text", ["2012-02-30", "2023-02-29", "0000-01-01", "2012-1-1", "not a date", ""])
def test_what_is_no_date_gives_nothing(text):
    assert ask(f"date(string('{text}'))") == ""
    assert ask(f"format-date('{text}', '%Y')") == ""


def test_a_date_between_quotes_may_have_one_digit_for_day_or_month():
    assert to_text(ask("date('1970-1-2')")) == "1970-01-02"
    assert to_text(ask("date-time('2012-10-3')")) == "2012-10-03"


def test_what_is_no_time_of_day_has_no_decimal_time():
    for text in ("2024-05-06", "2024-02-30T10:00", "24:00", "06:00-24:00", "6:00", "now()"):
        assert to_text(ask(f"decimal-time('{text}')")) == "NaN"


def test_dates_are_written_in_the_language_of_the_form():
    pattern = "format-date('2024-01-03T04:05:06.789-05:00', '%a %e %b %Y %y %m %n %d %H %h %M %S %3')"
    assert ask(pattern) == "mié 3 ene 2024 24 01 1 03 04 4 05 06 789"
    assert ask(pattern, lang="English (en)") == "Wed 3 Jan 2024 24 01 1 03 04 4 05 06 789"
    assert str(ask(pattern, lang="Ngäbere (gym)")).startswith("mié")


def test_a_local_date_time_has_the_offset_of_the_submission():
    assert to_text(ask("date-time('2024-05-06T07:30:00')")) == "2024-05-06T07:30:00.000-05:00"
    assert ask("date-time('2024-05-06T07:30:00') = now()") is True
    assert to_text(ask("date-time('2024-05-06T12:30:00Z')")) == "2024-05-06T07:30:00.000-05:00"


def test_two_texts_compare_as_texts_even_if_they_are_dates():
    assert ask("'2018-06-25' = '2018-06-25T00:00:00.000-05:00'") is False
    assert ask("date('2018-06-25') = '2018-06-25'") is True


# -- functions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("round(-1.5)", -2),
        ("round(-1.475, 2)", -1.48),
        ("round(12345.12345, -1)", 12350),
        ("round('4,6')", 5),
        ("int(-2.7)", -2),
        ("-5 mod 3", -2),
        ("1 div 0", math.inf),
        ("-1 div 0", -math.inf),
        ("substr('hello', 1, -1)", "ell"),
        ("substr('hello', -2)", "lo"),
        ("substring('12345', 1.5, 2.6)", "234"),
        ("selected('apple baby crimson', '  baby  ')", True),
        ("selected('', '')", True),
        ("count-selected('')", 0),
        ("selected-at('a b', 5)", ""),
        ("selected-at('a b', 1.9)", "b"),
        ("selected-at('a b', -1)", ""),
        ("translate('hello world', 'hello', '')", " wrd"),
        ("string-length('🥰é')", 2),
        ("substr('🥰ab', 1)", "ab"),
        ("normalize-space('  a \n b ')", "a b"),
        ("coalesce(/data/total * 2, 'x')", "x"),
        ("boolean-from-string('True')", False),
        ("checklist(-1, 2, true(), true(), /data/consent)", True),
        ("weighted-checklist(3, 3, true(), 3, /data/consent, 9)", True),
        ("decimal-time('06:00:00.000-05:00')", 0.25),
        ("decimal-time('06:00')", 0.25),
        ("decimal-time('06:00:00.000+01:00')", 0),  # midnight on the respondent's clock
        ("decimal-time('20:00:00Z')", 0.625),
        ("decimal-time('2024-05-06T11:00:00Z')", 0.25),
        ("decimal-time(now())", 0.3125),
        ("pow(16, 0.25)", 2),
        ("base64-decode('8J+lsA==')", "🥰"),
        ("distance('0 0;0 1')", 111318.85),
        ("geofence('0.5 0.5', '0 0;0 1;1 1;1 0;0 0')", True),
        ("count-non-empty(/data/member/visit/cost)", 2),
    ],
)
def test_functions_answer(text, value):
    assert ask(text) == value


@pytest.mark.parametrize(
    "text", ["min('')", "max(/data/total, 3)", "min(/data/member/visit/cost)", "number('x')", "sqrt(-1)"]
)
def test_functions_of_what_is_no_number_give_nan(text):
    assert is_nan(ask(text))


def test_uuid_has_version_4_or_the_length_asked_for():
    text = to_text(ask("uuid()"))
    assert [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]
    assert text[14] == "4" and text[19] in "89ab"
    assert len(to_text(ask("uuid(16)"))) == 16


def test_randomize_with_a_seed_is_always_the_same_permutation():
    listing = build_nodes(compile_text("randomize(/data/member/name, 42)", SHAPE, "/data/total", nodeset=True))
    first = listing(Env(household()))
    assert sorted(first) == ["Ana", "Eva"]
    assert all(listing(Env(household())) == first for _ in range(5))


def test_regex_searches_and_a_very_long_answer_never_matches():
    assert ask("regex('abc123', '[0-9]{3}')") is True
    row = household()
    row[6] = "a" * 1001
    assert ask("regex(/data/total, 'a')", row=row) is False
    row[6] = "a" * 1000
    assert ask("regex(/data/total, 'a')", row=row) is True


def test_now_is_what_the_environment_says():
    assert to_text(ask("now()")) == "2024-05-06T07:30:00.000-05:00"
    assert NOW == (1_714_998_600_000, -300)
