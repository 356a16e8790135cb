"""The order of calculation, and what may not depend on itself."""

from collections.abc import Iterator

from collector.forms.expressions import functions_used, reads
from collector.forms.model import IR
from collector.forms.xform.draft import Draft


def calculation_order(draft: Draft) -> tuple[str, ...]:
    """Return calculates so that each stands after those it reads; a cycle is refused by naming its fields."""
    calculates = {q.path: q.logic.calculate for q in draft.questions.values() if q.logic.calculate is not None}
    needs = {
        path: [other for other in reads(ir, draft.shape, path) if other in calculates and other != path]
        for path, ir in calculates.items()
    }
    done: dict[str, None] = {}
    while len(done) < len(calculates):
        ready = [path for path in calculates if path not in done and all(n in done for n in needs[path])]
        if not ready:
            stuck = [path for path in calculates if path not in done]
            names = ", ".join(path.rpartition("/")[2] for path in _circle(stuck, needs))
            draft.refuse(stuck[0], "calculation", f"Estos cálculos dependen unos de otros en círculo: {names}.",
                         "Quite una de las referencias.")  # fmt: skip
            break
        done |= dict.fromkeys(ready)
    return tuple(done)


def _circle(stuck: list[str], needs: dict[str, list[str]]) -> list[str]:
    """Return those that stand in a circle, without those that only read from it."""
    left = set(stuck)
    while True:
        read = {other for path in left for other in needs[path]}
        if left <= read:
            return [path for path in stuck if path in left]
        left &= read


def refuse_self_reading(draft: Draft) -> None:
    """Refuse what reads itself: a calculate outside once() and if(), a condition anywhere, also a group's.

    A calculate that is just its own question keeps what is there; a group may read what never changes inside it.
    """
    for path, question in draft.questions.items():
        slot = draft.shape.slots[path].index
        calculate = question.logic.calculate
        if calculate is not None and calculate != ["v", 0, slot] and slot in _own(calculate):
            _refuse(draft, path, "calculation", "El cálculo se lee a sí mismo.", "Use once(…) para guardar el primero.")
        for name in ("relevant", "required", "readonly"):
            ir = getattr(question.logic, name)
            if ir is not None and slot in _own(ir, False):
                _refuse(draft, path, name, "La condición lee la misma pregunta a la que se aplica.", "")
    for path, node in (draft.groups | draft.repeats).items():
        if node.relevant is None:
            continue
        row = draft.shape.row_of(path)
        inside = {slot.index for slot in draft.shape.slots.values() if slot.kind == "value" and slot.row == row
                  and slot.path.startswith(path + "/") and not _is_fixed(draft, slot.path)}  # fmt: skip
        if inside & set(_own(node.relevant, False)):
            _refuse(draft, path, "relevant", "La condición lee una pregunta del mismo grupo que muestra u oculta.", "")


def _is_fixed(draft: Draft, path: str) -> bool:
    """Tell whether nothing changes what a node holds: not asked (or asked hidden), not calculated, set by no action."""
    question = draft.questions.get(path)
    if question is None or question.logic.calculate is not None or any(each.path == path for each in draft.actions):
        return False
    return question.type == "calculate" or "hidden" in question.appearance


def _own(ir: IR, is_kept: bool = True) -> Iterator[int]:
    """Yield the slots of the own row that an IR reads. is_kept: not where it keeps what is there (once, if)."""
    if ir[0] == "v" and ir[1] == 0:
        yield ir[2]
    if ir[0] in ("r", "i") or (is_kept and ir[:2] in (["f", "once"], ["f", "if"], ["f", "coalesce"])):
        return
    for part in ir[1:]:
        if isinstance(part, list):
            yield from _own(part, is_kept)


def _refuse(draft: Draft, path: str, prop: str, message: str, hint: str) -> None:
    draft.refuse(path, prop, f"{message} ({path.rpartition('/')[2]})", hint)


def calls_itext(draft: Draft) -> bool:
    """Tell whether an expression looks texts up by their id."""
    found = [
        ir
        for question in draft.questions.values()
        for ir in (*vars(question.logic).values(), question.choice_filter)
        if ir is not None
    ]
    return any("jr:itext" in functions_used(ir) for ir in found)
