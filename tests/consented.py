"""The starter forms as a person publishes them, with their notice, and records that accepted it."""

from functools import cache

from collector.forms.consented import SHA256
from collector.forms.model import Form, form_from_json
from tests.conftest import STARTER, Node, submission
from tests.forms.sheet_findings import steps

VERSION = "2026112200"


@cache
def checked(form_id: str) -> tuple[Form, str]:
    """Return a starter form and its XForm as publishing makes them."""
    said = steps((STARTER / f"{form_id}.xlsx").read_bytes(), f"{form_id}.xlsx")[-1]
    return form_from_json(said["form"]), str(said["xform"])


def publish_with_notice(node: Node, form_id: str) -> str:
    """Publish a starter form on a node and return the path of its page."""
    node.app.state.forms.install(checked(form_id)[1], f"{form_id}.xlsx")
    return f"/f/{form_id}/{VERSION}"


def card(**changes: str) -> dict[str, str]:
    """Return the answers of `tarjeta` by somebody who accepted its notice; "" leaves one out."""
    form, _ = checked("tarjeta")
    notice = form.question(f"/data/{SHA256}").logic.calculate or []
    answers = {
        "age_band": "18_mas", "consent/accepted": "OK", "consent/purposes": "quote", "consent/notice_version": "1",
        "consent/notice_sha256": str(notice[1]), "consent/at": "2026-11-22T08:00:00.000-05:00",
        "relato": "Falta luz en la calle.", "tema": "servicios", "lugar/provincia": "08", "lugar/municipio": "0810",
    }  # fmt: skip
    answers |= {key.replace("__", "/"): text for key, text in changes.items()}
    return {key: text for key, text in answers.items() if text}


def card_record(**changes: str) -> dict[str, object]:
    """Return a record of `tarjeta` with these answers."""
    form, _ = checked("tarjeta")
    return submission("tarjeta", VERSION, form_sha=form.sha256[:16], answers=card(**changes))
