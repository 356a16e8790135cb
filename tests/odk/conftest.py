"""A node seen by ODK's clients: an account, a device with a key, and the addresses they use."""

import csv
import io
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from collector.clock import now_ms
from collector.db import writing
from collector.queries.people import put_user
from tests.conftest import Node
from tests.lab.conftest import hashed
from tests.odk.xforms import Node as FormNode
from tests.odk.xforms import submission, xform

EMAIL, PASSWORD = "datos@example.org", "una clave larga"
XML = {"Content-Type": "application/xml"}
DEVICE = "collect:prueba"


def new_instance() -> str:
    """Return an instanceID that nobody has."""
    return f"uuid:{uuid.uuid4()}"


@dataclass
class Client:
    """A client of ODK. token: of its session; key: of its device."""

    node: Node
    http: httpx.Client
    key: str = ""
    actor: int = 0
    forms: set[str] = field(default_factory=set)

    def sign_in(self, email: str = EMAIL, role: str = "admin") -> None:
        """Make an account and open a session for it."""
        with writing(self.node.app.state.engine) as session:
            put_user(session, email, hashed(PASSWORD), now_ms(), role)
        answer = self.http.post("/v1/sessions", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def add_device(self) -> None:
        """Get a key."""
        made = self.http.post("/v1/projects/1/app-users", json={"displayName": "tableta"}).json()
        self.key, self.actor = made["token"], made["id"]

    def publish(self, form_id: str, nodes: Sequence[FormNode], **more: Any) -> None:
        """Publish a form, or its next version, and let the device send to it."""
        text = xform(form_id, nodes, **more)
        if form_id in self.forms:
            self.good(self.http.post(self.form(form_id, "/draft"), content=text, headers=XML))
            self.good(self.http.post(self.form(form_id, "/draft/publish")))
            return
        self.good(self.http.post("/v1/projects/1/forms?publish=true", content=text.encode(), headers=XML))
        self.good(self.http.post(self.form(form_id, f"/assignments/app-user/{self.actor}")))
        self.forms.add(form_id)

    def form(self, form_id: str, rest: str = "") -> str:
        """Return the address of a form."""
        return f"/v1/projects/1/forms/{quote(form_id, safe='')}{rest}"

    def one(self, form_id: str, instance: str, rest: str = "") -> str:
        """Return the address of a submission."""
        return self.form(form_id, f"/submissions/{quote(instance, safe='')}{rest}")

    def good(self, answer: httpx.Response) -> httpx.Response:
        """Return an answer that must be a good one."""
        assert 200 <= answer.status_code < 300, (answer.request.url, answer.status_code, answer.text)
        return answer

    def post(self, xml: str, files: Mapping[str, bytes] | None = None, key: str = "") -> httpx.Response:
        """Send as Collect does."""
        parts = [("xml_submission_file", ("s.xml", xml.encode(), "text/xml"))]
        parts += [(name, (name, content, "image/jpeg")) for name, content in (files or {}).items()]
        address = f"/v1/key/{key or self.key}/projects/1/submission"
        return self.http.post(address, params={"deviceID": DEVICE}, files=parts)

    def send(self, form_id: str, body: str, files: Mapping[str, bytes] | None = None, **more: Any) -> str:
        """Send a new submission; return its instanceID."""
        instance = str(more.pop("instance", "") or new_instance())
        answer = self.post(submission(form_id, instance, body, **more), files)
        assert answer.status_code == 201, answer.text
        return instance

    def edit(self, form_id: str, root: str, body: str, replaces: str = "", **more: Any) -> str:
        """Correct a submission by REST; return the new instanceID."""
        instance = new_instance()
        xml = submission(form_id, instance, body, replaces=replaces or root, **more)
        self.good(self.http.put(self.one(form_id, root), content=xml.encode(), headers=XML))
        return instance

    def review(self, form_id: str, root: str, state: str | None) -> dict[str, Any]:
        """Give a review state."""
        answer: dict[str, Any] = self.good(self.http.patch(self.one(form_id, root), json={"reviewState": state})).json()
        return answer

    def csv(self, form_id: str, **query: str) -> list[dict[str, str]]:
        """Return the rows of the CSV."""
        return list(csv.DictReader(io.StringIO(self.text(form_id, **query), newline="")))

    def text(self, form_id: str, **query: str) -> str:
        """Return the CSV as it is sent."""
        return self.good(self.http.get(self.form(form_id, "/submissions.csv"), params=query)).text

    def header(self, form_id: str, **query: str) -> list[str]:
        """Return the columns between SubmissionDate and KEY of the record."""
        names = next(csv.reader(io.StringIO(self.text(form_id, **query), newline="")))
        return names[1 : len(names) - 10]

    def zip(self, form_id: str, **query: str) -> dict[str, bytes]:
        """Return name -> content of what is in the ZIP; no name may stand there twice."""
        answer = self.good(self.http.get(self.form(form_id, "/submissions.csv.zip"), params=query))
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            assert len(archive.namelist()) == len(set(archive.namelist()))
            return {name: archive.read(name) for name in archive.namelist()}

    def table(self, form_id: str, name: str, **query: str) -> list[list[str]]:
        """Return the rows of one table in the ZIP, its head first."""
        return list(csv.reader(io.StringIO(self.zip(form_id, **query)[name].decode(), newline="")))

    def features(self, form_id: str, **query: Any) -> list[dict[str, Any]]:
        """Return the features of the GeoJSON."""
        answer = self.good(self.http.get(self.form(form_id, "/submissions.geojson"), params=query)).json()
        assert answer["type"] == "FeatureCollection"
        found: list[dict[str, Any]] = answer["features"]
        return found


@pytest.fixture
def make_client(make_node: Callable[..., Node]) -> Iterator[Callable[..., Client]]:
    """Give a function that returns a client of a node: `make_client()`, `make_client(node, "otra@…", "analyst")`."""
    opened: list[httpx.Client] = []

    def make(node: Node | None = None, email: str = EMAIL, role: str = "admin") -> Client:
        node = node or make_node("central")
        opened.append(http := httpx.Client(base_url=node.url, timeout=30, headers={"User-Agent": "prueba/1"}))
        client = Client(node, http)
        client.sign_in(email, role)
        return client

    yield make
    for http in opened:
        http.close()


@pytest.fixture
def odk(make_client: Callable[..., Client]) -> Client:
    """Give a client signed in, with a device."""
    client = make_client()
    client.add_device()
    return client
