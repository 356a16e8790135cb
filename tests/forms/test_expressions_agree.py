"""The page and a node must give the same answers: random expressions over random records, and the JavaScript's size."""

import gzip
import json
import random
import subprocess
from collections.abc import Callable

import pytest
import rjsmin

from collector.assets import asset_dir
from collector.forms.expressions import Env, ExpressionError, Ir, Row, build, compile_text, scripts_needed
from collector.forms.expressions.catalogue import COMMON, FUNCTIONS, HASHING, RARE, RESOLVED_AWAY
from tests.conformance import SCRIPTS, cast, place_of, run_js, without_parents
from tests.forms.expression_form import DISTRICTS, NOW, SHAPE, member
from tests.node_js import NODE

MAX_BYTES = {"engine.js": 760, "functions.js": 3_900, "functions-rare.js": 2_550, "digest.js": 1_850}
EVALUATOR_BYTES = 5_000  # what a form with any function of the tiers A and B loads to evaluate, rare ones apart
TEXTS = [
    *(
        "",
        " ",
        "0",
        "1",
        "-1",
        "2",
        "3.5",
        "-0.5",
        ".5",
        "5.",
        "007",
        "1e3",
        "abc",
        "true",
        "false",
        "NaN",
        "Infinity",
        "- 1",
    ),
    *(
        "a b c",
        "  b  a ",
        "vera",
        "d1",
        "2024-05-06",
        "2000-02-29",
        "2023-02-29",
        "0000-01-01",
        "9999-12-31",
        "0001-01-01",
    ),
    *(
        "2024-05-06T07:30:00.000-05:00",
        "2024-05-06T12:30:00Z",
        "2024-05-06T07:30",
        "2024-05-06T25:00:00Z",
        "1969-12-31T23:59:59.999Z",
    ),
    *(
        "06:30:00",
        "24:00",
        "12:00:00.000-05:00",
        "🥰é",
        "ñ\u0301",
        "a\u00a0b",
        "\x1c",
        "tab\there",
        "1,5",
        "0 0;0 1;1 1;1 0;0 0",
        "8.98 -79.52",
    ),
    *(
        "123456789012345678901",
        "0.000000123",
        "1.7976931348623157",
        "4.35",
        "2.675",
        "99999999999",
        "SGVsbG8=",
        "8J+lsA==",
    ),
]
NUMBERS = ["0", "1", "2", "3", "0.1", "10", "1.005", "2.5", "1000000", "0.0000001", "123456789012345678901234"]
PATHS = [
    *("/data/age", "/data/consent", "/data/about/born", "/data/about/hobbies", ".", "../years", "/data/member/name"),
    *("/data/member[1]/years", "/data/member[years > 3]/name", "/data/member[position() = last()]/name"),
    *(
        "instance('districts')/root/item[province = /data/consent]/label",
        "instance('districts')/root/item[name != 'd1'][1]/name",
    ),
]
NODESETS = [
    "/data/member",
    "../../member/years",
    "/data/member/visit/cost",
    "/data/about",
    "../visit/cost[. > 1]",
    "/data/member[visit]/name",
]
PATTERNS = [
    "^a",
    "[0-9]+$",
    r"^\w+$",
    r"\s",
    r"^.$",
    r"^[\w\-\.]+ \d?$",
    "b|c",
    r"^\+?\d{2,3}",
    "^[^a-z]*$",
    r"\bb\b",
    "é",
]
FORMATS = ["%Y-%m-%d", "%a %e %b %y", "%H:%M:%S.%3", "%n/%h %Q"]
# What depends on chance, or takes its arguments in a way of its own, is not made at random.
APART = {
    "random",
    "uuid",
    "randomize",
    "once",
    "position",
    "last",
    "pulldata",
    "jr:choice-name",
    "jr:itext",
    "indexed-repeat",
    "regex",
    *RESOLVED_AWAY,
}


def quoted(text: str) -> str:
    """Write a text as a literal."""
    return f'"{text}"' if "'" in text else f"'{text}'"


class Maker:
    """Makes random expressions; one seed always makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, choices: list[str]) -> str:
        return self.random.choice(choices)

    def expression(self, depth: int) -> str:
        leaves: list[Callable[[int], str]] = [self.literal, self.literal, self.path]
        branches = [self.call, self.call, self.call, self.operation, self.operation, self.special]
        return self.random.choice(leaves if depth <= 0 else branches)(depth - 1)

    def literal(self, depth: int) -> str:
        return self.pick(NUMBERS) if self.random.random() < 0.4 else quoted(self.pick(TEXTS))

    def path(self, depth: int) -> str:
        return self.pick(PATHS)

    def operation(self, depth: int) -> str:
        operator = self.pick(["+", "-", "*", "div", "mod", "=", "!=", "<", "<=", ">", ">=", "and", "or"])
        return f"({self.expression(depth)} {operator} {self.expression(depth)})"

    def call(self, depth: int) -> str:
        name = self.pick(sorted(set(FUNCTIONS) - APART))
        signature = FUNCTIONS[name]
        count = self.random.randint(signature.least, min(signature.most, signature.least + 2))
        given = [self.pick(NODESETS) if signature.kind(at) == "n" else self.expression(depth) for at in range(count)]
        if name.startswith("format-date"):
            given[1] = quoted(self.pick(FORMATS))
        return f"{name}({', '.join(given)})"

    def special(self, depth: int) -> str:
        inner = self.expression(depth)
        return self.pick(
            [
                f"regex({inner}, {quoted(self.pick(PATTERNS))})",
                f"once({inner})",
                f"-{inner}",
                f"indexed-repeat(/data/member/name, /data/member, {inner})",
                f"count(/data/member[{inner} = years])",
                f"count(randomize(../../member, {inner}))",
                f"join('|', randomize(/data/member/visit/cost, {inner}))",
                f"join('|', {self.pick(NODESETS)}, {inner})",
                f"pulldata('districts', 'label', 'name', {inner})",
                f"jr:choice-name({inner}, '/data/consent')",
                "position(..)",
            ]
        )

    def answer(self) -> str | None:
        """Pick what a question holds; None where it is not relevant."""
        return None if self.random.random() < 0.15 else self.pick(TEXTS)

    def record(self) -> Row:
        root: Row = [None, *(self.answer() for _ in range(4)), [], self.answer()]
        for _ in range(self.random.randint(1, 3)):
            costs = [self.pick(TEXTS) for _ in range(self.random.randint(0, 3))]
            root[5].append(member(root, self.pick(TEXTS), self.pick(["1", "2", "31", "", "x"]), costs))
            for visit in root[5][-1][3][1:]:
                visit[1] = self.answer()
        return root


def resolved(maker: Maker, count: int, context: str = "/data/member/name", depth: int = 3) -> list[tuple[str, Ir]]:
    """Make `count` expressions that the form accepts."""
    found: list[tuple[str, Ir]] = []
    while len(found) < count:
        text = maker.expression(depth)
        try:
            found.append((text, compile_text(text, SHAPE, context)))
        except ExpressionError:
            continue
    return found


def ask_js(tasks: list[dict[str, object]], scripts: tuple[str, ...] = SCRIPTS) -> list[dict[str, object]]:
    """Evaluate all tasks in one run of node."""
    answers = run_js([json.dumps(task) for task in tasks], scripts)
    return [json.loads(line, parse_int=float) for line in answers]


class SimpleMaker(Maker):
    """Makes expressions as simple forms have them, most of which the core of the page's engine answers alone."""

    def call(self, depth: int) -> str:
        name = self.pick(
            ["if", "if", "coalesce", "coalesce", "once", "not", "selected", "selected", "true", "false", "string"]
        )
        count = FUNCTIONS[name].least
        return f"{name}({', '.join(self.expression(depth) for _ in range(count))})"

    def operation(self, depth: int) -> str:
        operator = self.pick(["=", "=", "=", "!=", "!=", "and", "and", "and", "or", "or", "or", "<", "+"])
        return f"({self.expression(depth)} {operator} {self.expression(depth)})"

    def literal(self, depth: int) -> str:
        return self.pick(NUMBERS) if self.random.random() < 0.08 else quoted(self.pick(TEXTS))

    def path(self, depth: int) -> str:
        return self.pick([*PATHS[:4], *PATHS[:4], *PATHS[-2:]])

    def special(self, depth: int) -> str:
        column, key = self.pick(["name", "province"]), self.expression(min(depth, 0))
        return f"instance('districts')/root/item[{column} = {key}]/{self.pick(['name', 'label', 'province'])}"


@pytest.mark.parametrize("seed", range(4))
def test_python_and_javascript_give_the_same_answers(seed):
    maker = Maker(seed)
    root = maker.record()
    row = root[5][-1]
    env = Env(row, now=NOW, lang="es", instances={"districts": DISTRICTS})
    made = resolved(maker, 1500)
    common = {
        "root": without_parents(root),
        "place": place_of(row, root),
        "now": NOW,
        "lang": "es",
        "lists": {"districts": DISTRICTS},
    }
    kinds = ["string", "number", "boolean", "nodeset"]
    tasks = [{"id": text, "ir": ir, "type": kinds[at % 4], **common} for at, (text, ir) in enumerate(made)]
    for at, ((text, ir), answer) in enumerate(zip(made, ask_js(tasks), strict=True)):
        mine = cast(build(ir)(env), kinds[at % 4], NOW[1])
        assert "error" not in answer, (text, answer, root)
        assert mine == answer["value"], (text, mine, answer["value"], root)


def each_function_on_each_text() -> list[str]:
    """Write every function with every text as its first argument, and others that vary."""
    maker, made = Maker(0), []
    for name in sorted(set(FUNCTIONS) - APART):
        signature = FUNCTIONS[name]
        for text in TEXTS if signature.kind(0) != "n" and signature.most else []:
            for count in {max(signature.least, 1), min(signature.most, 3)}:
                more = [maker.literal(0) for _ in range(count - 1)]
                # a literal that is no date is refused, an answer that is none is not
                given = f"string({quoted(text)})" if name in ("date", "decimal-date-time") else quoted(text)
                made.append(f"{name}({', '.join([given, *more])})")
    return made


def each_operator_on_each_pair() -> list[str]:
    """Write the operators that differ in kind between all pairs of some texts, dates and date-times among them."""
    values = [quoted(text) for text in TEXTS[:10] + TEXTS[14:17] + TEXTS[18:40:2]]
    values += ["1", "0.1 + 0.2", "0.3", "true()", "today()", "now()", "date('2024-05-07')", "/data/age"]
    values.append("date-time('2024-05-07T01:00:00Z')")  # 20:00 on the 6th in Panama
    return [
        f"({a}) {operator} ({b})" for operator in ("=", "<", ">=", "+", "mod", "and") for a in values for b in values
    ]


@pytest.mark.parametrize("make", [each_function_on_each_text, each_operator_on_each_pair])
def test_python_and_javascript_agree_on_every_awkward_value(make):
    root: Row = [None, "0", "", None, "a b", [], "-1.5"]
    env = Env(root, now=NOW, lang="en")
    common = {"root": without_parents(root), "place": [], "now": NOW, "lang": "en", "lists": {}, "type": "string"}
    made = []
    for text in make():
        try:
            made.append((text, compile_text(text, SHAPE, "/data/total")))
        except ExpressionError:
            continue
    answers = ask_js([{"id": text, "ir": ir, **common} for text, ir in made])
    mine = [{"id": text, "value": cast(build(ir)(env), "string", NOW[1])} for text, ir in made]
    assert len(made) > 1500
    assert [pair for pair in zip(mine, answers, strict=True) if pair[0] != pair[1]] == []


def test_the_page_has_every_function_and_no_other():
    folder = json.dumps(f"{asset_dir('static') / 'js'}/")
    script = f"""
        const {{ calls }} = await import({folder} + "engine.js");
        const names = [Object.keys(calls)];
        for (const script of {json.dumps(SCRIPTS)}) {{
            await import({folder} + script);
            names.push(Object.keys(calls));
        }}
        console.log(JSON.stringify(names));
    """
    command = [NODE, "--input-type=module", "--eval", script]
    core, common, rare, everything = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )
    resolved_away = {"pulldata", "indexed-repeat"}
    operators = {"and", "or", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod"}
    assert set(core) == {"true", "false", "not", "selected", "if", "coalesce", "once", "and", "or", "=", "!="}
    assert set(common) == set(COMMON) - resolved_away | operators
    assert set(rare) - set(common) == set(RARE)
    assert set(everything) - set(rare) == set(HASHING)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("make", "depth", "least"), [(SimpleMaker, 3, 500), (SimpleMaker, 2, 700), (Maker, 1, 100)])
def test_the_core_alone_agrees_with_python_where_it_is_said_to_suffice(make, depth, least, seed):
    maker = make(seed)
    root = maker.record()
    env = Env(root, now=NOW, lang="es", instances={"districts": DISTRICTS})
    common = {"root": without_parents(root), "place": [], "now": NOW, "lang": "es", "lists": {"districts": DISTRICTS}}
    tasks = []
    for text, ir in resolved(maker, 1500, "/data/total", depth):
        kept = [f"stored {type}" for type in ("string", "int", "date", "dateTime") if not scripts_needed(ir, type)]
        tasks += [{"id": text, "ir": ir, "type": type, **common} for type in (kept and ["string", "boolean", *kept])]
    assert len({task["id"] for task in tasks}) >= least
    for task, answer in zip(tasks, ask_js(tasks, ()), strict=True):
        mine = cast(build(task["ir"])(env), task["type"], NOW[1])
        assert answer == {"id": task["id"], "value": mine}, (task, mine)


@pytest.mark.parametrize("offset", [-300, 0, 330, -570, 14 * 60])
def test_the_moment_is_the_same_text_without_the_other_functions(offset):
    now = (1_763_800_000_123, offset)
    ir = compile_text("if(/data/consent = '', once(now()), '')", SHAPE, "/data/total")
    assert scripts_needed(ir) == ("now.js",)
    task = {"id": "now", "ir": ir, "type": "string", "root": [None] * 7, "place": [], "now": now, "lang": "es",
            "lists": {}}  # fmt: skip
    (answer,) = ask_js([task], ("now.js",))
    assert answer["value"] == cast(build(ir)(Env([None] * 7, now=now)), "string", offset)


def served_bytes(script: str) -> int:
    """Return what a script weighs as it is sent."""
    source = (asset_dir("static") / "js" / script).read_text(encoding="utf-8")
    return len(gzip.compress(rjsmin.jsmin(source).encode(), 9))


@pytest.mark.parametrize("script", MAX_BYTES)
def test_the_engine_is_small_enough_for_a_slow_network(script):
    assert served_bytes(script) <= MAX_BYTES[script]


def test_evaluator_and_common_functions_together_weigh_less_than_five_kilobytes():
    assert served_bytes("engine.js") + served_bytes("functions.js") <= EVALUATOR_BYTES
