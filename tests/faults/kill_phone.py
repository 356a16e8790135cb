"""kill -9 of a phone's browser at random instants around "Guardado": what it said is saved must be there, once.

No node is in reach while the phone is being killed, so that an answer stands nowhere but in its store. At the end the
node is back and everything must arrive. Beside each answer a number goes into localStorage: that one must lose.

Usage: python -m tests.faults.kill_phone [--kills 50]
"""

import argparse
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error, Page, Playwright, sync_playwright
from pyxform.xls2xform import convert

from collector.db import reading
from collector.queries import records
from collector.settings import Settings
from tests.browser.conftest import Phone, fill_tarjeta, ready
from tests.conftest import STARTER, Node, serve
from tests.stored import count_entries

HOSTS = ("nodo.lan", "localhost")  # plain http and a secure origin, in turn
LATEST_SECONDS = 0.4  # after the tap, which comes in the middle of other work: saving takes some hundredths
ARRIVED_SECONDS = 90  # a kill in the middle of sending leaves a lease of 25 s
CHANCE = random.Random()
TOLD = """() => {
  const receipt = document.querySelector('[data-record]');
  return receipt && receipt.offsetHeight ? receipt.dataset.record : '';
}"""
TAP_SOON = "() => { setTimeout(() => document.querySelector('button[value=send]').click(), 20); }"
KEPT = """async () => {
  await navigator.serviceWorker.ready;
  return (await (await caches.open('pages')).keys()).length >= 2;
}"""


@dataclass(frozen=True)
class Survived:
    """What was seen. told: answers of which the page had said that they are saved when the browser was killed."""

    kills: int
    told: int
    arrived: int
    control_lost: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.kills} kills in {self.seconds:.0f} s: {self.told} told to be saved, none lost, none twice; "
            f"{self.arrived} arrived in all; localStorage lost {self.control_lost} times"
        )


def run(kills: int, folder: Path, playwright: Playwright) -> Survived:
    """Kill so many times. AssertionError: an answer that was told to be saved is lost, or something came twice."""
    started = time.monotonic()
    node = _serve(folder)
    xform = convert(str(STARTER / "tarjeta.xlsx"), validate=False).xform
    node.app.state.forms.install(xform, "tarjeta.xlsx")
    phone = Phone(playwright, folder / "profile")
    try:
        _open_once(phone, node)
        node.stop()
        told, control_lost = _live_and_die(phone, node, kills)
        node = _serve(folder, node.port)
        arrived = _bring_everything(phone, node, set(told))
    finally:
        if phone.process is not None:
            phone.kill()
        node.stop()
    return Survived(kills, len(told), arrived, control_lost, time.monotonic() - started)


def _serve(folder: Path, port: int = 0) -> Node:
    return serve(Settings(data_dir=folder / "campo", name="campo", sync_seconds=0), port)


def _address(node: Node, host: str) -> str:
    return f"http://{host}:{node.port}/f/tarjeta"


def _open_once(phone: Phone, node: Node) -> None:
    page = phone.open()
    for host in HOSTS:
        page.goto(_address(node, host))
        ready(page)
        page.wait_for_load_state("networkidle")
    page.wait_for_function(KEPT)
    phone.close()


def _live_and_die(phone: Phone, node: Node, kills: int) -> tuple[list[str], int]:
    """Return the ids that the page told to be saved, and how often localStorage had lost its number."""
    told: list[str] = []
    written = dict.fromkeys(HOSTS, 0)
    control_lost = 0
    for number in range(kills):
        host = HOSTS[number % 2]
        page = phone.open()
        page.goto(_address(node, host) + "#nueva")
        ready(page)
        control_lost += page.evaluate("Number(localStorage.getItem('control') || 0)") < written[host]
        fill_tarjeta(page, f"Relato número {number}")
        written[host] += 1
        page.evaluate(f"localStorage.setItem('control', '{written[host]}')")
        record_id = _tap_and_wait(page)
        phone.kill()
        told += [record_id] if record_id else []
    return told, control_lost


def _tap_and_wait(page: Page) -> str:
    """Tap send, let a moment pass; return the record's id when the page has said that it is saved."""
    page.evaluate(TAP_SOON)
    time.sleep(CHANCE.random() * LATEST_SECONDS)
    try:
        return str(page.evaluate(TOLD))
    except Error:  # in the middle of the change of pages: nothing was told
        return ""


def _bring_everything(phone: Phone, node: Node, told: set[str]) -> int:
    """Open the phone near the node on each origin until all is sent; return how many records came."""
    page = phone.open()
    deadline = time.monotonic() + ARRIVED_SECONDS
    for host in HOSTS:
        page.goto(f"http://{host}:{node.port}/mis-respuestas")
        while not page.is_visible("text=Todo enviado") and not page.is_visible("text=Aquí verá sus respuestas"):
            assert time.monotonic() < deadline, "not everything was sent"
            page.wait_for_timeout(200)
    phone.close()
    with reading(node.app.state.engine) as session:
        assert records.count_quarantine(session) == 0
        lost = {record_id for record_id in told if records.record_by_id(session, record_id) is None}
        assert not lost, f"told to be saved and lost: {sorted(lost)}"
        return count_entries(session)


def main() -> None:
    """Kill and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill_phone", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    kills: int = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        print(run(kills, Path(name), playwright))


if __name__ == "__main__":
    main()
