"""Choices of one name in one list, as codes that start anew in each district: the filter says which is meant."""

from functools import lru_cache

from collector.forms.model import IR, Form, Question


def has_twins(form: Form, question: Question) -> bool:
    """Tell whether several choices of the list have one name and a filter tells them apart."""
    return question.choice_filter is not None and question.list_name in _lists_with_twins(form)


@lru_cache(maxsize=256)
def _lists_with_twins(form: Form) -> frozenset[str]:
    return frozenset(name for name, items in form.lists.items() if len({choice.name for choice in items}) < len(items))


def of_items(ir: IR, column: str | None) -> IR:
    """Return a choice filter that gives another column of the items it offers; None: the items themselves."""
    match ir[0]:
        case "i":
            return [*ir[:3], column, *ir[4:]]
        case "c":
            return ["c", of_items(ir[1], column)]
        case _:  # randomize()
            return [*ir[:2], of_items(ir[2], column), *ir[3:]]


def list_read(ir: IR) -> str:
    """Return the list whose items a choice filter offers.

    Where a question reads other columns than name and label its choices are a list of its own, item by item the same.
    """
    match ir[0]:
        case "i":
            name: str = ir[1]
            return name
        case "c":
            return list_read(ir[1])
        case _:  # randomize()
            return list_read(ir[2])
