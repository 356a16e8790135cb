"""Columns that expressions read of a list, and that no item of it has: read as empty, and said so.

Pure. In ODK too such a condition is simply never met; a pulldata() of a column that is not there is always a slip.
"""

from collections.abc import Iterator

from collector.forms.expressions.analyse import parts
from collector.forms.model import IR, Form, Group, Repeat
from collector.forms.report import FormProblem
from collector.forms.sentences import problem

PROPERTIES = {"calculate": "calculation"}


def column_problems(form: Form) -> Iterator[FormProblem]:
    """Give one problem for each expression and column that its list lacks."""
    columns = {name: {column for item in items for column in item.columns} for name, items in form.lists.items()}
    for path, name, ir in _expressions(form):
        for list_name, column, is_table in dict.fromkeys(_read(ir)):
            held = columns.get(list_name)
            if held and column not in held:
                code = "table_column_missing" if is_table else "list_column_missing"
                yield problem(code, path, name, list_name=list_name, missing=column, columns=", ".join(sorted(held)))


def _expressions(form: Form) -> Iterator[tuple[str, str, IR]]:
    nodes: list[Group | Repeat] = [*form.groups, *form.repeats]
    for node in nodes:
        if node.relevant is not None:
            yield node.path, "relevant", node.relevant
    for question in form.questions:
        for name, ir in vars(question.logic).items():
            if ir is not None:
                yield question.path, PROPERTIES.get(name, name), ir
        if question.choice_filter is not None:
            yield question.path, "choice_filter", question.choice_filter


def _read(ir: IR, list_name: str = "", is_table: bool = False) -> Iterator[tuple[str, str, bool]]:
    """Give (list, column, whether pulldata reads it) for all that an IR reads; `list_name`: the list around it."""
    if ir[0] == "i":
        is_table = ir[4:] == ["pulldata"]
        if ir[3]:
            yield ir[1], ir[3], is_table
        for predicate in ir[2]:
            yield from _read(predicate, ir[1], is_table)
        return
    if ir[0] in ("k", "x"):
        yield list_name, ir[1], is_table
    for part in parts(ir):
        yield from _read(part, "" if ir[0] == "c" else list_name, is_table)
