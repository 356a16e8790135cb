"""XForm XML -> Form. Reads what pyxform, ODK Build and hands write; refuses by path what this release cannot ask.

head.py: title, texts, lists, binds   instance.py: rows   body.py: groups, repeats, controls   questions.py, actions.py
            \\______________________________ one Draft ______________________________/ -> Form
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from xml.etree.ElementTree import Element  # only the type; parsing is defusedxml's

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

from collector.forms.model import Form
from collector.forms.report import FormErrors, FormProblem
from collector.forms.xform.actions import read_actions
from collector.forms.xform.body import read_body, register, repeated_paths
from collector.forms.xform.draft import Draft
from collector.forms.xform.elements import child, children, local
from collector.forms.xform.head import read_choices, read_head, read_shape
from collector.forms.xform.order import calculation_order, calls_itext, refuse_self_reading
from collector.forms.xform.questions import is_computed, read_computed


def read_xform(xml: str, *, everything: bool = False, media: Mapping[str, str] | None = None) -> Form:
    """Return the typed form. Raises FormErrors with every problem found, each with the path it belongs to.

    everything: read also what the page cannot ask yet (repeats, places, files, actions, texts with answers).
    media: the attached files, name -> text.
    """
    try:
        document = SafeXml.fromstring(xml.strip())
    except (SafeXml.ParseError, DefusedXmlException, ValueError) as error:
        raise FormErrors([FormProblem("", "settings", f"El XForm no se puede leer: {error}", "")]) from error
    draft = Draft(hashlib.sha256(xml.encode()).hexdigest(), everything)
    form = _read(draft, document, media or {})
    if draft.problems:
        raise FormErrors(draft.problems)
    return form


# names of the page's own controls, and of what JavaScript keeps for itself
PAGE_NAMES = ("_page", "_id", "_started", "_language", "_lang", "_go", "__proto__")


def _read(draft: Draft, document: Element, media: Mapping[str, str]) -> Form:
    """Read every part in order and put the form together."""
    head, body = child(document, "head"), child(document, "body")
    model = child(head, "model")
    read_head(draft, head, model, media)
    read_shape(draft, repeated_paths(draft, body))
    read_choices(draft)
    _read_model_actions(draft, model)
    read_body(draft, body)
    for path in draft.instance.tree if draft.everything else draft.binds:
        if is_computed(draft, path):
            register(draft, path)
            read_computed(draft, path)
            draft.nodes.setdefault(path)
    _settle_groups(draft)
    refuse_self_reading(draft)
    for path, question in draft.questions.items():
        if question.key in PAGE_NAMES and not draft.everything:
            draft.refuse(path, "type", f"El nombre «{question.name}» lo usa la página.", "Cambie el nombre.")
    asked = [q for q in draft.questions.values() if q.page >= 0 and q.type != "note"]
    if not asked and not draft.everything:
        draft.refuse("", "settings", "El formulario no tiene preguntas.", "Agregue al menos una pregunta en survey.")
    return _form(draft)


def _read_model_actions(draft: Draft, model: Element | None) -> None:
    for action in children(model, "setvalue", "setgeopoint", "recordaudio"):
        if draft.everything:
            read_actions(draft, [action], draft.shape.root)
        else:
            draft.refuse(action.get("ref", ""), "default", f"La acción «{local(action)}» todavía no se admite.", "")


def _settle_groups(draft: Draft) -> None:
    """A group of the model may have become known only after what stands in it."""
    for path, question in draft.questions.items():
        draft.questions[path] = replace(question, groups=draft.ancestors(path))


def _form(draft: Draft) -> Form:
    page_of = {path: number for number, page in enumerate(filter(None, draft.pages)) for path in page}
    questions = tuple(replace(q, page=page_of.get(path, -1)) for path, q in draft.questions.items())
    repeats = tuple(replace(repeat, page=page_of.get(path, -1)) for path, repeat in draft.repeats.items())
    return Form(
        form_id=draft.root.get("id") or local(draft.root),
        version=draft.root.get("version") or draft.sha256[:10],
        sha256=draft.sha256,
        title=draft.title,
        root=draft.shape.root,
        languages=draft.languages,
        questions=questions,
        groups=tuple(draft.groups.values()),
        lists=draft.lists,
        pages=tuple(tuple(page) for page in draft.pages if page),
        order=calculation_order(draft),
        nodes=tuple(draft.nodes),
        repeats=repeats,
        actions=tuple(draft.actions),
        outputs=tuple(draft.outputs),
        seed=draft.seed if draft.repeats else Form.seed,
        tree=tuple(draft.instance.tree),
        external=tuple(draft.external),
        attributes=draft.instance.attributes,
        texts=_texts(draft) if calls_itext(draft) else {},
    )


def _texts(draft: Draft) -> dict[str, dict[str, str]]:
    return {text_id: dict(draft.text(words, draft.shape.root)) for text_id, words in draft.itext.items()}
