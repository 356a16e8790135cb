"""No answer before consent: the page stops without the tick; a record that lacks it is kept apart, shown nowhere."""

import html
import re
from collections.abc import Callable

import httpx
import pytest

from collector import people
from collector.db import reading, writing
from collector.forms.check import check
from collector.forms.consented import lacks_consent
from collector.queries.records import ingest, record_by_id
from collector.submissions import flags_of
from sync.records import canonical_bytes, read_record
from sync.statements import arrival_of
from tests.conftest import Node
from tests.consented import card, card_record, checked, publish_with_notice
from tests.page_budgets import FIRST_QUESTION_BYTES, WHOLE_BYTES
from tests.test_page_budget import loaded

SendOutbox = Callable[..., httpx.Response]
Fields = dict[str, str]
CSV = "/lab/forms/tarjeta/export.csv?purpose=prueba"
TOLD = "Para empezar, marque que acepta; si no quiere participar, toque «No, gracias»."


def state_of(node: Node, record_id: object) -> str:
    with reading(node.app.state.engine) as session:
        found = record_by_id(session, str(record_id))
    assert found is not None
    return found.state


def pulled(node: Node) -> str:
    """Return what a lab's machine pulls."""
    with writing(node.app.state.engine) as session:
        token = people.make_token(session, "prueba", purpose="prueba")
    return httpx.get(f"{node.url}/api/v1/records", headers={"Authorization": f"Bearer {token}"}).text


def hidden_in(page: str) -> Fields:
    """Return what a page carries from step to step."""
    found = re.findall(r'<input type="hidden" name="(_\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def shown_in(page: str) -> str:
    """Return the part of the page that people see."""
    (shown,) = re.findall(r'<section class="page">(.*?)</section>', page, re.S)
    return str(shown)


class Person:
    """Somebody who fills in a form without scripts."""

    def __init__(self, node: Node, path: str) -> None:
        self.url = node.url + path
        self.fields = hidden_in(httpx.get(self.url).text)
        self.answers: Fields = {}

    def press(self, go: str = "next", **fields: str) -> httpx.Response:
        """Post what stands in the controls of all pages, these answers too; take up what the next page carries."""
        self.answers |= {key.replace("__", "/"): text for key, text in fields.items()}
        answer = httpx.post(self.url, data={**self.fields, **self.answers, "_go": go}, timeout=30)
        self.fields = hidden_in(answer.text) or self.fields
        return answer


def test_nobody_gets_past_the_notice_without_the_tick_and_a_later_untick_stops_too(
    make_node: Callable[..., Node], lab_login: Callable[[Node], httpx.Client]
) -> None:
    node = make_node("campo")
    person = Person(node, publish_with_notice(node, "tarjeta"))
    assert "Antes de empezar" in shown_in(person.press(age_band="18_mas").text)
    refused = person.press()
    assert refused.status_code == 422 and TOLD in shown_in(refused.text)
    for jump in ("2", "3", "4"):
        jumped = {**person.fields, **person.answers, "_page": jump, "_go": "next", "relato": "Ya"}
        refused = httpx.post(person.url, data=jumped)
        assert refused.status_code == 422 and TOLD in shown_in(refused.text), jump
    refused = httpx.post(person.url, data={"_page": "4", "_go": "send", **card(consent__accepted="")})
    assert refused.status_code == 422 and TOLD in shown_in(refused.text)

    person.press(consent__accepted="OK", consent__purposes="quote")
    person.press(relato="Falta luz.")
    person.press("back")
    person.press("back")
    del person.answers["consent/accepted"]  # a tick that is taken away posts nothing
    unticked = person.press()
    assert unticked.status_code == 422 and TOLD in shown_in(unticked.text)
    with reading(node.app.state.engine) as session:
        assert not session.connection().exec_driver_sql("SELECT count(*) FROM record").scalar_one()

    person.press(consent__accepted="OK")
    person.press()
    person.press(tema="servicios")
    person.press(lugar__provincia="08")
    done = person.press("send", lugar__provincia="08", lugar__municipio="0810")
    assert done.status_code == 303
    record_id = done.headers["location"].rpartition("/")[2]
    page = lab_login(node).get(f"/lab/records/{record_id}").text
    block = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index('id="consent"') :].partition("</section>")[0]))
    notice = checked("tarjeta")[0].question("/data/consent/notice_sha256").logic.calculate
    assert notice is not None
    assert re.search(
        r"Aceptó Sí Cuándo .*\d{4}.* Cómo Con un toque, en la página Versión del aviso 1 Idioma del aviso es "
        rf"Huella del aviso {notice[1]} También permite Citar mis palabras, sin decir quién soy",
        block,
    ), block


def test_a_minor_needs_a_permission_and_the_own_word(make_node: Callable[..., Node]) -> None:
    node = make_node("campo")
    person = Person(node, publish_with_notice(node, "tarjeta"))
    page = person.press(age_band="menos_18").text
    assert "¿Qué permiso dio" in shown_in(page) and "¿Usted también quiere participar?" in shown_in(page)
    refused = person.press(consent__accepted="OK")
    assert refused.status_code == 422 and "Falta el permiso." in shown_in(refused.text)
    refused = person.press(consent__guardian="H-12")
    assert refused.status_code == 422 and "Marque si usted también quiere participar" in shown_in(refused.text)
    assert person.press(consent__assent="OK").status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"consent__accepted": ""},
        {"consent__accepted": "NO"},
        {"age_band": ""},
        {"age_band": "menos_18", "consent__guardian": "H-12"},
        {"age_band": "menos_18", "consent__assent": "OK"},
        {"consent__notice_version": ""},
        {"consent__notice_sha256": "0123456789abcdef"},
    ],
)
def test_each_thing_that_is_missing_keeps_a_record_apart(changes: dict[str, str]) -> None:
    form, _ = checked("tarjeta")
    now = (1_795_190_400_000, -300)
    assert lacks_consent(form, check(form, card(), now).flags) == ""
    assert lacks_consent(form, check(form, card(consent__purposes="", relato=""), now).flags) == ""
    whole = card(age_band="menos_18", consent__guardian="H-12", consent__assent="OK")
    assert lacks_consent(form, check(form, whole, now).flags) == ""
    assert lacks_consent(form, check(form, card(**changes), now).flags)


def test_a_record_without_consent_is_kept_and_shown_nowhere_until_a_person_decides(
    make_node: Callable[..., Node], send_outbox: SendOutbox, lab_login: Callable[[Node], httpx.Client]
) -> None:
    node = make_node("central")
    publish_with_notice(node, "tarjeta")
    good, bad = card_record(relato="La luz va bien."), card_record(consent__accepted="", relato="Palabras sin permiso.")
    early = card_record(consent__accepted="", relato="Antes de tiempo.") | {"version": "9"}
    answer = send_outbox(node, good, bad, early)
    assert set(answer.json()["results"].values()) == {"stored"}
    assert [state_of(node, it["id"]) for it in (good, bad, early)] == ["usable", "no_consent", "usable"]

    xform = checked("tarjeta")[1].replace('version="2026112200"', 'version="9"')
    node.app.state.install_form(xform)  # only now can the early one be checked
    assert state_of(node, early["id"]) == "no_consent"

    lab = lab_login(node)
    shown = [lab.get("/lab/forms/tarjeta").text, lab.get(CSV).text, pulled(node)]
    assert all("Palabras sin permiso" not in text and "Antes de tiempo" not in text for text in shown)
    assert all("La luz va bien" in text for text in shown[1:]), "and what has consent is there"
    assert shown[2].count('"state": "no_consent"') == shown[2].count('"record": null') == 2
    waiting = lab.get("/lab/cuarentena", params={"why": "no_consent"}).text
    assert "Falta el consentimiento · 2" in waiting and str(bad["id"])[-6:] in waiting
    assert "Falta el consentimiento" in lab.get(f"/lab/records/{bad['id']}").text

    with reading(node.app.state.engine) as session:
        found = record_by_id(session, str(bad["id"]))
        assert found is not None
        pick = f"{found.id} {found.sha256.hex()}"
    url = f"/lab/cuarentena/{bad['id']}"
    lab.post(url, data={"pick": pick, "action": "set_aside", "reason": "No firmó la hoja."})
    assert state_of(node, bad["id"]) == "no_consent"
    assert "Falta el consentimiento · 1" in lab.get("/lab/cuarentena", params={"why": "no_consent"}).text
    lab.post(url, data={"pick": pick, "action": "use", "reason": "Firmó la hoja 12."})
    assert state_of(node, bad["id"]) == "usable"
    assert "Palabras sin permiso" in lab.get(CSV).text and "Palabras sin permiso" in pulled(node)


def put(node: Node, content: dict[str, object]) -> None:
    """Store a record as another node would have sent it."""
    flags = flags_of(node.app.state.forms, content)
    with writing(node.app.state.engine) as session:
        ingest(session, [arrival_of(read_record(canonical_bytes(content)), flags=flags)], 1_795_190_400_000)


def test_a_correction_without_consent_takes_nobodys_place(make_node: Callable[..., Node]) -> None:
    node = make_node("central")
    publish_with_notice(node, "tarjeta")
    first = card_record()
    worse = card_record(consent__accepted="") | {"kind": "edit", "replaces": first["id"]}
    better = card_record(relato="Ya hay luz.") | {"kind": "edit", "replaces": first["id"]}
    for content in (first, worse):
        put(node, content)
    assert [state_of(node, it["id"]) for it in (first, worse)] == ["usable", "no_consent"]
    put(node, better)
    assert [state_of(node, it["id"]) for it in (first, worse, better)] == ["replaced", "no_consent", "usable"]


def test_the_form_of_eight_items_with_its_notice_stays_within_its_budgets(make_node: Callable[..., Node]) -> None:
    node = make_node("campo")
    first, rest = loaded(node, publish_with_notice(node, "confianza"))
    assert sum(first.values()) <= FIRST_QUESTION_BYTES, first
    assert sum((first | rest).values()) <= WHOLE_BYTES, first | rest
    assert any(path.endswith("/now.js") for path in rest) and not any("functions" in path for path in rest)


def test_what_central_decides_on_a_record_without_consent_holds_on_the_node_below(
    make_node: Callable[..., Node], send_outbox: SendOutbox, lab_login: Callable[[Node], httpx.Client]
) -> None:
    central = make_node("central")
    publish_with_notice(central, "tarjeta")
    field = make_node("campo", upstream=central)
    field.app.state.sync_now()
    bad = card_record(age_band="menos_18", relato="Sin permiso.")
    send_outbox(field, bad)
    field.app.state.sync_now()
    assert [state_of(node, bad["id"]) for node in (field, central)] == ["no_consent", "no_consent"]
    with reading(central.app.state.engine) as session:
        found = record_by_id(session, str(bad["id"]))
        assert found is not None
        pick = f"{found.id} {found.sha256.hex()}"
    reason = "Su madre firmó la hoja 12."
    lab_login(central).post(f"/lab/cuarentena/{bad['id']}", data={"pick": pick, "action": "use", "reason": reason})
    field.app.state.sync_now()
    assert [state_of(node, bad["id"]) for node in (field, central)] == ["usable", "usable"]
