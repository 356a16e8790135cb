"""The head of an XForm: title, texts, lists, binds, and the shape that the primary instance has."""

import unicodedata
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from collector.forms.expressions import Shape
from collector.forms.model import Choice, Text
from collector.forms.report import FormErrors, FormProblem
from collector.forms.sentences import problem
from collector.forms.terms import wrong_terms
from collector.forms.xform.draft import Draft
from collector.forms.xform.elements import child, children, elements, local, trimmed, words_of
from collector.forms.xform.instance import Instance
from collector.forms.xform.lists import Item, file_items, file_root, is_one_item, items_of

LAST_SAVED = "jr://instance/last-saved"


# parts of addresses that lead elsewhere
RESERVED_NAMES = (".", "..", "current")


def read_head(draft: Draft, head: Element | None, model: Element | None, media: Mapping[str, str]) -> None:
    """Read everything that stands before the body, but not the actions."""
    if head is None or model is None:
        raise FormErrors([FormProblem("", "settings", "No es un XForm: le falta head o model.", "")])
    instances = list(children(model, "instance"))
    first = next(iter(elements(instances[0])), None) if instances else None
    if first is None:
        raise FormErrors([FormProblem("", "settings", "El XForm no tiene instancia primaria.", "")])
    draft.root = first
    draft.title = trimmed(child(head, "title")) or draft.root.get("id", "")
    read_itext(draft, model)
    for instance in instances[1:]:
        read_list(draft, instance, media)
    for bind in children(model, "bind"):
        draft.binds.setdefault((bind.get("nodeset") or "").strip(), {}).update(bind.attrib)
    for name in ("id", "version"):
        said = draft.root.get(name, "")
        if "/" in said or said.strip() in RESERVED_NAMES:
            draft.refuse("", "settings", f"El {name} del formulario no puede ser «{said}»: es parte de la dirección.",
                         "Use letras, números, guion y punto, y al menos una letra o un número.", said)  # fmt: skip
    for name, code in wrong_terms(draft.root.attrib).items():
        said = draft.root.get(name, "")
        draft.problems.append(
            problem(code, "", "settings", column=name, cell=said, raw=draft.root.get("retain_days_raw", ""))
        )


def read_itext(draft: Draft, model: Element) -> None:
    """Read the texts by id and language; the default language comes first. Also found beside the model's instances."""
    names: list[str] = []
    for itext in model.iter():
        if isinstance(itext.tag, str) and local(itext) == "itext":
            for translation in children(itext, "translation"):
                lang = translation.get("lang", "")
                names.insert(0 if translation.get("default", "false()") != "false()" else len(names), lang)
                for text in children(translation, "text"):
                    _read_text(draft, text, lang)
    draft.languages = tuple(names)


def _read_text(draft: Draft, text: Element, lang: str) -> None:
    text_id = text.get("id", "")
    for value in children(text, "value"):
        form = value.get("form")
        words = words_of(value)
        if not words or words == ("-",):  # pyxform writes "-" where a translation is missing
            continue
        if form in (None, "long", "short"):
            if form is None or lang not in draft.itext.get(text_id, {}):
                draft.itext.setdefault(text_id, {})[lang] = words
        else:
            said = "".join(part for part in words if isinstance(part, str))
            draft.forms.setdefault(text_id, {}).setdefault(str(form), {})[lang] = said


def read_list(draft: Draft, instance: Element, media: Mapping[str, str]) -> None:
    """Read a secondary instance: its items stand in it, or in an attached file."""
    name, source = instance.get("id", ""), instance.get("src") or ""
    root = next(iter(elements(instance)), None)
    if source:
        draft.external.append(name)
        found, is_one = attached_items(draft, name, source, media)
    else:
        found, is_one = (items_of(root), is_one_item(root)) if root is not None else ([], False)
        draft.trees.roots |= {name: root} if root is not None else {}
    draft.items[name] = found
    draft.trees.flat |= {name} if is_one else set()


def attached_items(draft: Draft, name: str, source: str, media: Mapping[str, str]) -> tuple[list[Item], bool]:
    """Read the file that a list comes from; one that is missing is a problem once something reads the list."""
    file = source.rpartition("/")[2]
    media = {unicodedata.normalize("NFC", known): text for known, text in media.items()}
    text = media.get(unicodedata.normalize("NFC", file))
    if text is None:
        draft.missing |= {name: file} if source != LAST_SAVED else {}
        return [], True
    try:
        if not file.lower().endswith((".csv", ".geojson")):
            draft.trees.roots[name] = file_root(text)
        return file_items(file, text)
    except ValueError as error:
        draft.refuse("", "choice_filter", f"El archivo «{file}» no se puede leer: {error}.", "Revise el archivo.")
        return [], False


def refuse_missing_files(draft: Draft) -> None:
    """Refuse lists that something reads and whose file was not given; others are left alone, as in ODK."""
    for name, file in draft.missing.items():
        if name in draft.used:
            draft.refuse("", "choice_filter", f"Falta el archivo «{file}» de la lista «{name}».",
                         "Adjunte el archivo al publicar.")  # fmt: skip


def read_shape(draft: Draft, repeats: frozenset[str]) -> None:
    """Lay out the rows of the primary instance, and name the lists."""
    types = {path: (bind.get("type") or "string").rpartition(":")[2] for path, bind in draft.binds.items()}
    draft.instance = Instance(repeats, types)
    root = "/" + local(draft.root)
    draft.seed = draft.instance.read(draft.root, root)
    # no columns are named, so that any may be read: one that no item fills is a warning (list_columns.py), as in ODK
    draft.shape = Shape(root, draft.instance.slots, dict.fromkeys(draft.items, ()))


def read_choices(draft: Draft) -> None:
    """Make the choices of every list that has none yet, with their labels."""
    for name, items in list(draft.items.items()):
        if name not in draft.lists:
            draft.lists[name] = tuple(choice_of(draft, item, "name", "") for item in items)


def choice_of(draft: Draft, item: Item, value: str, label: str) -> Choice:
    """Make a choice of an item. label: the ref of an itemset, "" for what pyxform writes."""
    ref = label or ("jr:itext(itextId)" if "itextId" in item else "label")
    root = draft.shape.root
    if not ref.startswith("jr:itext("):
        words: Text = {"": item[ref]} if item.get(ref) else {}
        return Choice(item.get(value, ""), words, item)
    text_id = item.get(ref.removeprefix("jr:itext(").removesuffix(")").strip(), "")
    words = draft.text(draft.itext.get(text_id, {}), root)
    return Choice(item.get(value, ""), words, item, dict(draft.forms.get(text_id, {})))
