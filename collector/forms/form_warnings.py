"""What can be said of a form only once it is read: what stands in its page's way, and conditions that mislead.

Pure. Works on the Form, so that spreadsheets and XForms get the same; placing.py finds the cells.
"""

from collections.abc import Iterator

from collector.forms.expressions import Shape, is_anchored, patterns_used, reads
from collector.forms.model import IR, Form, Group, Question, Repeat
from collector.forms.program import shape_of
from collector.forms.report import FormProblem
from collector.forms.sentences import problem
from collector.forms.terms import terms_of

# names of the page's own controls, and of what JavaScript keeps for itself
PAGE_NAMES = ("_page", "_id", "_started", "_language", "_lang", "_go", "_was", "_files", "__proto__")
PAGE_GROUPS = ("_file/", "_find/")
SILENT = ("note", "calculate")


def page_problems(form: Form) -> list[FormProblem]:
    """List why no page can be made of a form: a name is one that the page needs. Also when it asks nothing."""
    taken = [q for q in form.questions if q.key in PAGE_NAMES or q.key.startswith(PAGE_GROUPS)]
    found = [problem("name_of_page", question.path, "name", name=question.name) for question in taken]
    if not any(asks(question) for question in form.questions):
        found.append(problem("nothing_asked", "", "settings"))
    return found


def asks(question: Question) -> bool:
    """Say whether a person is asked this, on a page of its own or in a row of a repeat."""
    is_shown = question.page >= 0 or bool(question.row)
    return is_shown and question.type not in SILENT and "label" not in question.appearance


def form_warnings(form: Form) -> Iterator[FormProblem]:
    """Give a warning for each condition that is a bare question, each pattern that is not anchored, and idle terms."""
    if terms_of(form).direct and not any(question.privacy == "direct" for question in form.questions):
        yield problem("term_of_nothing", "", "settings")
    shape = shape_of(form)
    nodes: list[Group | Repeat] = [*form.groups, *form.repeats]
    for node in nodes:
        yield from _bare(node.relevant, node.path, "relevant", shape)
    for question in form.questions:
        for name in ("relevant", "required", "constraint"):
            yield from _bare(getattr(question.logic, name), question.path, name, shape)
        yield from _loose(question)


def _bare(ir: IR | None, path: str, name: str, shape: Shape) -> Iterator[FormProblem]:
    """Give one warning where a condition, or an operand of its and/or/not, is just a question."""
    found = next(_references(ir), None) if ir is not None else None
    if found is None:
        return
    read = sorted(reads(found, shape, path), key=len)[-1].rpartition("/")[2]
    yield problem("bare_condition", path, name, name=read)


def _references(ir: IR) -> Iterator[IR]:
    if ir[0] == "v":
        yield ir
    elif ir[0] == "t":
        yield from _references(ir[1])
    elif ir[:2] in (["b", "and"], ["b", "or"], ["f", "not"]):
        for part in ir[2:]:
            yield from _references(part)


def _loose(question: Question) -> Iterator[FormProblem]:
    if question.logic.constraint is None:
        return
    loose = [str(pattern) for pattern in patterns_used(question.logic.constraint) if not is_anchored(str(pattern))]
    if loose:
        yield problem("regex_loose", question.path, "constraint", pattern=loose[0])
