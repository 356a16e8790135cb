"""What a browser without our scripts posts: fields, and files where the form asks for some."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.types import Message

from collector.web import FORM_LIMIT, read_body

FILES_LIMIT = 25 * 1024 * 1024  # of one post with files
MOST_FIELDS = 20_000
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PostedFile:
    """A file of one question. field: the name of the question's own field ("casa/persona[1]/foto")."""

    field: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Posted:
    """A posted page. Ticks of one question come as several fields: they are stored with a blank between."""

    fields: dict[str, str]
    files: list[PostedFile] = field(default_factory=list)


async def read_posted(request: Request) -> Posted:
    """Read the post of a page. Raises ProblemError too_large."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        body = (await read_body(request, FORM_LIMIT)).decode("utf-8", "replace")
        return Posted(_joined(parse_qsl(body, keep_blank_values=True)))
    body_bytes = await read_body(request, FILES_LIMIT)

    async def again() -> Message:
        return {"type": "http.request", "body": body_bytes}

    async with Request(request.scope, again).form(max_files=200, max_fields=MOST_FIELDS) as form:
        found = form.multi_items()
        files = [
            PostedFile(key.removeprefix("_file/"), value.content_type or "", await value.read())
            for key, value in found
            if isinstance(value, UploadFile) and value.filename and key.startswith("_file/")
        ]
    texts = [(key, value) for key, value in found if isinstance(value, str)]
    return Posted(_joined(texts), [file for file in files if file.content])


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    several: dict[str, list[str]] = {}
    for key, value in pairs:
        several.setdefault(key, []).append(value)
    return {key: some[-1] if key.startswith("_") else " ".join(filter(None, some)) for key, some in several.items()}


def carried_files(text: str) -> dict[str, dict[str, Any]]:
    """Return answer -> {name, sha256, bytes, type} that a page carries from step to step; {} for anything else."""
    try:
        said = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    entries = said if isinstance(said, dict) else {}
    return {name: entry for name, entry in entries.items() if _is_entry(name, entry)}


def _is_entry(name: str, entry: object) -> bool:
    if not isinstance(entry, dict) or set(entry) != {"name", "sha256", "bytes", "type"} or entry["name"] != name:
        return False
    return (
        bool(SHA256.fullmatch(str(entry["sha256"]))) and type(entry["bytes"]) is int and isinstance(entry["type"], str)
    )


def named_in(answers: Mapping[str, Any], files: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of the files that answers name, rows included."""
    texts = set(_texts(answers))
    return [entry for name, entry in files.items() if name in texts]


def _texts(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []
