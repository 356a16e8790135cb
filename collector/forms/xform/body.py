"""The body of an XForm: groups, repeats and controls, in the order in which they are asked."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from collector.forms.model import IR, Group, Repeat
from collector.forms.xform.actions import read_actions
from collector.forms.xform.draft import Draft
from collector.forms.xform.elements import JR, child, children, elements, local
from collector.forms.xform.questions import read_control

CONTROLS = ("input", "select1", "select", "upload", "trigger", "range", "rank", "secret")
ACTIONS = ("setvalue", "setgeopoint", "recordaudio")
TEXTS = ("label", "hint", "help", "alert")


def repeated_paths(draft: Draft, body: Element | None) -> frozenset[str]:
    """Return the paths that the body repeats, before the shape is known."""
    return frozenset(_repeated(draft, body, "/" + local(draft.root)))


def _repeated(draft: Draft, element: Element | None, base: str) -> Iterator[str]:
    for item in elements(element):
        ref = item.get("nodeset") or item.get("ref")
        here = draft.absolute(ref, base) if ref else base
        if local(item) == "repeat":
            yield here
        if local(item) in ("group", "repeat"):
            yield from _repeated(draft, item, here)


def read_body(draft: Draft, body: Element | None) -> None:
    """Read all that is asked."""
    if body is not None:
        _walk(draft, body, draft.shape.root, False)


def _walk(draft: Draft, element: Element, base: str, same_page: bool) -> None:
    for item in elements(element):
        name = local(item)
        if name == "group":
            _walk_group(draft, item, base, same_page)
        elif name in CONTROLS:
            _place(draft, item, base, same_page)
        elif name == "repeat":
            _walk_repeat(draft, item, base, element, same_page)
        elif name in ACTIONS:
            read_actions(draft, [item], base)
        elif name not in TEXTS:
            draft.refuse(ref_of(draft, item, base), "type", f"El elemento «{name}» no se puede preguntar.",
                         "Quítelo o cámbielo por input, select1, select, upload, range, rank o trigger.")  # fmt: skip


def ref_of(draft: Draft, item: Element, base: str) -> str:
    """Return the absolute path that a control is bound to, "" for none."""
    ref = item.get("ref") or item.get("nodeset") or ""
    if not ref and item.get("bind"):
        ref = next((path for path, bind in draft.binds.items() if bind.get("id") == item.get("bind")), "")
    return draft.absolute(ref, base) if ref else ""


def appearance_of(item: Element) -> tuple[str, ...]:
    """Return the words of the appearance."""
    return tuple((item.get("appearance") or "").split())


def _walk_group(draft: Draft, item: Element, base: str, same_page: bool) -> None:
    path = ref_of(draft, item, base)
    opens_page = "field-list" in appearance_of(item) and not same_page
    if opens_page:
        draft.pages.append([])
    if path and not draft.shape.is_repeat(path) and path != draft.shape.root:
        page = len(draft.pages) - 1 if opens_page or same_page else -1
        add_group(draft, path, item, page)
    _walk(draft, item, path or base, same_page or opens_page)


def add_group(draft: Draft, path: str, item: Element | None, page: int = -1) -> None:
    """Add a group, with its label where the body has it."""
    register(draft, path)
    label = draft.label(item, path) if item is not None else {}
    appearance = appearance_of(item) if item is not None else ()
    logic = draft.logic(path, "relevant", "readonly")
    draft.groups[path] = Group(
        path=path,
        label=label,
        relevant=logic["relevant"],
        appearance=appearance,
        page=page,
        groups=draft.ancestors(path),
        readonly=logic["readonly"],
        row=draft.row_of(path),
    )
    draft.nodes[path] = None


def register(draft: Draft, path: str) -> None:
    """Add what stands around a node and has a say in it, outermost first, though the body may not show it."""
    steps = path.split("/")
    for length in range(3, len(steps)):
        around = "/".join(steps[:length])
        if around in draft.groups or around in draft.repeats:
            continue
        bind = draft.binds.get(around, {})
        if draft.shape.is_repeat(around):
            add_repeat(draft, around, None, None)
        elif bind.get("relevant") or bind.get("readonly"):
            add_group(draft, around, None)


def _walk_repeat(draft: Draft, item: Element, base: str, around: Element, same_page: bool) -> None:
    path = ref_of(draft, item, base)
    if not draft.shape.is_repeat(path):
        draft.refuse(path, "type", f"La repetición {path} no está en la instancia del formulario.", "")
        return
    if not draft.row_of(path) and not any(path in page for page in draft.pages):
        if not same_page:
            draft.pages.append([])
        draft.pages[-1].append(path)  # a repeat in a repeat is asked in its rows
    add_repeat(draft, path, item, around)
    _walk(draft, item, path, True)


def add_repeat(draft: Draft, path: str, item: Element | None, around: Element | None) -> None:
    """Add a repeat; its label is that of the group around it."""
    register(draft, path)
    logic = draft.logic(path, "relevant", "readonly")
    shown = item is not None and not draft.row_of(path)
    holder = around if around is not None and local(around) == "group" else item
    if holder is not None and child(holder, "label") is None:
        holder = item
    draft.repeats[path] = Repeat(
        path=path,
        key=draft.key_of(path),
        slot=draft.shape.slots[path].index,
        label=draft.label(holder, path) if holder is not None else {},
        template=draft.instance.seed(draft.instance.templates[path], path),
        relevant=logic["relevant"],
        readonly=logic["readonly"],
        count=_count(draft, path, item),
        is_fixed=item is None or (item.get(f"{JR}noAddRemove") or "") in ("true()", "true"),
        appearance=appearance_of(item) if item is not None else (),
        page=len(draft.pages) - 1 if shown else -1,
        groups=draft.ancestors(path),
        row=draft.row_of(path),
    )
    draft.nodes[path] = None


def _count(draft: Draft, path: str, item: Element | None) -> IR | None:
    """Compile a repeat count. One that is a name alone means a node beside the repeat: none inside can count it."""
    text = (item.get(f"{JR}count") or "").strip() if item is not None else ""
    beside = f"{path.rpartition('/')[0]}/{text}"
    return draft.compile(path, "count", f"../{text}" if draft.shape.slots.get(beside) else text, outside=True)


def _place(draft: Draft, item: Element, base: str, same_page: bool) -> None:
    path = ref_of(draft, item, base)
    slot = draft.shape.slots.get(path)
    if slot is None or slot.kind != "value":
        draft.refuse(path, "type", f"La pregunta {path} no está en la instancia del formulario.", "")
        return
    register(draft, path)
    in_row = bool(draft.row_of(path))
    if not in_row:
        if not same_page:
            draft.pages.append([])
        draft.pages[-1].append(path)
    read_control(draft, item, path, -1 if in_row else len(draft.pages) - 1)
    draft.nodes[path] = None
    read_actions(draft, list(children(item, *ACTIONS)), path, trigger=path)
