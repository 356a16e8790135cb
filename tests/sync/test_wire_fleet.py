"""What nodes above know of those below: reports, clocks, nodes that were revoked; and how many are served at once."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from collector import __version__
from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.problems import ProblemError
from collector.queries import nodes
from collector.queries.fleet import FleetRow, list_fleet
from sync import limits
from sync.limits import MAX_REPORT_BYTES
from sync.push import SyncState
from sync.records import canonical_bytes
from sync.report import clean_report, make_report
from sync.trouble import problem_of
from tests.sync.conftest import Node, chain, record_content
from tests.sync.sender import SENDER, Sender

MakeNode = Callable[..., Node]
MakeBody = Callable[..., str]


def fleet(node: Node) -> dict[str, FleetRow]:
    with reading(node.engine) as session:
        return {row.name: row for row in list_fleet(session)}


# --- reports


def test_central_sees_the_tablet_behind_the_hub(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    central.publish("salud", "2026.3", 1)
    tablet.publish("agua", "1", 1)
    hub.capture(2)
    for node in (tablet, hub, hub):
        node.sync()
    rows = fleet(central)
    assert list(rows) == ["municipio", "tableta"]
    seen = rows["tableta"]
    assert (seen.id, seen.above, seen.level, seen.version) == (tablet.id, hub.id, 2, __version__)
    assert (seen.waiting, seen.quarantine, seen.missing_files) == (0, 0, 0)
    assert ("agua", "1") in seen.forms
    assert ("salud", "2026.3") in seen.lacking_forms
    assert seen.last_contact_ms is not None and now_ms() - seen.last_contact_ms < 60_000
    assert rows["municipio"].has_key and not rows["municipio"].is_revoked
    assert rows["municipio"].report_ms > 0
    assert ("salud", "2026.3") in rows["municipio"].forms


def test_a_node_that_has_said_nothing_yet_is_listed_too(make_node: MakeNode) -> None:
    central = make_node("central")
    Sender(central)
    row = fleet(central)["tableta"]
    assert (row.last_contact_ms, row.waiting, row.version, row.has_key) == (None, None, "", False)
    assert row.lacking_forms == ()


def test_a_report_is_sent_when_something_changed_and_not_otherwise(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    tablet.enrol_at(central)
    state = SyncState()
    tablet.sync(state)
    first = fleet(central)["tableta"].report_ms
    assert first > 0
    tablet.sync(state)
    assert fleet(central)["tableta"].report_ms == first
    tablet.publish("agua", "1", 1)
    tablet.sync(state)
    second = fleet(central)["tableta"].report_ms
    assert second > first
    state.reported_at -= 601  # ten minutes later
    tablet.sync(state)
    assert fleet(central)["tableta"].report_ms > second


def test_what_a_report_says_is_read_key_by_key() -> None:
    deep: dict[str, Any] = {}
    for _ in range(30):
        deep = {"below": [{"id": "a", "report": deep}]}
    assert json.dumps(clean_report(deep)).count('"below"') == 8
    noise = {
        "version": "1\n2", "waiting": -1, "quarantine": True, "free_bytes": "x", "missing_files": 3,
        "forms": [["a", "b"], ["a"], "ab", [1, 2]], "below": [7, {"id": "a b"}, {"id": "ok", "unconfirmed": [1, "t"]}],
        "more": {"x": 1},
    }  # fmt: skip
    assert clean_report(noise) == {
        "version": "",
        "missing_files": 3,
        "forms": [["a", "b"]],
        "below": [{"id": "ok", "name": "", "alarm": "", "unconfirmed": ["t"], "report": {}}],
    }


@pytest.mark.parametrize("content", [{}, {"below": "x"}, {"below": [{"id": "z", "report": {"forms": 7}}]}])
def test_any_report_can_be_shown(content: dict[str, Any], make_node: MakeNode) -> None:
    central = make_node("central")
    sender = Sender(central)
    assert sender.ask("POST", "/report", content).status_code == 200
    assert next(iter(fleet(central).values())).id == SENDER


def test_a_report_without_measure_is_refused_and_ours_is_shortened(make_node: MakeNode) -> None:
    hub = make_node("municipio")
    sender = Sender(hub)
    answer = sender.ask("POST", "/report", {"version": "x" * MAX_REPORT_BYTES})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    forms = [[f"formulario {n} " + "x" * 80, "1"] for n in range(50)]
    below = [{"id": f"n{n}", "name": "tableta", "report": {"forms": forms}} for n in range(7)]
    for number in range(3):
        lower = Sender(hub, f"{number}" * 32)
        assert lower.ask("POST", "/report", {"forms": forms, "below": below}).status_code == 200
    made = make_report(hub.engine)
    assert len(json.dumps(made).encode()) <= MAX_REPORT_BYTES
    assert len(made["below"]) == 4


# --- nodes that were revoked


def revoke(node: Node, node_id: str = SENDER) -> None:
    with writing(node.engine) as session:
        nodes.revoke_node(session, node_id, now_ms())


def test_what_a_revoked_node_sends_is_kept_apart(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central", check=lambda _content: "[]")
    sender = Sender(central)
    kept, bodies = make_body(), [make_body(), '{"id":"x"}']
    sender.send(sender.batch([kept]))
    revoke(central)
    answer = sender.send(sender.batch([kept, *bodies])).json()
    assert (answer["cursor"], answer["outcomes"]["duplicate"]) == (3, [1])
    assert [row["why"] for row in answer["outcomes"]["quarantined"]] == ["revoked_node", "bad_record"]
    assert central.rows("SELECT body FROM record") == [(kept,)]
    assert {row[0] for row in central.rows("SELECT body FROM quarantine")} == set(bodies)


def test_a_revoked_node_learns_where_it_stands_and_nothing_else(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    sender.send(sender.batch([make_body()]))
    revoke(central)
    found = sender.hello()
    assert set(found) == {"protocol", "node_id", "limits", "cursors", "revoked", "server_time"}
    assert (found["revoked"], found["cursors"]) == (True, {SENDER: {"e1": 1}})
    for method, path in (("GET", "/feed"), ("GET", "/forms"), ("GET", "/receipts"), ("POST", "/report"),
                         ("POST", "/trace"), ("POST", "/proof"), ("PUT", "/key")):  # fmt: skip
        answer = sender.ask(method, path, {} if method != "GET" else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "revoked"), path


def test_a_revoked_node_cannot_fill_the_store(
    make_node: MakeNode, make_body: MakeBody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.receive.MAX_REVOKED_RECORDS", 3)
    central = make_node("central")
    sender = Sender(central)
    revoke(central)
    assert sender.send(sender.batch([make_body() for _ in range(3)])).status_code == 200
    answer = sender.send(sender.batch([make_body()], after=3))
    assert (answer.status_code, answer.json()["code"]) == (403, "revoked")
    again = Sender(central)
    assert again.send(again.batch([make_body()], after=3)).json()["outcomes"]["quarantined"] == []


def test_a_revoked_tablet_hands_over_what_it_has_and_says_so(make_node: MakeNode) -> None:
    tablet, hub, central = chain(make_node)
    tablet.capture(2)
    revoke(hub, tablet.id)
    central.publish("f", "1", 1)
    result = tablet.sync()
    assert (result.sent, result.error, result.is_final, result.forms) == (2, "upstream_revoked", True, 0)
    assert "dio de baja" in tablet.status().error_es
    hub.sync()
    for node in (hub, central):
        assert node.rows("SELECT why FROM quarantine") == [("revoked_node",)] * 2, node.name
        assert node.ids() == []
    tablet.enrol_at(hub)
    tablet.capture(1)
    assert (tablet.sync().error, len(hub.ids())) == ("", 1)


# --- clocks


@pytest.mark.parametrize(("behind_ms", "minutes"), [(3_600_000, "60"), (-86_400_000, "-1440"), (240_000, None)])
def test_a_clock_that_is_far_off_is_told_hop_by_hop(behind_ms: int, minutes: str | None, make_node: MakeNode) -> None:
    central = make_node("central")
    sender = Sender(central)
    body = sender.batch([central_body()], sent_at=iso(now_ms() - behind_ms))
    assert sender.send(body).status_code == 200
    [(skew, flags, via)] = central.rows("SELECT skew_ms, flags, via FROM record")
    assert abs(skew - behind_ms) < 10_000
    [(of_node,)] = central.rows("SELECT skew_ms FROM node")
    assert of_node == skew
    told = [(flag["what"], flag["text"]) for flag in json.loads(flags or "[]")]
    assert told == ([("clock", minutes)] if minutes else [])
    assert json.loads(via)[0].get("skew") == (skew if minutes else None)


def test_the_skews_of_all_hops_add_up(make_node: MakeNode) -> None:
    central = make_node("central")
    sender = Sender(central)
    hops = [
        {"node": name, "epoch": "x", "n": 1, "received": "2026-11-20T10:42:00.123Z", **skew}
        for name, skew in (("t1", {"skew": 3_600_000}), ("t2", {}), ("t3", {"skew": "x"}), ("t4", {"skew": -600_000}))
    ]
    assert sender.send(sender.batch([central_body()], via=json.dumps(hops), sent_at=iso(now_ms()))).status_code == 200
    [(skew, flags)] = central.rows("SELECT skew_ms, flags FROM record")
    assert abs(skew - 3_000_000) < 10_000
    assert json.loads(flags)[0]["text"] == "50"


def central_body() -> str:
    return canonical_bytes(record_content()).decode()


# --- too many at once, and the disk


def test_a_few_are_served_some_wait_and_the_rest_is_asked_to_come_back() -> None:
    counter = limits.Counter(served=2, waiting=3)
    inside, entered, leave = [], threading.Semaphore(0), threading.Event()

    def visit() -> None:
        with counter.turn():
            inside.append(1)
            entered.release()
            leave.wait(10)

    threads = [threading.Thread(target=visit) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        assert entered.acquire(timeout=10)
    while counter._inside < 5:  # the other three stand in line
        assert any(thread.is_alive() for thread in threads)
    with pytest.raises(ProblemError) as caught, counter.turn():
        pass
    assert (caught.value.problem.code, caught.value.values["seconds"], len(inside)) == ("store_busy", 2, 2)
    leave.set()
    for thread in threads:
        thread.join(10)
    assert len(inside) == 5
    with counter.turn():
        pass


def test_a_line_that_is_full_is_told_with_a_time_to_come_back(make_node: MakeNode, make_body: MakeBody) -> None:
    central = make_node("central")
    sender = Sender(central)
    sender.hello()
    central.app.state.sync_guards.batches = limits.Counter(served=0, waiting=0)
    answer = sender.send(sender.batch([make_body()]))
    assert (answer.status_code, answer.json()["code"], answer.json()["seconds"]) == (503, "store_busy", 2)
    assert central.ids() == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("database or disk is full", "disk_full"),
        ("disk I/O error", "disk_full"),
        ("attempt to write a readonly database", "disk_full"),
        ('could not extend file "base/1": No space left on device', "disk_full"),
        ("database is locked", "store_busy"),
        ("deadlock detected", "store_busy"),
    ],
)
def test_the_stores_own_errors_become_problems(words: str, code: str) -> None:
    problem = problem_of(OperationalError("INSERT", {}, Exception(words)))
    assert problem.problem.code == code
    assert problem.values.get("seconds") == (2 if code == "store_busy" else None)


def test_a_full_disk_is_said_and_keeps_nothing(
    make_node: MakeNode, make_body: MakeBody, monkeypatch: pytest.MonkeyPatch
) -> None:
    central = make_node("central")
    sender = Sender(central)

    def full(*_given: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(nodes, "move_cursor", full)
        answer = sender.send(sender.batch([make_body()]))
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert central.ids() == []
