"""What a submission's XML says beyond the version of the form that it names. Pure.

Central reads the XML anew for every file, by the fields that the file has; a record keeps what its own version asks,
in NFC. So a correction that still holds a question which its version has dropped would lose that answer in a file with
`deletedFields`. Such submissions are marked when they come, and only they are read anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from unicodedata import is_normalized
from xml.etree.ElementTree import Element  # only the type; parsing is defusedxml's

from collector.forms.model import Form
from collector.forms.submission_reading import answers_in, read_submission

IDS = ("/meta/instanceID", "/meta/deprecatedID")


def says_more(form: Form, root: Element) -> bool:
    """Tell whether a submission holds a text that its version does not ask for, or one that NFC changes."""
    known = {_plain(question.path, form.root) for question in form.questions}
    return any(
        not is_normalized("NFC", text) or (path not in known and path not in IDS) for path, text in _texts(root, "")
    )


def _plain(path: str, root: str) -> str:
    return path[len(root) :].replace("/orx:", "/")


def _texts(element: Element, path: str) -> Iterator[tuple[str, str]]:
    """Give the path and the text of every leaf that has one, without prefixes."""
    for item in element:
        if not isinstance(item.tag, str):  # a comment
            continue
        here = f"{path}/{item.tag.rpartition('}')[2]}"
        if len(item):
            yield from _texts(item, here)
        elif item.text and item.text.strip():
            yield here, item.text


def encrypted_files(root: Element) -> list[str]:
    """List the files that an encrypted submission is made of, the one of its answers last; [] for a plain one.

    Source: ODK XForms spec, "encryption": the XML then says only under which key, and in which files.
    """
    texts = [(path, text.strip()) for path, text in _texts(root, "")]
    if "/base64EncryptedKey" not in dict(texts):
        return []
    media = [text for path, text in texts if path == "/media/file"]
    return [*dict.fromkeys(media), *[text for path, text in texts if path == "/encryptedXmlFile"]]


def answers_by_all(versions: Sequence[Form], xml: bytes) -> dict[str, Any]:
    """Return the answers of a submission by the questions of all versions, the newest version's last.

    Raises ValueError for what is no XML.
    """
    root = read_submission(xml).root
    answers: dict[str, Any] = {}
    for form in versions:
        answers = _joined(answers, answers_in(form, root))
    return answers


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Join two readings of one row; rows of a repeat are the same in both, one by one."""
    joined = dict(one)
    for key, value in other.items():
        before = joined.get(key)
        if isinstance(value, list) and isinstance(before, list) and len(value) == len(before):
            value = [_joined(first, second) for first, second in zip(before, value, strict=True)]
        joined[key] = value
    return joined
