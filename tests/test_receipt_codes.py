"""Receipt codes: made and read alike by node and page, mistypings are told, and the code finds its record."""

import hashlib
import html
import json
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from collector.db import reading
from collector.problems import ProblemError
from collector.queries.erasures import ids_of_claim
from collector.receipt_codes import ALPHABET, SIGNS, claim_of, make_code, read_code, shown
from tests.conftest import Node
from tests.node_js import NODE
from tests.stored import stored_records

ROOT = Path(__file__).parent.parent
CODE = re.compile(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z*~$=U]")


def run_module(source: str) -> str:
    """Run a script of the page's own modules and return what it prints."""
    command = [NODE, "--input-type=module", "-e", source]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def test_a_code_has_twelve_letters_and_one_that_proves_them() -> None:
    codes = {make_code() for _ in range(300)}
    assert len(codes) == 300 and all(CODE.fullmatch(code) for code in codes)
    seen = "".join(codes)
    assert {letter for letter in ALPHABET if letter in seen} == set(ALPHABET)


def test_what_people_write_is_read_as_it_was_meant() -> None:
    code = read_code("0123-4567-89AB-" + _sign("0123456789AB"))
    assert shown(code) == "0123-4567-89AB-" + code[12]
    assert read_code(f" o123 4567 89ab {code[12].lower()} ") == code
    assert read_code(f"OI23-4567-89AB{code[12]}") == read_code(f"ol23456789ab-{code[12]}") == code


def _sign(letters: str) -> str:
    """The check letter by the definition: the whole as one number, divided by 37."""
    return SIGNS[int("".join(f"{ALPHABET.index(letter):05b}" for letter in letters), 2) % 37]


def test_every_wrong_letter_and_every_swap_of_two_is_noticed() -> None:
    code = read_code(make_code())
    wrong = [code[:at] + letter + code[at + 1 :] for at in range(12) for letter in ALPHABET if letter != code[at]]
    wrong += [code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(11) if code[at] != code[at + 1]]
    assert len(wrong) > 372
    for typed in wrong:
        with pytest.raises(ProblemError) as told:
            read_code(typed)
        assert told.value.problem.code == "receipt_code_mistyped"


@pytest.mark.parametrize("typed", ["", "abc", "0" * 12, "0" * 14, "ñ123-4567-89AB-C", "0123-4567-89AU-0", "\x00" * 13])
def test_what_is_no_code_is_told_in_plain_words(typed: str) -> None:
    with pytest.raises(ProblemError) as told:
        read_code(typed)
    assert "no está bien escrito" in told.value.sentence("es")


def test_the_record_says_a_hash_of_the_code_and_not_the_code() -> None:
    code = make_code()
    hashed = ("collector-receipt/1\n" + code.replace("-", "")).encode()
    for _ in range(1024):
        hashed = hashlib.sha256(hashed).digest()
    assert claim_of(code) == claim_of(code.lower()) == hashed.hex()[:32]


def test_the_page_makes_codes_that_the_node_reads() -> None:
    made = run_module(
        """
        import { makeCode } from "./static/js/code.js";
        const found = [];
        for (let n = 0; n < 20; n++) found.push(await makeCode());
        console.log(JSON.stringify(found));
        """
    )
    found = json.loads(made)
    assert len({each["code"] for each in found}) == 20
    assert all(CODE.fullmatch(each["code"]) and claim_of(each["code"]) == each["claim"] for each in found)


def test_the_page_hashes_every_code_as_the_node_does() -> None:
    letters = random.Random(5)
    codes = [shown(text + _sign(text)) for text in ("".join(letters.choices(ALPHABET, k=12)) for _ in range(10))]
    plain = [code.replace("-", "") for code in codes]
    made = run_module(
        f"""
        import {{ written }} from "./static/js/code.js";
        console.log(JSON.stringify(await Promise.all({json.dumps(plain)}.map(written))));
        """
    )
    assert json.loads(made) == [{"code": code, "claim": claim_of(code)} for code in codes]


# --- without scripts


@pytest.fixture
def node(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    one = make_node("campo")
    publish(one, "tarjeta")
    return one


def fill_in(node: Node, browser: httpx.Client) -> httpx.Response:
    """Answer the form `tarjeta` page by page, as a browser without scripts, which posts every field of the page."""
    address = str(browser.get("/f/tarjeta").url)
    given = {"relato": "Falta alumbrado", "tema": "servicios", "lugar/provincia": "12", "lugar/municipio": "1205"}
    hidden = {"_page": "0"}
    for go in ("next", "next", "send"):
        answer = browser.post(address, data={**given, **hidden, "_go": go})
        found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text)
        hidden = {name: html.unescape(value) for name, value in found}
    return answer


def test_without_scripts_the_thank_you_page_shows_the_code_once_it_is_kept(node: Node) -> None:
    with httpx.Client(base_url=node.url, follow_redirects=True) as browser:
        answer = fill_in(node, browser)
        found = CODE.search(answer.text)
        assert found and answer.url.path.startswith("/r/")
        assert CODE.search(browser.get(answer.url.path).text)
        assert "collector_code" not in browser.get("/").request.headers.get("cookie", "")
        other = browser.get("/r/" + "0" * 8)
    with reading(node.app.state.engine) as session:
        (record,) = stored_records(session)
        assert ids_of_claim(session, claim_of(found[0])) == [record.id]
    assert found[0].replace("-", "") not in (record.body or "") and other.status_code == 404
    assert not CODE.search(httpx.get(node.url + answer.url.path).text)


def test_the_last_page_posted_twice_shows_the_same_code(node: Node) -> None:
    with httpx.Client(base_url=node.url, follow_redirects=True) as browser:
        first = fill_in(node, browser)
        request = first.history[0].request
        again = browser.post(str(request.url), content=request.content, headers=request.headers)
    first_code, second_code = CODE.search(first.text), CODE.search(again.text)
    assert first_code and second_code and first_code[0] == second_code[0]
    with reading(node.app.state.engine) as session:
        assert len(stored_records(session)) == 1
