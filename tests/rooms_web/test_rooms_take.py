"""A session that a tablet runs by itself: what the node gives it, and the same understanding of a room."""

import json
import random
import re
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.room_guides import starter_guides
from collector.rooms.boards.dots import dot_board
from collector.rooms.boards.statements import statement_board
from collector.rooms.boards.veil import veil_of
from collector.rooms.contributions import Contribution
from collector.rooms.guide import STEP_TYPES, segments_as_json, steps_as_json
from collector.rooms.link_codes import is_link_code, make_link_code
from collector.rooms.payloads import FACILITATOR, SECRET
from collector.rooms.room import Room, room_of
from collector.routes.rooms_last import TAKEN_BACK
from collector.routes.webapp_rooms import SCRIPTS
from tests.conftest import Node
from tests.node_js import NODE
from tests.rooms.making import Making
from tests.rooms.sample import sample_room

PATIENCE = 60.0  # the first drawing of a page is slow on a busy machine
fetch = partial(httpx.get, timeout=PATIENCE)
JS = Path(__file__).parents[2] / "static" / "js"
KINDS = {"vote": "s", "allocation": "d", "rank": "r", "triad": "t", "dyad": "y", "measure": "m"}


def ask_tablet(sessions: list[list[Contribution]], codes: list[str] | None = None) -> dict[str, Any]:
    """Return what the page's modules make of sessions and of typed link codes."""
    asked = {"sessions": [[body_of(each) for each in said] for said in sessions], "codes": codes or []}
    runner = Path(__file__).with_name("room_state.mjs")
    done = subprocess.run([NODE, str(runner)], input=json.dumps(asked), capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def body_of(said: Contribution) -> dict[str, Any]:
    """Return a contribution as its record says it."""
    body = {"kind": "contribution", **vars(said)}
    return {key: value for key, value in body.items() if key != "at_ms" and value not in ("", {})} | {
        "payload": said.payload
    }


def drawn_by_node(said: list[Contribution]) -> dict[str, Any]:
    """Return of a room what the tablet is asked for, from the node's own folding and boards."""
    room = room_of(said)
    return {
        "title": room.facts.title,
        "seats": [[code, dict(seat.segments)] for code, seat in room.seats.items()],
        "runs": {step.name: room.run(step.name).state for step in (room.guide.steps if room.guide else ())},
        "items": [[item.id, item.state] for item in room.items],
        "voters": {what: room.voters(what, step) for what, step in KINDS.items()},
        "veils": {what: veil_of(room, what, step).state for what, step in KINDS.items()},
        "statements": statements_of(room),
        "points": points_of(room),
        "quotes": [code for code in room.seats if room.allows(code, "quote")],
        "closing": {"summary": room.closing.summary, "isReadBack": room.closing.is_read_back} if room.closing else None,
    }


def statements_of(room: Room) -> list[list[Any]]:
    return [
        [
            row.id,
            row.tally
            and {
                "agree": row.tally.agrees,
                "disagree": row.tally.disagrees,
                "pass": row.tally.passes,
                "n": row.tally.seen,
            },
        ]
        for row in statement_board(room, "s").rows
    ]


def points_of(room: Room) -> dict[str, Any] | None:
    board = dot_board(room, "d")
    if not board.veil.is_shown:
        return None
    rows = [
        {"option": {"name": row.option.name, "label": dict(row.option.label)}, "points": row.share.count}
        for row in board.rows
    ]
    return {"n": board.veil.voters, "given": board.given, "rows": rows}


def test_the_tablet_makes_the_same_room_of_contributions_as_a_node_in_any_order() -> None:
    chance = random.Random(6)
    sessions = [sample_room(seed) for seed in range(25)]
    wanted = [drawn_by_node(said) for said in sessions]
    shuffled = [chance.sample([*said, *said[:9]], k=len(said) + 9) for said in sessions]
    for found, node in zip(ask_tablet(shuffled)["drawn"], wanted, strict=True):
        assert {key: found[key] for key in node} == node


def test_an_undo_of_an_undo_and_the_last_act_are_the_node_s() -> None:
    making = Making()
    said = [*making.guided(), making.make("seat", seat="P1"), making.make("presentes", {"count": 6})]
    undo = making.make("undo", ref=said[-1].id)
    again = making.make("undo", ref=undo.id)
    minute = making.make("minute", {"text": "Se leyó."})
    close = making.make("close", {"summary": "Fin", "read_back": True})
    first, second, third = ask_tablet([[*said, undo], [*said, undo, again], [*said, minute, close]])["drawn"]
    assert first["last"] == [said[-2].id, [undo.id, said[-1].id]]
    assert second["last"][0] == said[-1].id
    assert (third["last"][0], third["closing"]) == (close.id, {"summary": "Fin", "isReadBack": True})


def test_what_a_seat_says_of_quoting_counts_before_what_the_group_said() -> None:
    making = Making()
    said = [
        *making.guided(),
        making.make("seat", seat="P1"),
        making.make("seat", seat="P10"),
        making.make("seat", seat="P2"),
        making.make("consent", {"purposes": {"quote": True}}),
        making.make("consent", {"purposes": {"quote": False}}, seat="P2"),
    ]
    (found,) = ask_tablet([said])["drawn"]
    assert (
        found["quotes"]
        == [code for code in room_of(said).seats if room_of(said).allows(code, "quote")]
        == ["P1", "P10"]
    )
    assert [code for code, _ in found["seats"]] == ["P1", "P2", "P10"]


def test_the_tablet_knows_the_kinds_and_the_types_that_a_node_knows() -> None:
    state, forms = (JS / "room-take-state.js").read_text(), (JS / "room-take-forms.js").read_text()
    names = {name: set(re.findall(r"'(\w+)'", state.partition(f"const {name} = [")[2].partition(";")[0]))
             for name in ("FACILITATOR", "SECRET")}  # fmt: skip
    assert names == {"FACILITATOR": set(FACILITATOR), "SECRET": set(SECRET)}
    others = re.findall(r"'(\w+)'", state.partition("'undo'), ")[2].partition("]")[0])
    assert (FACILITATOR - {"undo"}) | set(others) == TAKEN_BACK
    tables = forms.partition("const FORMS")[2].partition("export const isKnown")[0]
    assert set(STEP_TYPES) <= set(re.findall(r"(\w+):", tables)) | set(
        re.findall(r"SPOKEN = \['(\w+)', '(\w+)'\]", tables)[0]
    )


def test_a_link_code_is_read_as_a_node_reads_it() -> None:
    chance, good = random.Random(3), make_link_code()
    letters = good.replace("-", "")
    wrong = [letters[:n] + chance.choice("ABCDEFGH") + letters[n + 1 :] for n in range(6)]
    typed = [good, good.lower(), f" {letters[:3]} {letters[3:]}", *wrong, "", "123", letters + "7"]
    tidy = [letters] * 3 + [code if is_link_code(code) else "" for code in wrong] + [""] * 3
    assert ask_tablet([], typed)["codes"] == tidy


# --- what the node gives


def test_the_page_is_the_same_for_everybody_and_asks_for_no_pin(node: Node, host: httpx.Client) -> None:
    stranger = fetch(f"{node.url}/app/sala")
    assert stranger.status_code == 200
    assert stranger.content == host.get("/app/sala", timeout=PATIENCE).content
    assert "unsafe" not in stranger.headers["content-security-policy"]
    assert "Sesiones sin nodo" in stranger.text
    assert "Sessions without a node" in fetch(f"{node.url}/app/sala", headers={"Accept-Language": "en"}).text


def test_the_guides_are_whole_and_asked_for_again_only_when_they_changed(node: Node) -> None:
    answer = fetch(f"{node.url}/app/guias.json")
    told = {guide["name"]: guide for guide in answer.json()["guides"]}
    for name, guide in starter_guides().items():
        assert told[name]["steps"] == steps_as_json(guide)
        assert told[name]["segments"] == segments_as_json(guide.segments)
    tag = answer.headers["etag"]
    again = fetch(f"{node.url}/app/guias.json", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("address", ["/app/sala", "/app/guias.json"])
def test_preparing_a_tablet_takes_the_page_and_the_guides_along(node: Node, address: str) -> None:
    assert address in fetch(f"{node.url}/app/lista.json").json()["pages"]


def test_the_web_app_and_the_list_of_rooms_lead_to_it(node: Node, host: httpx.Client) -> None:
    assert 'href="/app/sala"' in fetch(f"{node.url}/app").text
    assert 'href="/app/sala"' in host.get("/sala", timeout=PATIENCE).text


def test_the_page_names_every_module_that_its_script_loads(node: Node) -> None:
    named = set(re.findall(r"js/([\w-]+)\.js", fetch(f"{node.url}/app/sala").text))
    needed, waiting = set(), ["room-take"]
    while waiting:
        name = waiting.pop()
        needed.add(name)
        imports = re.findall(r"^import .*?from '\./([\w-]+)\.js'", (JS / f"{name}.js").read_text(), re.MULTILINE)
        waiting += [each for each in imports if each not in needed]
    assert needed <= named
    assert {f"{name}.js" for name in SCRIPTS} <= {path.name for path in JS.iterdir()}


def test_every_template_and_word_that_the_scripts_ask_for_is_in_the_page(node: Node) -> None:
    page = fetch(f"{node.url}/app/sala").text
    code = "".join(path.read_text() for path in JS.glob("room-take*.js"))
    templates = set(re.findall(r"\bmade\('([\w-]+)'", code)) - {"form-"}
    assert templates and not [name for name in templates if f'id="t-{name}"' not in page]
    words = set(re.findall(r"\b(?:word|trouble)\((?:\w+, )?'([\w-]+)'", code)) - {"type-", "act-", "state-"}
    assert words and not [name for name in words if f'data-word="{name}"' not in page]
    for kind in STEP_TYPES:
        assert f'data-word="type-{kind}"' in page
