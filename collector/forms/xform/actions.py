"""Actions of an XForm: setvalue in the model, in a repeat or in a control."""

from xml.etree.ElementTree import Element

from collector.forms.model import ACTION_EVENTS, Action
from collector.forms.xform.draft import Draft
from collector.forms.xform.elements import local

ODK = "{http://www.opendatakit.org/xforms}"
KINDS = ("setvalue", "setgeopoint")
# as forms write events -> as we name them; "finish" is ours alone
EVENTS = {event: event for event in ACTION_EVENTS if event != "finish"}
EVENTS |= {"xforms-ready": "odk-instance-load", "xforms-revalidate": "finish"}


def read_actions(draft: Draft, found: list[Element], at: str, trigger: str = "") -> None:
    """Read actions that stand at the node `at`; those inside a control wait for its change."""
    for item in found:
        _read_action(draft, item, at, trigger)


def _read_action(draft: Draft, item: Element, at: str, trigger: str) -> None:
    ref = (item.get("ref") or "").strip()
    if not ref:
        bind = item.get("bind")
        ref = next((path for path, facts in draft.binds.items() if facts.get("id") == bind), "")
    path = draft.absolute(ref, at)
    slot = draft.shape.slots.get(path)
    kind = local(item)
    if kind == "recordaudio":  # recording people in the background: left out
        return
    is_known = kind in KINDS and (kind == "setvalue" or item.tag.startswith(ODK))
    if not is_known or slot is None or slot.kind != "value":
        draft.refuse(path, "default", f"La acción «{kind}» sobre {path} no se admite.", "")
        return
    named = (item.get("event") or "").split()
    unknown = [event for event in named if event not in EVENTS]
    if unknown or not named:
        draft.refuse(path, "default", f"El evento «{' '.join(unknown)}» no se admite.", "")
        return
    events = tuple(EVENTS[event] for event in named)
    rows = draft.compile(at, "value", ref, nodeset=True)
    text = item.get("value")
    value = draft.compile(path, "value", text) if text is not None else _literal(item)
    if rows is not None:
        # the rows that hold the target, not its texts: the engine sets their slot
        draft.actions.append(Action(events, at, [*rows[:3], None], path, value, trigger, kind))


def _literal(item: Element) -> list[str] | None:
    text = (item.text or "").strip()
    return ["s", text] if text else None
