"""A real phone-sized Chromium with a profile on disk, which can be closed, killed and opened again."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.conftest import free_port

ARGUMENTS = (
    "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    # nodo.lan is a name of the local network: plain http there is not a secure context
    "--host-resolver-rules=MAP *.lan 127.0.0.1", "--window-size=360,740", "--accept-lang=es-PA,es",
    "--use-fake-device-for-media-stream",  # a microphone that beeps, for pages that were allowed to hear
)  # fmt: skip


def find_chromium(playwright: Playwright) -> str:
    """Return the system's Chromium, else Playwright's own. `make test` has installed one of them."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or playwright.chromium.executable_path


class Phone:
    """One browser with its profile. `open` starts it, `close` ends it as people do, `kill` as a battery does."""

    def __init__(self, playwright: Playwright, profile: Path) -> None:
        self.playwright, self.profile = playwright, profile
        self.process: subprocess.Popen[bytes] | None = None
        self.browser: Browser | None = None

    def open(self) -> Page:
        """Start the browser on its profile and give a page."""
        port = free_port()
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [find_chromium(self.playwright), *ARGUMENTS, *sandbox, f"--user-data-dir={self.profile}"]
        self.process = subprocess.Popen(
            [*command, f"--remote-debugging-port={port}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.browser = self._connect(port)
        page = self.context.new_page()
        page.set_viewport_size({"width": 360, "height": 740})
        page.set_default_timeout(30_000)
        return page

    def _connect(self, port: int) -> Browser:
        deadline = time.monotonic() + 20
        while True:
            try:
                return self.playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
            except Exception:
                assert time.monotonic() < deadline, "Chromium did not start"
                time.sleep(0.1)

    @property
    def context(self) -> BrowserContext:
        assert self.browser is not None
        return self.browser.contexts[0]

    def kill(self) -> None:
        """kill -9 of the whole browser: nothing gets a chance to write."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def close(self) -> None:
        """End the browser in order and wait for it."""
        if self.process is None:
            return
        assert self.browser is not None
        session = self.browser.new_browser_cdp_session()
        session.send("Browser.close")
        self.process.wait(timeout=15)
        self.process = None


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def phone(playwright: Playwright, tmp_path: Path) -> Iterator[Phone]:
    """A phone with an empty profile."""
    one = Phone(playwright, tmp_path / "profile")
    yield one
    if one.process is not None:
        one.kill()


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser without a profile, for pages that keep nothing."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    one = playwright.chromium.launch(executable_path=find_chromium(playwright), args=[*ARGUMENTS[1:], *sandbox])
    yield one
    one.close()


def ready(page: Page) -> None:
    """Wait until the page's scripts have taken over."""
    page.wait_for_selector("body[data-ready]", state="attached")


def choose(page: Page, name: str, value: str) -> None:
    """Tick the choice `value` of the question `name`."""
    page.check(f"[name='{name}'][value='{value}']")


def go_on(page: Page, button: str = "next") -> None:
    """Press Seguir, Enviar or Atrás."""
    page.click(f"button[name=_go][value={button}]")


def fill_confianza(page: Page) -> None:
    """Answer every question of the form `confianza` but do not send it."""
    choose(page, "edad", "18_29")
    go_on(page)
    if page.is_visible("[name='consent/accepted']"):  # a survey as it is published; most tests leave the notice out
        page.check("[name='consent/accepted']")
        go_on(page)
    page.select_option("[name='lugar/provincia']", "08")
    page.select_option("[name='lugar/municipio']", "0810")
    go_on(page)
    for name, value in (("brecha", "crecio"), ("trato", "nunca"), ("escucha", "poco"), ("reuniones", "una")):
        choose(page, name, value)
        go_on(page)
    choose(page, "confianza_gente", "7")
    go_on(page)
    choose(page, "confianza_municipio", "ns")


def fill_tarjeta(page: Page, words: str = "Falta alumbrado en la calle.") -> None:
    """Answer every question of the form `tarjeta` but do not send it."""
    page.fill("[name=relato]", words)
    go_on(page)
    page.check("[name=tema] >> nth=0")
    go_on(page)
    page.select_option("[name='lugar/provincia']", "12")
    page.select_option("[name='lugar/municipio']", "1205")
