"""What /api/v1/openapi.json says and what the node does are one: schemathesis asks, with every check it has."""

import httpx
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.engine import Status, events, from_schema

from collector import people
from collector.db import writing
from tests.lab.conftest import Lab
from tests.lab.test_repeats import ANSWERS
from tests.lab.visitas import visitas_xml

EXAMPLES = 5  # an address; each with right and with wrong parameters


@pytest.fixture
def filled(lab: Lab) -> Lab:
    """Give the node with two forms, records in several states, and room for many requests."""
    lab.install("2")
    lab.publish(visitas_xml())
    ids = lab.put(*(lab.answer(edad=str(number), gusta="si", idea="río") for number in range(12)))
    lab.put(lab.record("visitas", ANSWERS))
    lab.erase(ids[3])
    return lab


def failures_of(schema: schemathesis.schemas.BaseSchema, token: str) -> tuple[list[str], int]:
    """Return what does not hold, and how many rounds were made."""
    schema.config.update(headers={"Authorization": f"Bearer {token}"} if token else {})
    schema.config.generation.update(modes=list(GenerationMode), max_examples=EXAMPLES, deterministic=True)
    failures: list[str] = []
    rounds = 0
    for found in from_schema(schema).execute():
        assert not isinstance(found, events.NonFatalError | events.FatalError), found
        if isinstance(found, events.ScenarioFinished):
            rounds += 1
            checks = [check for checks in found.recorder.checks.values() for check in checks]
            failures += [check.name for check in checks if check.status == Status.FAILURE]
    return failures, rounds


def token_of(lab: Lab, scope: str) -> str:
    with writing(lab.node.app.state.engine) as session:
        return people.make_token(session, "t", scope, purpose="pruebas")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what schemathesis stands on
@pytest.mark.parametrize("scope", ["identifiers", "aggregates", ""])
def test_schemathesis_finds_nothing_that_is_not_as_described(filled: Lab, scope: str) -> None:
    schema = schemathesis.openapi.from_url(f"{filled.node.url}/api/v1/openapi.json")
    failures, rounds = failures_of(schema, token_of(filled, scope) if scope else "")
    assert failures == []
    assert rounds > len(list(schema.get_all_operations()))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_answer_that_is_not_as_described_is_found(filled: Lab) -> None:
    said = httpx.get(f"{filled.node.url}/api/v1/openapi.json").json()
    said["paths"] = {"/api/v1/whoami": said["paths"]["/api/v1/whoami"]}
    said["components"]["schemas"]["WhoAmI"]["properties"]["purpose"] = {"type": "integer"}
    schema = schemathesis.openapi.from_dict(said)
    schema.config.update(base_url=filled.node.url)
    failures, _ = failures_of(schema, token_of(filled, "records"))
    assert set(failures) == {"response_schema_conformance"}
