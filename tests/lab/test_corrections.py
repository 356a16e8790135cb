"""Records corrected by somebody who did not give them: a diff, a reason, and the first one stays."""

import json
import re

from tests.lab.conftest import Lab
from tests.lab.review_pages import (
    acts,
    because,
    edit_of,
    put,
    stored,
    walk,
    words_on,
)


def test_a_correction_shows_what_changes_and_asks_why(open_lab: Lab) -> None:
    claim = "0123456789abcdef" * 2
    [record] = open_lab.put(open_lab.answer(edad="20", gusta="si", idea="luz") | {"claim": claim})
    address = f"/lab/records/{record}/corregir"
    page = walk(open_lab.browser, address, edad="25")
    assert "1 respuesta cambia" in page.text
    row = re.search(r"¿Cuántos años tiene\?.*?</tr>", page.text, re.DOTALL)
    assert row and ">20<" in row[0] and " 25<" in row[0]
    assert because(open_lab.browser, address, page, "   ").status_code == 422
    done = because(open_lab.browser, address, page, "Lo confirmó por teléfono")
    edit = edit_of(open_lab.node, record)
    assert done.headers["location"] == f"/lab/revisar/barrio?record={edit.id}"
    assert (edit.state, edit.review, edit.claim) == ("usable", "", claim)
    old, new = json.loads(stored(open_lab.node, record).body or ""), json.loads(edit.body or "")
    assert new["answers"] == old["answers"] | {"edad": "25"}
    assert stored(open_lab.node, record).state == "replaced"
    assert acts(open_lab.node, "edit") == [("ana@ejemplo.pa", record, 1)]
    beside = open_lab.browser.get(done.headers["location"]).text
    assert "Lo confirmó por teléfono" in beside and "1 respuesta cambió" in beside and "Corregido" in beside


def test_a_correction_sent_twice_is_one(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer(edad="20"))
    address = f"/lab/records/{record}/corregir"
    page = walk(open_lab.browser, address, edad="25")
    assert because(open_lab.browser, address, page, "error de dedo").status_code == 303
    assert because(open_lab.browser, address, page, "error de dedo").status_code == 409
    assert len(words_on(open_lab.node, edit_of(open_lab.node, record).id)) == 1


def test_a_correction_that_changes_nothing_is_not_kept(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer(edad="20"))
    address = f"/lab/records/{record}/corregir"
    page = walk(open_lab.browser, address)
    assert "No cambió nada" in page.text
    assert because(open_lab.browser, address, page, "porque sí").status_code == 200
    assert stored(open_lab.node, record).state == "usable"


def test_a_correction_can_be_approved_at_once(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer(edad="20"))
    address = f"/lab/records/{record}/corregir"
    because(open_lab.browser, address, walk(open_lab.browser, address, edad="25"), "papel", _approve="1")
    assert edit_of(open_lab.node, record).review == "approved"


def test_what_does_not_fit_the_form_is_not_taken_in_a_correction(open_lab: Lab) -> None:
    [record] = open_lab.put(open_lab.answer(edad="20"))
    page = walk(open_lab.browser, f"/lab/records/{record}/corregir", edad="veinte")
    assert page.status_code == 422
    assert stored(open_lab.node, record).state == "usable"


def test_only_the_record_that_counts_is_corrected(open_lab: Lab) -> None:
    [first] = open_lab.put(open_lab.answer(edad="20"))
    put(open_lab, open_lab.answer(edad="21") | {"kind": "edit", "replaces": first})
    assert open_lab.browser.get(f"/lab/records/{first}/corregir").status_code == 409
    assert open_lab.browser.get("/lab/records/019c0000-0000-7000-8000-000000000000/corregir").status_code == 404
