"""A small form for the expression tests: a household with members, who have visits; and a list of districts."""

from collector.forms.expressions import Env, Row, Shape, Slot, Value, build, compile_text

NOW = (1_714_998_600_000, -300)  # 2024-05-06 07:30 in Panama


def slot(path: str, index: int, row: str, kind: str = "value", type: str = "string") -> Slot:
    """Make a slot."""
    return Slot(path, index, row, kind, type)  # type: ignore[arg-type]


SLOTS = [
    slot("/data/age", 1, "/data", type="int"),
    slot("/data/consent", 2, "/data"),
    slot("/data/about", 0, "/data", "group"),
    slot("/data/about/born", 3, "/data", type="date"),
    slot("/data/about/hobbies", 4, "/data"),
    slot("/data/member", 5, "/data", "repeat"),
    slot("/data/member/name", 1, "/data/member"),
    slot("/data/member/years", 2, "/data/member", type="int"),
    slot("/data/member/visit", 3, "/data/member", "repeat"),
    slot("/data/member/visit/cost", 1, "/data/member/visit", type="decimal"),
    slot("/data/total", 6, "/data"),
]
SHAPE = Shape("/data", {each.path: each for each in SLOTS}, {"districts": ("name", "label", "province")})
DISTRICTS = [
    {"name": "d1", "label": "Soná", "province": "vera"},
    {"name": "d2", "label": "Chepo", "province": "pana"},
    {"name": "d3", "label": "Santiago", "province": "vera"},
]


def member(parent: Row, name: str | None, years: str | None, costs: list[str]) -> Row:
    """Make a row of the outer repeat with its inner rows."""
    row: Row = [parent, name, years, []]
    row[3] = [[row, cost] for cost in costs]
    return row


def household() -> Row:
    """Make a record with two members; one of Ana's visits has no cost."""
    root: Row = [None, "20", "0", "2000-02-29", "read swim", [], ""]
    root[5] = [member(root, "Ana", "31", ["1.5", ""]), member(root, "Eva", "4", ["2"])]
    return root


def ask(text: str, context: str = "/data/total", row: Row | None = None, lang: str = "es") -> Value:
    """Evaluate an expression of the form in Python."""
    env = Env(row or household(), now=NOW, lang=lang, instances={"districts": DISTRICTS})
    return build(compile_text(text, SHAPE, context))(env)
