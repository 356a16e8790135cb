"""XForm XML -> Form. Reads what pyxform, ODK Build, Kobo and hands write; refuses by path what cannot be understood.

head.py: title, texts, lists, binds   instance.py: rows   body.py: groups, repeats, controls   questions.py, actions.py
            \\______________________________ one Draft ______________________________/ -> Form
"""

from collections.abc import Mapping
from dataclasses import replace
from xml.etree.ElementTree import Element  # only the type; parsing is defusedxml's

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

from collector.forms.model import Form
from collector.forms.report import FormErrors, FormProblem
from collector.forms.xform.actions import read_actions
from collector.forms.xform.body import read_body, register, repeated_paths
from collector.forms.xform.digest import form_digest
from collector.forms.xform.draft import Draft
from collector.forms.xform.elements import child, children, local
from collector.forms.xform.head import read_choices, read_head, read_shape, refuse_missing_files
from collector.forms.xform.order import calculation_order, calls_itext, refuse_self_reading
from collector.forms.xform.questions import is_computed, read_computed


def read_xform(xml: str, *, media: Mapping[str, str] | None = None, sha256: str | None = None) -> Form:
    """Return the typed form. Raises FormErrors with every problem found, each with the path it belongs to.

    media: the attached files, name -> text. sha256: what names the content, where files belong to it (digest.py).
    """
    try:
        document = SafeXml.fromstring(xml.strip())
    except (SafeXml.ParseError, DefusedXmlException, ValueError) as error:
        raise FormErrors([FormProblem("", "settings", f"El XForm no se puede leer: {error}", "")]) from error
    draft = Draft(sha256 or form_digest(xml, {}))
    form = _read(draft, document, media or {})
    if draft.problems:
        raise FormErrors(draft.problems)
    return form


def _read(draft: Draft, document: Element, media: Mapping[str, str]) -> Form:
    """Read every part in order and put the form together."""
    head, body = child(document, "head"), child(document, "body")
    model = child(head, "model")
    read_head(draft, head, model, media)
    read_shape(draft, repeated_paths(draft, body))
    read_choices(draft)
    _read_model_actions(draft, model)
    read_body(draft, body)
    for path in draft.instance.tree:
        if is_computed(draft, path):
            register(draft, path)
            read_computed(draft, path)
            draft.nodes.setdefault(path)
    _settle_groups(draft)
    read_choices(draft)  # lists that expressions made of others
    refuse_missing_files(draft)
    refuse_self_reading(draft)
    return _form(draft)


def _read_model_actions(draft: Draft, model: Element | None) -> None:
    for action in children(model, "setvalue", "setgeopoint", "recordaudio"):
        read_actions(draft, [action], draft.shape.root)


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
