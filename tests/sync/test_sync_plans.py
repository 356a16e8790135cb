"""What the lab plans with a form reaches the nodes below: for whom it is, and that it closed."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from collector.clock import now_ms
from collector.db import reading, writing
from collector.form_plan import Plan
from collector.queries import nodes, plans
from collector.queries.fleet import list_fleet
from sync.plans import read_told
from sync.push import SyncState, sync_once
from tests.conftest import Node, submission
from tests.sync.independent_client import IndependentNode

MakeNode = Callable[..., Node]


def plan(node: Node, form_id: str, **changes: object) -> None:
    """Change the plan of a form, as the lab's page does."""
    with writing(node.app.state.engine) as session:
        plans.put_plan(session, form_id, replace(plans.get_plan(session, form_id), **changes), now_ms())  # type: ignore[arg-type]


def planned(node: Node, form_id: str) -> Plan:
    with reading(node.app.state.engine) as session:
        return plans.get_plan(session, form_id)


def sync(node: Node, state: SyncState | None = None) -> None:
    with httpx.Client(trust_env=False) as http:
        result = sync_once(node.app.state.engine, http, now_ms(), node.app.state.install_form, state)
    assert not result.error, (result.error, result.reason)


def held(node: Node) -> set[str]:
    return {row.form_id for row in node.app.state.forms.versions()}


def offered(node: Node) -> set[str]:
    return {row.form_id for row in node.app.state.forms.open()}


def me(node: Node) -> str:
    return str(node.app.state.node_id)


def place(central: Node, node: Node, code: str) -> None:
    with writing(central.app.state.engine) as session:
        assert plans.place_node(session, me(node), code)


def test_without_plans_every_node_gets_every_form(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None]
) -> None:
    central = make_whole_node("central")
    tablet = make_whole_node("tableta", central)
    publish(central, "confianza")
    publish(central, "tarjeta")
    sync(tablet)
    assert held(tablet) == offered(tablet) == {"confianza", "tarjeta"}


def test_an_assigned_form_goes_down_to_those_nodes_alone(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None]
) -> None:
    central = make_whole_node("central")
    one, other, third = (make_whole_node(name, central) for name in ("una", "otra", "tercera"))
    publish(central, "confianza")
    plan(central, "confianza", nodes=(me(one),), municipalities=("04",))
    place(central, third, "0401")
    for node in (one, other, third):
        sync(node)
    assert [held(node) for node in (one, other, third)] == [{"confianza"}, set(), {"confianza"}]
    assert offered(central) == {"confianza"}
    plan(central, "confianza", nodes=(), municipalities=())
    sync(other)
    assert held(other) == offered(other) == {"confianza"}


def test_a_form_that_is_for_others_now_stays_and_is_not_offered(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None]
) -> None:
    central = make_whole_node("central")
    tablet = make_whole_node("tableta", central)
    publish(central, "confianza")
    sync(tablet)
    plan(central, "confianza", nodes=("somebody",))
    sync(tablet)
    assert held(tablet) == {"confianza"} and offered(tablet) == set()
    assert "ya no se llena en este equipo" in httpx.get(f"{tablet.url}/f/confianza").text
    plan(central, "confianza", nodes=("somebody", me(tablet)))
    sync(tablet)
    assert offered(tablet) == {"confianza"}


def test_a_hub_carries_a_form_for_the_tablet_below_it_and_does_not_offer_it(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None]
) -> None:
    central = make_whole_node("central")
    hub = make_whole_node("hub", central)
    tablet, other = make_whole_node("tableta", hub), make_whole_node("otra", hub)
    for node in (tablet, other, hub):
        sync(node)
    publish(central, "confianza")
    plan(central, "confianza", nodes=(me(tablet),))
    for node in (hub, tablet, other):
        sync(node)
    assert held(hub) == held(tablet) == {"confianza"} and held(other) == set()
    assert offered(hub) == set() and offered(tablet) == {"confianza"}


def test_a_tablet_works_where_its_hub_does(make_whole_node: MakeNode, publish: Callable[[Node, str], None]) -> None:
    central = make_whole_node("central")
    hub = make_whole_node("hub", central)
    tablet = make_whole_node("tableta", hub)
    place(central, hub, "0810")
    publish(central, "confianza")
    publish(central, "tarjeta")
    plan(central, "confianza", municipalities=("08",))
    plan(central, "tarjeta", municipalities=("04",))
    sync(hub)
    sync(tablet)
    assert held(tablet) == offered(tablet) == {"confianza"}


def test_closing_reaches_every_node_below_and_so_does_opening(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None]
) -> None:
    central = make_whole_node("central")
    hub = make_whole_node("hub", central)
    tablet = make_whole_node("tableta", hub)
    publish(central, "confianza")
    sync(hub)
    sync(tablet)
    assert "Ya no recibe" not in httpx.get(f"{tablet.url}/f/confianza", follow_redirects=True).text
    plan(central, "confianza", closed_ms=now_ms(), frequency_days=30)
    sync(hub)
    sync(tablet)
    for node in (central, hub, tablet):
        assert "Esta encuesta ya cerró" in httpx.get(f"{node.url}/f/confianza", follow_redirects=True).text
        assert offered(node) == set() and held(node) == {"confianza"}
    assert planned(tablet, "confianza").frequency_days == 0  # what is expected is the lab's own affair
    plan(central, "confianza", closed_ms=0)
    sync(hub)
    sync(tablet)
    assert offered(tablet) == {"confianza"} and not planned(tablet, "confianza").is_from_above
    assert "Esta encuesta ya cerró" not in httpx.get(f"{tablet.url}/f/confianza", follow_redirects=True).text


def test_answers_that_were_on_their_way_arrive_after_it_closed(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None], send_outbox: Callable[..., httpx.Response]
) -> None:
    central = make_whole_node("central")
    tablet = make_whole_node("tableta", central)
    publish(central, "confianza")
    sync(tablet)
    plan(central, "confianza", closed_ms=now_ms())
    sync(tablet)
    content = submission()
    [result] = send_outbox(tablet, content).json()["results"]
    assert result == content["id"]
    sync(tablet)
    assert httpx.get(f"{central.url}/r/{content['id']}", headers={"Accept": "text/html"}).status_code == 200


def test_the_plans_of_a_node_itself_stand_where_its_upstream_says_nothing(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None]
) -> None:
    central = make_whole_node("central")
    tablet = make_whole_node("tableta", central)
    publish(central, "confianza")
    publish(central, "tarjeta")
    plan(central, "tarjeta", closed_ms=5)
    plan(tablet, "confianza", closed_ms=7)
    sync(tablet)
    assert planned(tablet, "confianza").closed_ms == 7
    assert planned(tablet, "tarjeta") == Plan(closed_ms=5, is_from_above=True)


def test_while_no_plan_changes_nothing_more_is_asked(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None]
) -> None:
    central = make_whole_node("central")
    tablet = make_whole_node("tableta", central)
    publish(central, "confianza")
    plan(central, "confianza", closed_ms=5)
    asked: list[str] = []

    class Line(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            return super().handle_request(request)

    with httpx.Client(transport=Line(), trust_env=False) as http:
        for _ in range(3):
            sync_once(tablet.app.state.engine, http, now_ms(), tablet.app.state.install_form)
    assert asked.count("/sync/v1/plans") == 1


def test_the_fleet_lacks_no_form_that_is_for_others(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None]
) -> None:
    central = make_whole_node("central")
    hub = make_whole_node("hub", central)
    tablet = make_whole_node("tableta", hub)
    for node in (tablet, hub):
        sync(node)  # who is below whom, before there is any form
    publish(central, "confianza")
    publish(central, "tarjeta")
    plan(central, "confianza", nodes=(me(tablet),))
    plan(central, "tarjeta", nodes=("somebody",))
    with reading(central.app.state.engine) as session:
        rows = {row.id: [form for form, _ in row.lacking_forms] for row in list_fleet(session)}
    assert rows == {me(hub): ["confianza"], me(tablet): ["confianza"]}


# --- releases that know nothing of plans


def test_a_node_of_an_earlier_release_gets_the_forms_that_are_for_it(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None]
) -> None:
    central = make_whole_node("central")
    with writing(central.app.state.engine) as session:
        code = nodes.make_enrol_code(session, now_ms())
    stranger = IndependentNode(central.url, "vieja")
    stranger.enrol(code)
    publish(central, "confianza")
    publish(central, "tarjeta")
    plan(central, "confianza", closed_ms=5)
    plan(central, "tarjeta", nodes=("somebody",))
    assert "plans" in stranger.hello()
    assert {form_id for form_id, _version in stranger.forms()} == {"confianza"}


def test_below_an_upstream_of_an_earlier_release_every_form_is_open(
    make_whole_node: MakeNode, publish: Callable[[Node, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    central = make_whole_node("central")
    tablet = make_whole_node("tableta", central)
    publish(central, "confianza")
    plan(central, "confianza", closed_ms=5)
    sync(tablet)
    assert offered(tablet) == set()
    monkeypatch.setattr("collector.routes.sync.plans_etag", lambda _session, _node_id: "")
    sync(tablet)
    assert offered(tablet) == {"confianza"}


def test_what_is_told_and_is_no_plan_is_left_out() -> None:
    told = [3, {}, {"form_id": 7}, {"form_id": "a\n"}, {"form_id": "f", "closed_ms": "x", "nodes": 4, "offered": 0}]
    assert read_told(told) == {"f": Plan(is_from_above=True)}
    assert read_told({"form_id": "f"}) == {}
