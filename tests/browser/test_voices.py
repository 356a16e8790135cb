"""A facilitator records a question in Ngäbere on the tablet, and people hear it in the survey."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from collector.db import reading, writing
from collector.fill.spoken import texts_to_speak
from collector.queries import store, voices
from collector.routes.voices import sound_type
from collector.settings import Settings
from collector.tables.forms import Voice
from tests.browser.conftest import go_on, ready, until
from tests.browser.every_page import visit
from tests.browser.people_form import LONG_SECONDS, beep, people_files, people_xform
from tests.conftest import Node, serve
from tests.lab.conftest import PIN, hashed


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, starter_xforms: dict[str, str]) -> Iterator[Node]:
    one = serve(Settings(data_dir=tmp_path_factory.mktemp("voces"), name="Tableta 3", sync_seconds=0))
    one.app.state.forms.install(people_xform(), files=people_files())
    one.app.state.forms.install(starter_xforms["confianza"])
    with writing(one.app.state.engine) as session:
        store.set_fact(session, "pin_hash", hashed(PIN))
    yield one
    one.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    one = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA", permissions=["microphone"])
    yield one
    one.close()


def line(page: Page, words: str) -> Any:
    """Return the part of the page that is about a text."""
    return page.locator(f"li.card:has(h2:text-is('{words}'))")


def held(node: Node, form: str) -> list[voices.VoiceFacts]:
    with reading(node.app.state.engine) as session:
        return voices.list_voices(session, form)


def first_words(node: Node) -> tuple[str, str]:
    """Return the words of the first question of the form `confianza`, and those of its first choice."""
    form = node.app.state.forms.get("confianza", node.app.state.forms.versions("confianza")[0].version)
    question = form.questions[0]
    language = form.languages[0]
    return question.label[language], form.lists[question.list_name][0].label[language]


def test_a_question_is_recorded_in_the_page_and_heard_in_the_survey(node: Node, context: BrowserContext) -> None:
    asked, answer = first_words(node)
    page = context.new_page()
    visit(page, node, "/equipo/voces/confianza?lengua=gym")
    here = line(page, asked)
    here.locator("button:has-text('Grabar')").click()
    here.locator(".recorder [role=status]:has-text('3 s')").wait_for()
    here.locator("button:has-text('Parar')").click()
    here.locator(".recorder audio").wait_for()
    assert "kB" in here.locator(".recorder [role=status]").inner_text()
    here.locator("button[value=keep]").click()
    line(page, asked).locator("text=Grabado el").wait_for()
    assert "Grabados: 1 de" in page.inner_text("main")
    (voice,) = held(node, "confianza")
    assert (voice.language, voice.media_type, voice.made_by) == ("gym", "audio/webm", "Tableta 3")
    assert 1000 < voice.size_bytes < 60_000

    line(page, answer).locator("[type=file]").set_input_files(
        {"name": "voz.wav", "mimeType": "audio/wav", "buffer": beep(500, LONG_SECONDS)}
    )
    line(page, answer).locator("button[value=keep]").click()
    line(page, answer).locator("text=Grabado el").wait_for()

    page.goto(f"http://localhost:{node.port}/f/confianza")
    ready(page)
    page.click(".chip[data-tongue=gym]")
    assert page.inner_text(".chip[data-tongue=gym]").split() == ["Escuchar", "en", "Ngäbere"]
    page.locator(".hear:visible").click()
    page.wait_for_selector("legend.speaking")
    page.locator("#q-0 .say .audio").first.click()
    page.wait_for_selector("#q-0 .say .speaking")
    assert not page.locator("#q-0 input:checked").count()
    page.check("#q-0 input >> nth=0")
    go_on(page)
    page.wait_for_selector("#q-1:visible, select:visible")


def test_a_voice_speaks_in_every_version_with_the_same_words_and_is_replaced_and_removed(
    node: Node, context: BrowserContext
) -> None:
    page = context.new_page()
    words = "¿De dónde viene el agua de su casa?"

    def put(hertz: int) -> str:
        visit(page, node, "/equipo/voces/fuentes?lengua=cuk")
        file: Any = {"name": "voz.wav", "mimeType": "audio/wav", "buffer": beep(hertz)}
        line(page, words).locator("[type=file]").set_input_files(file)
        line(page, words).locator("button[value=keep]").click()
        line(page, words).locator("button[value=drop]").wait_for()
        (voice,) = held(node, "fuentes")
        return voice.sha256

    before = httpx.get(f"{node.url}/f/fuentes/1")
    assert "data-tongue=" not in before.text
    first = put(440)
    after = httpx.get(f"{node.url}/f/fuentes/1")
    assert first in after.text and after.headers["etag"] != before.headers["etag"]
    second = put(880)
    assert second != first and httpx.get(f"{node.url}/f/fuentes/1/media/voice/{first}").status_code == 404
    node.app.state.forms.install(people_xform("2"), files=people_files())
    node.app.state.forms.install(people_xform("3").replace("agua de su casa", "agua que toma"), files=people_files())
    assert [second in httpx.get(f"{node.url}/f/fuentes/{number}").text for number in (1, 2, 3)] == [True, True, False]
    sound = f"{node.url}/f/fuentes/2/media/voice/{second}"
    part = httpx.get(sound, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.headers["content-type"], len(part.content)) == (206, "audio/wav", 4)
    assert "sandbox" in part.headers["content-security-policy"]
    with writing(node.app.state.engine) as session:
        (voice,) = voices.list_voices(session, "fuentes")
        voices.drop_voice(session, "fuentes", voice.place, voice.text, voice.language)
    assert httpx.get(sound).status_code == 404


def test_what_is_no_sound_is_refused_in_words(node: Node, context: BrowserContext) -> None:
    page = context.new_page()
    visit(page, node, "/equipo/voces/fuentes")
    page.locator("button[value=keep]").first.click()
    assert "Primero grabe o elija un sonido." in page.inner_text(".banner.act")
    file: Any = {"name": "voz.mp3", "mimeType": "audio/mpeg", "buffer": b"<script>alert(1)</script>"}
    page.locator("[type=file]").first.set_input_files(file)
    page.locator("button[value=keep]").first.click()
    assert "no es un sonido" in page.inner_text(".banner.act")
    file["buffer"] = beep(440, 70)
    page.locator("[type=file]").first.set_input_files(file)
    page.locator("button[value=keep]").first.click()
    assert "pesa demasiado" in page.inner_text(".banner.act")


def test_only_facilitators_record(node: Node) -> None:
    answer = httpx.get(f"{node.url}/equipo/voces/confianza", headers={"Accept": "text/html"})
    assert answer.headers["location"].startswith("/equipo/pin")
    assert httpx.post(f"{node.url}/equipo/voces/confianza", data={"go": "drop"}).status_code == 401


def test_sounds_are_known_by_their_first_bytes() -> None:
    assert sound_type(beep()) == "audio/wav" and sound_type(b"OggS\0") == "audio/ogg"
    assert sound_type(b"\0\0\0\x20ftypM4A ") == "audio/mp4" and sound_type(b"ID3\4") == "audio/mpeg"
    assert sound_type(b"<html>") == "" and sound_type(b"") == ""


def at_the_voice_answer(context: BrowserContext, node: Node, host: str) -> Page:
    page = context.new_page()
    page.goto(f"http://{host}:{node.port}/f/fuentes")
    ready(page)
    page.evaluate("() => document.querySelectorAll('.page').forEach((one, n) => { one.hidden = n !== 6; })")
    return page


def test_an_answer_is_recorded_in_the_page(node: Node, context: BrowserContext) -> None:
    page = at_the_voice_answer(context, node, "localhost")
    page.click("button:visible:has-text('Grabar')")
    page.wait_for_selector(".recorder [role=status]:has-text('1 s')")
    page.click("button:visible:has-text('Parar')")
    page.wait_for_selector("[data-drop]:visible")
    name = page.input_value("[name=relato]")
    assert name.startswith("relato-") and name.endswith(".webm")
    assert page.locator(".recorder audio").count() == 1
    blobs = """async () => {
      const { known } = await import(document.querySelector('[src*="app.js"]').src.replace('app.js', 'files.js'));
      return (await known()).size;
    }"""
    until(page, lambda: page.evaluate(blobs) == 1)


def test_where_the_browser_does_not_record_the_file_field_stays(node: Node, context: BrowserContext) -> None:
    page = at_the_voice_answer(context, node, "nodo.lan")
    page.wait_for_selector("[type=file]:visible")
    assert not page.locator(".recorder").count()


def test_voices_come_down_with_the_forms_and_a_kept_page_speaks_at_once(
    make_node: Callable[..., Node], starter_xforms: dict[str, str]
) -> None:
    central = make_node("central")
    central.app.state.forms.install(starter_xforms["confianza"])
    tablet = make_node("tableta", upstream=central)
    assert tablet.app.state.sync_now().forms == 1
    address = f"{tablet.url}{httpx.get(f'{tablet.url}/f/confianza').headers['location']}"
    assert "data-tongue=" not in httpx.get(address).text

    form = central.app.state.forms.get("confianza", central.app.state.forms.versions("confianza")[0].version)
    first = next(texts_to_speak(form))

    def record(hertz: int, made_ms: int) -> str:
        content = beep(hertz)
        digest = hashlib.sha256(content).hexdigest()
        with writing(central.app.state.engine) as session:
            voices.put_voice(session, Voice(
                form_id="confianza", place=first.place, text=first.key, language="gym", sha256=digest,
                media_type="audio/wav", made_by="Central", made_ms=made_ms, content=content,
            ))  # fmt: skip
        assert tablet.app.state.sync_now().error == ""
        return digest

    sound = record(400, 1000)
    assert f"media/voice/{sound}" in httpx.get(address).text
    assert httpx.get(f"{address}/media/voice/{sound}").content == beep(400)
    newer = record(500, 2000)
    assert [voice.sha256 for voice in held(tablet, "confianza")] == [newer]
    record(600, 1500)  # older than what is there
    assert [voice.sha256 for voice in held(tablet, "confianza")] == [newer]
