"""A real phone-sized Chromium with a profile on disk, which can be closed, killed and opened again; and how to wait.

A test never sleeps for something to happen and never looks once at what comes by itself: it waits for what the page
shows (Playwright's own waits last 30 s) or for what `until` asks. A pause stands only where nothing may happen in it.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright

PATIENCE_SECONDS = 60.0  # of every wait that measures nothing: the machine may be busy with other tests
ARGUMENTS = (
    "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    # nodo.lan is a name of the local network: plain http there is not a secure context
    "--host-resolver-rules=MAP *.lan 127.0.0.1", "--window-size=360,740", "--accept-lang=es-PA,es",
    "--use-fake-device-for-media-stream",  # a microphone that beeps, for pages that were allowed to hear
)  # fmt: skip
# pages of Chromium's own address bar, which nobody sees here: each new context would load them, 1.5 s of a processor
UNSEEN = "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,PreloadTopChromeWebUI"
# what Playwright leaves out by itself; of two such arguments Chromium takes the last
LEFT_OUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch"
)


def find_chromium(playwright: Playwright) -> str:
    """Return the system's Chromium, else Playwright's own. `make test` has installed one of them."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or playwright.chromium.executable_path


DRAFT_HOLDS = """async (part) => {
  const { drafts } = await import(document.querySelector('[src*="app.js"]').src.replace('app.js', 'outbox.js'));
  return (await drafts()).some((draft) => JSON.stringify(draft).includes(part));
}"""
ALL_IS_HERE = """async () => {
  const fetched = performance.getEntriesByType('resource').map(({ name }) => name);
  const here = fetched.filter((name) => /\\/(code|sha256|receipt)\\.js$/.test(name));
  return here.length >= 3 && !!await Promise.all(here.map((name) => import(name)));
}"""


class Phone:
    """One browser with its profile. `open` starts it, `close` ends it as people do, `kill` as a battery does."""

    def __init__(self, playwright: Playwright, profile: Path) -> None:
        self.playwright, self.profile = playwright, profile
        self.process: subprocess.Popen[bytes] | None = None
        self.browser: Browser | None = None

    def open(self) -> Page:
        """Start the browser on its profile and give a page."""
        told = self.profile / "DevToolsActivePort"
        told.unlink(missing_ok=True)  # of the life before
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [find_chromium(self.playwright), *ARGUMENTS, f"--disable-features={UNSEEN}", *sandbox]
        self.process = subprocess.Popen(
            [*command, f"--user-data-dir={self.profile}", "--remote-debugging-port=0", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.browser = self._connect(told)
        page = self.context.new_page()
        page.set_viewport_size({"width": 360, "height": 740})
        return page

    def _connect(self, told: Path) -> Browser:
        """Connect at the port that the browser has taken and written into the file `told`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                port = int(told.read_text().split()[0])
                return self.playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
            except (OSError, LookupError, ValueError, Error):
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
        self.process.wait(timeout=PATIENCE_SECONDS)
        self.process = None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask a browser once more where two of them share a busy machine; the report names each that needed it (-r R)."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@contextmanager
def a_phone(playwright: Playwright, profile: Path) -> Iterator[Phone]:
    """Give a phone with this profile, and end it."""
    one = Phone(playwright, profile)
    yield one
    if one.process is not None:
        one.kill()


@pytest.fixture
def phone(playwright: Playwright, tmp_path: Path) -> Iterator[Phone]:
    """A phone with an empty profile."""
    with a_phone(playwright, tmp_path / "profile") as one:
        yield one


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser without a profile, for pages that keep nothing."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    arguments = [*ARGUMENTS[1:], f"--disable-features={UNSEEN},{LEFT_OUT}", *sandbox]
    one = playwright.chromium.launch(executable_path=find_chromium(playwright), args=arguments)
    yield one
    one.close()


def ready(page: Page) -> None:
    """Wait until the page's scripts have taken over."""
    page.wait_for_selector("body[data-ready]", state="attached")


def until(page: Page, true: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it is true, and let what the browser tells reach the test meanwhile.

    Sleeping instead would hold up the browser itself where the test answers requests (`page.route`).
    """
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        page.wait_for_timeout(50)


def until_kept(page: Page, part: str) -> None:
    """Wait until a draft on this phone's disk holds this part, as JSON: what is typed is kept a moment later."""
    # asked by `evaluate`, which waits for a promise; Playwright's own wait takes the promise itself for a yes
    until(page, lambda: bool(page.evaluate(DRAFT_HOLDS, part)))


def until_all_is_here(page: Page) -> None:
    """Wait until the survey has what it needs for an end without a signal, which it fetches after it is ready."""
    until(page, lambda: bool(page.evaluate(ALL_IS_HERE)))


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
    fill_confianza_from_place(page)


def fill_confianza_from_place(page: Page) -> None:
    """Answer the form `confianza` from the question after its notice on, but do not send it."""
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
