"""Published forms at hand: read once from the store, kept as typed Forms. Also where a form is published."""

import hashlib
import json
from threading import Lock

from sqlalchemy import Engine

from collector.clock import now_ms
from collector.db import reading, writing
from collector.forms.model import Form, form_from_json, form_to_json
from collector.forms.xform import read_xform
from collector.queries import forms as form_queries
from collector.tables import FormVersion


class VersionTaken(Exception):
    """The same form_id and version stand here with other content."""


class FormStore:
    """Forms of one node, cached; a version never changes once published."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._forms: dict[tuple[str, str], Form] = {}
        self._lock = Lock()

    def get(self, form_id: str, version: str) -> Form | None:
        """Return the form, or None when this node does not hold it."""
        with self._lock:
            known = self._forms.get((form_id, version))
        if known is not None:
            return known
        with reading(self._engine) as session:
            row = form_queries.get_form(session, form_id, version)
        if row is None:
            return None
        form = form_from_json(json.loads(row.definition))
        with self._lock:
            # two threads may have read it at once: everybody goes on with the same one
            return self._forms.setdefault((form_id, version), form)

    def versions(self, form_id: str | None = None) -> list[FormVersion]:
        """Return published versions, newest first; of one form when given."""
        with reading(self._engine) as session:
            rows = form_queries.list_forms(session)
        return [row for row in rows if form_id is None or row.form_id == form_id]

    def current(self) -> list[FormVersion]:
        """Return the newest version of each form, newest form first."""
        newest: dict[str, FormVersion] = {}
        for row in self.versions():
            newest.setdefault(row.form_id, row)
        return list(newest.values())

    def install(self, xform: str, source_name: str = "", source: bytes = b"") -> bool:
        """Publish an XForm that was checked here or upstream; True when it is new.

        Raises VersionTaken for other content under a version already published: records name their version.
        """
        form = read_xform(xform)
        sha256 = hashlib.sha256(xform.encode()).hexdigest()
        with writing(self._engine) as session:
            held = form_queries.get_form(session, form.form_id, form.version)
            if held is not None:
                if held.sha256 == sha256:
                    return False
                raise VersionTaken(f"{form.form_id} {form.version}")
            row = FormVersion(
                form_id=form.form_id,
                version=form.version,
                sha256=sha256,
                title=form.title,
                xform=xform,
                definition=json.dumps(form_to_json(form), ensure_ascii=False),
                source_name=source_name,
                source=source,
                published_ms=now_ms(),
            )
            form_queries.add_form(session, row)
        return True
