"""What makes a form's page rich: more than state.js can fill in, so that rich.js and rows.js come with it."""

from functools import lru_cache

from collector.forms.model import Form, Question
from collector.forms.twins import has_twins

SIMPLE_TYPES = frozenset({
    "text", "integer", "decimal", "date", "note", "select_one", "select_multiple", "acknowledge", "calculate",
})  # fmt: skip
RICH_APPEARANCES = frozenset({"year", "month-year", "quick", "quickcompact"})
SIDE_BY_SIDE = frozenset({"likert", "horizontal", "horizontal-compact", "list-nolabel", "list", "label"})
UNCHANGING = (None, ["f", "true"], ["f", "false"])  # rules that no answer changes
MANY_NODES = 100
LARGE_LIST = 200  # above this a list is searched, and only what is found stands in the page


@lru_cache(maxsize=256)
def is_rich(form: Form) -> bool:
    """Tell whether state.js cannot fill this form in, or not fast: it looks at everything after each answer."""
    if len(form.nodes) > MANY_NODES:
        return True
    acts = any(action.events != ("finish",) for action in form.actions)
    closes = any(group.readonly not in UNCHANGING for group in form.groups)
    asks = any(_is_rich_question(form, question) for question in form.questions)
    return bool(form.repeats or acts or closes or asks or form.outputs)


def _is_rich_question(form: Form, question: Question) -> bool:
    choices = form.lists.get(question.list_name, ())
    return (
        question.type not in SIMPLE_TYPES
        or question.rows is not None
        or (question.logic.calculate is not None and question.type != "calculate")
        or bool(RICH_APPEARANCES & set(question.appearance))
        or bool(question.media or any(choice.media for choice in choices))
        or question.logic.readonly not in UNCHANGING
        or is_shuffled(question)
        or has_twins(form, question)
        or (question.type == "select_one" and any(" " in choice.name for choice in choices))
        or len(choices) > LARGE_LIST
    )


def is_shuffled(question: Question) -> bool:
    """Tell whether the choices come in another order each time."""
    return question.choice_filter is not None and question.choice_filter[:2] == ["f", "randomize"]


@lru_cache(maxsize=256)
def has_sheet(form: Form) -> bool:
    """Tell whether the page needs css/rich.css: also what state.js fills in may stand side by side or be guided."""
    return is_rich(form) or any(q.guidance or SIDE_BY_SIDE & set(q.appearance) for q in form.questions)
