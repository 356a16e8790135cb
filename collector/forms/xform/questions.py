"""Controls and computed nodes of an XForm -> questions."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from collector.forms.model import IR, Action, Choice, Logic, Question, RowSource
from collector.forms.xform.draft import Draft
from collector.forms.xform.elements import JR, child, children, local, trimmed
from collector.forms.xform.head import choice_of
from collector.forms.xform.lists import TEXT

INPUTS = {
    "string": "text", "int": "integer", "integer": "integer", "long": "integer", "decimal": "decimal", "date": "date",
    "time": "time", "dateTime": "datetime", "geopoint": "geopoint", "geotrace": "geotrace", "geoshape": "geoshape",
    "barcode": "barcode", "binary": "file",
}  # fmt: skip
SELECTS = {"select1": "select_one", "select": "select_multiple", "rank": "rank"}
OTHERS = {"trigger": "acknowledge", "range": "range", "secret": "secret"}
MEDIA = ("image", "audio", "video")
# of the control, or of the bind
PARAMETERS = (
    "start", "end", "step", "tick-interval", "tick-labelset", "placeholder", "rows", "max-pixels", "quality",
    "accuracyThreshold", "unacceptableAccuracyThreshold",
)  # fmt: skip
LOGIC_NAMES = ("relevant", "required", "readonly", "constraint", "calculate")
# what a form asks the device for, as expressions over our own clock; others stay empty, the end is an action
PRELOADS = {
    ("timestamp", "start"): "once(now())",
    ("date", "today"): "once(today())",
    ("uid", ""): "concat('uuid:', uuid())",
}
HERE = re.compile(r"^(jr:itext\(\s*)?\./")  # ./column of an item is its column
LIST_PATH = re.compile(r"(?:randomize\(\s*)?instance\(")
NUMBER = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)")


def read_control(draft: Draft, item: Element, path: str, page: int) -> None:
    """Add the question that a control asks."""
    slot = draft.shape.slots[path]
    kind = _type(draft, item, path, slot.type)
    if kind == "range":
        _check_range(draft, item, path)
    list_name, choice_filter, rows = _choices(draft, item, path) if local(item) in SELECTS else ("", None, None)
    draft.questions[path] = Question(
        path=path,
        key=draft.key_of(path),
        name=path.rpartition("/")[2],
        type=kind,
        bind=slot.type,
        slot=slot.index,
        page=page,
        label=draft.label(item, path),
        hint=draft.label(item, path, "hint"),
        appearance=tuple((item.get("appearance") or "").split()),
        list_name=list_name,
        choice_filter=choice_filter,
        logic=logic_of(draft, path),
        constraint_message=draft.message(path, "constraintMsg"),
        required_message=draft.message(path, "requiredMsg"),
        default=draft.instance.defaults.get(path, ""),
        groups=draft.ancestors(path),
        row=draft.row_of(path),
        rows=rows,
        guidance=draft.media(item, path, "hint").get("guidance", {}),
        media=draft.media(item, path),
        parameters=_parameters(item, draft.binds.get(path, {})),
        privacy=privacy_of(draft, path),
    )


def _parameters(item: Element, bind: Mapping[str, str]) -> dict[str, str]:
    """Return what tunes a control: ends of a range, lines of a text, size of a photo, accuracy of a place."""
    given = {name.rpartition("}")[2]: text for name, text in item.attrib.items() if text}
    given |= {name.rpartition("}")[2]: text for name, text in bind.items() if text}
    return {name: given[name] for name in PARAMETERS if name in given}


def _check_range(draft: Draft, item: Element, path: str) -> None:
    """Refuse a range whose ends or step are no numbers."""
    for name in ("start", "end", "step"):
        given = (item.get(name) or "").strip()
        if given and not NUMBER.fullmatch(given):
            draft.refuse(path, "parameters", f"El «{name}» de un rango tiene que ser un número: {given}", "", given)


def privacy_of(draft: Draft, path: str) -> str:
    """Return what the form says of the answers (the column `bind::privacy`); the attribute may have a namespace."""
    said = {name.rpartition("}")[2]: text for name, text in draft.binds.get(path, {}).items()}
    return said.get("privacy", "").strip().lower()


def logic_of(draft: Draft, path: str) -> Logic:
    """Compile the bind of a node; a preload is a calculate over our own clock."""
    logic: dict[str, Any] = draft.logic(path, *LOGIC_NAMES)
    if logic["calculate"] is None:
        preload = PRELOADS.get(_preload(draft, path))
        logic["calculate"] = draft.compile(path, "calculate", preload)
    return Logic(**logic)


def _preload(draft: Draft, path: str) -> tuple[str, str]:
    bind = draft.binds.get(path, {})
    return bind.get(f"{JR}preload") or "", bind.get(f"{JR}preloadParams") or ""


def _type(draft: Draft, item: Element, path: str, kind: str) -> str:
    name = local(item)
    if name in SELECTS or name in OTHERS:
        return (SELECTS | OTHERS)[name]
    if name == "upload":
        said = (item.get("mediatype") or "").partition("/")[0]
        return said if said in MEDIA else "file"
    bind = draft.binds.get(path, {})
    is_said = bool(draft.instance.defaults.get(path))  # a text that is shown, not a note
    if kind == "string" and (bind.get("readonly") or "").strip() == "true()" and not bind.get("calculate"):
        return "text" if is_said else "note"
    return INPUTS.get(kind, "text")


# --- choices


def _choices(draft: Draft, item: Element, path: str) -> tuple[str, IR | None, RowSource | None]:
    """Return the list of a select, what filters it, and the rows it comes from."""
    itemset = child(item, "itemset")
    if itemset is None:
        return _inline(draft, item, path), None, None
    nodeset = (itemset.get("nodeset") or "").strip()
    value = _ref(itemset, "value") or "name"
    found = draft.list_named(nodeset)
    if found:
        name = _list_of(draft, found, path, value, _ref(itemset, "label"))
        return name, _filter(draft, nodeset, path, value), None
    if LIST_PATH.match(nodeset):
        draft.refuse(path, "choice_filter", f"No se entiende de dónde salen las opciones: {nodeset}", "")
        return "", None, None
    return _from_rows(draft, nodeset, path, value, _ref(itemset, "label"))


def _ref(itemset: Element, name: str) -> str:
    found = child(itemset, name)
    ref = (found.get("ref") or "").strip() if found is not None else ""
    return TEXT if ref == "." else HERE.sub(r"\1", ref)


def _list_of(draft: Draft, name: str, path: str, value: str, label: str) -> str:
    """Return the list with these columns as name and label: the list itself, or one of the question's own."""
    items = draft.items[name]
    if name not in draft.external and items and value not in items[0]:  # a file's columns are looked at with the file
        held = ", ".join(column for column in items[0] if not column.startswith(("@", "..")))
        draft.refuse(path, "choice_filter", f"La lista «{name}» no tiene la columna «{value}», que da el valor.",
                     f"Sus columnas: {held}.")  # fmt: skip
    if value == "name" and label in ("", "label", "jr:itext(itextId)"):
        return name
    draft.lists[path] = tuple(choice_of(draft, item, value, label) for item in items)
    return path


def _filter(draft: Draft, nodeset: str, path: str, value: str) -> IR | None:
    """Return what gives the names offered, None where that is always the whole list in its order."""
    if nodeset.startswith("randomize"):
        shuffled = draft.compile(path, "choice_filter", nodeset, nodeset=True)
        # ["f", "randomize", items, seed]: of the items, the column that is stored
        return None if shuffled is None else [*shuffled[:2], [*shuffled[2][:3], value], *shuffled[3:]]
    column = "" if value == TEXT else f"/{value}"
    return draft.compile(path, "choice_filter", nodeset + column) if "[" in nodeset else None


def _from_rows(
    draft: Draft, nodeset: str, path: str, value: str, label: str
) -> tuple[str, IR | None, RowSource | None]:
    """Return what offers the rows of a repeat."""
    values = draft.compile(path, "choice_filter", f"{nodeset}/{value}", nodeset=True)
    labels = draft.compile(path, "choice_filter", f"{nodeset}/{label or value}", nodeset=True)
    if values is None or labels is None:
        return "", None, None
    draft.lists[path] = ()
    return path, values, RowSource([*values[:3], None], values[3], labels[3])


def _inline(draft: Draft, item: Element, path: str) -> str:
    choices = []
    for each in children(item, "item"):
        name = trimmed(child(each, "value"))
        choices.append(Choice(name, draft.label(each, path), {"name": name}, draft.media(each, path)))
    if not choices:
        draft.refuse(
            path, "type", "La pregunta no ofrece ninguna opción.", "Agregue opciones, o una lista de donde salgan."
        )
    draft.lists[path] = tuple(choices)
    return path


# --- nodes without a control


def is_computed(draft: Draft, path: str) -> bool:
    """Tell whether a node without a control takes part: any that holds something, but the id of the record."""
    slot = draft.shape.slots.get(path)
    if path in draft.questions or slot is None or slot.kind != "value":
        return False
    if "/meta/" in path or "/orx:meta/" in path:
        return path.rpartition("/")[2].removeprefix("orx:") != "instanceID"
    return True


def read_computed(draft: Draft, path: str) -> None:
    """Add a calculate, or what the device tells by itself."""
    bind = draft.binds.get(path, {})
    kind, preloaded = _preload(draft, path)
    logic = logic_of(draft, path)
    slot = draft.shape.slots[path]
    draft.questions[path] = Question(
        path=path,
        key=draft.key_of(path),
        name=path.rpartition("/")[2],
        type="calculate",
        bind=slot.type,
        slot=slot.index,
        page=-1,
        label={},
        hint={},
        logic=logic,
        default=draft.instance.defaults.get(path, ""),
        groups=draft.ancestors(path),
        row=draft.row_of(path),
        property=preloaded if kind == "property" else "",
        privacy=privacy_of(draft, path),
    )
    if (kind, preloaded) == ("timestamp", "end") and not bind.get("calculate"):
        value = draft.compile(path, "value", "now()")
        rows = draft.compile(path, "value", ".", nodeset=True)
        if rows is not None:
            draft.actions.append(Action(("finish",), path, [*rows[:3], None], path, value))
