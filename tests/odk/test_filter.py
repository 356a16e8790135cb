"""`$filter`: what it takes, and what it refuses before anything is sent."""

from datetime import UTC, datetime

import pytest

from collector.lab.odk_filter import EVERYTHING, FilterError, Value, read_filter
from tests.odk.conftest import Client

SENT = datetime(2026, 3, 5, 14, 30, 15, 250_000, tzinfo=UTC)
FACTS: dict[str, Value] = {
    "__id": "uuid:a'b",
    "__system/submissionDate": SENT,
    "__system/updatedAt": None,
    "__system/submitterId": 7,
    "__system/reviewState": "approved",
    "__system/deletedAt": None,
}


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("__system/reviewState eq 'approved'", True),
        ("__system/reviewState ne 'approved'", False),
        ("not (__system/reviewState eq 'rejected')", True),
        ("not not __system/reviewState eq 'approved'", True),
        ("__system/updatedAt eq null", True),
        ("null ne __system/updatedAt", False),
        # nothing comes neither before nor after, and the contrary of that is not known either
        ("__system/updatedAt gt 2020-01-01", False),
        ("not (__system/updatedAt gt 2020-01-01)", False),
        ("__system/updatedAt gt 2020-01-01 or __system/submitterId eq 7", True),
        ("__system/submitterId eq 7 and __system/updatedAt lt 2020-01-01", False),
        ("__system/submitterId eq '7'", True),
        ("__system/submitterId gt 6.5", True),
        ("__system/submitterId le 6", False),
        ("__id eq 'uuid:a''b'", True),
        ("$root/Submissions/__system/submitterId eq 7", True),
        ("__system/submissionDate eq 2026-03-05T14:30:15.250Z", True),
        ("__system/submissionDate ge 2026-03-05T09:30:15.250-05:00", True),
        ("__system/submissionDate gt '2026-03-05T14:30:15.250Z'", False),
        ("__system/submissionDate lt 2026-03-05", False),
        ("year(__system/submissionDate) eq 2026 and month(__system/submissionDate) ge 3", True),
        ("day(__system/submissionDate) eq 5 and hour(__system/submissionDate) eq 14", True),
        ("minute(__system/submissionDate) eq 30 and second(__system/submissionDate) eq 15.25", True),
        ("second(__system/submissionDate) eq 15", False),
        ("year(__system/updatedAt) eq 2026", False),
        ("__system/submissionDate lt now()", True),
        ("(__system/submitterId eq 1 or __system/submitterId eq 7) and __system/reviewState eq 'approved'", True),
        ("__system/submitterId eq 1 or __system/submitterId eq 7 and __system/reviewState eq 'no'", False),
        # what "not" turns round is all that comes after it, as Central reads it
        ("not (__system/submitterId eq 1) and __system/reviewState eq 'no'", True),
        ("(not (__system/submitterId eq 1)) and __system/reviewState eq 'no'", False),
        ("__system/submitterId eq 7 and not __system/submitterId eq 7 and __system/reviewState eq 'no'", True),
        ("__system/submitterId eq 8 and not __system/submitterId eq 7 or __system/reviewState eq 'approved'", False),
        ("__system/submitterId eq +7", True),
        ("__id eq 7", False),
    ],
)  # fmt: skip
def test_a_filter_takes_what_it_says(text: str, is_taken: bool) -> None:
    now = datetime(2026, 3, 6, tzinfo=UTC)
    assert read_filter(text, lambda: now).takes(FACTS) is is_taken


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("__system/reviewState eq", "unparseable"),
        ("eq 'a'", "unparseable"),
        ("", "unparseable"),
        ("  ", "unparseable"),
        # a time without its zone could be anybody's
        ("__system/submissionDate gt 2026-03-05T14:30:15", "unparseable"),
        ("(__id eq 'a'", "unparseable"),
        ("__id eq 'a' 'b'", "unparseable"),
        ('__id eq "a"', "unparseable"),
        ("__system/submissionDate gt 2026-13-01", "unparseable"),
        ("__system/submissionDate gt 'ayer'", "unparseable"),
        ("__system/submissionDate gt 5", "unparseable"),
        ("edad gt 5", "field"),
        ("__system/status eq null", "field"),
        ("edad gt 5 and", "unparseable"),
        ("edad gt 5 and length(__id) eq 3", "field"),
        ("length(edad) eq 3 and edad gt 5", "expression"),
        ("contains(__id, 'a')", "expression"),
        ("contains(__id)", "unparseable"),
        ("suma(__id) eq 1", "unparseable"),
        ("year(edad) eq 2026", "field"),
        ("substring(__id, 1, 2) eq 'a'", "expression"),
        ("__system/submitterId add 1 eq 8", "expression"),
        ("-__system/submitterId eq 8", "expression"),
        ("(__id) eq 'a'", "expression"),
        ("(__id eq 'a') eq true", "unparseable"),
        ("__id has 'a'", "expression"),
        ("__id eq @p", "expression"),
        ("__id", "expression"),
        ("edad", "expression"),
        ("true", "expression"),
        ("__system/submitterId eq 'siete'", "type"),
        ("'siete' lt __system/submitterId", "type"),
        ("year(__system/submissionDate) eq 'este'", "type"),
        ("__system/submitterId eq 'siete' and edad eq 1", "field"),
        ("not " * 60 + "__id eq 'a'", "unparseable"),
        ("-(" * 60 + "1" + ")" * 60 + " eq 1", "unparseable"),
        ("1" + " add 1" * 600 + " eq 1", "expression"),
        ("(" * 60 + "__id eq 'a'" + ")" * 60, "unparseable"),
    ],
)
def test_what_cannot_be_asked_is_told_at_once(text: str, kind: str) -> None:
    with pytest.raises(FilterError) as caught:
        read_filter(text)
    assert caught.value.kind == kind


def test_what_was_removed_is_shown_only_to_who_names_that() -> None:
    removed = FACTS | {"__system/deletedAt": SENT}
    assert not read_filter("__system/submitterId eq 7").takes(removed)
    assert not EVERYTHING.takes(removed)
    assert read_filter("__system/deletedAt ne null").takes(removed)


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("__id eq", 400, 400.18),
        ("", 400, 400.18),
        ("edad gt 5", 501, 501.5),
        ("length(__id) eq 3", 501, 501.4),
        ("__system/submitterId eq 'siete'", 400, 400.11),
    ],
)
def test_a_client_is_told_by_number_what_is_wrong_with_its_filter(
    odk: Client, text: str, status: int, code: float
) -> None:
    odk.publish("uno", [("a", "string")])
    for kind in ("csv", "csv.zip", "geojson"):
        answer = odk.http.get(odk.form("uno", f"/submissions.{kind}"), params={"$filter": text})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_came_at_a_time_told_comes_after_that_time_so_that_nobody_misses_it(odk: Client) -> None:
    odk.publish("uno", [("a", "string")])
    first = odk.send("uno", "<a>1</a>")
    moment = odk.http.get(odk.one("uno", first)).json()["createdAt"]
    second = odk.send("uno", "<a>2</a>")
    actor = odk.http.get(odk.one("uno", first)).json()["submitterId"]
    asked = {
        f"__system/submissionDate ge {moment}": [second, first],
        f"__system/submissionDate gt {moment}": [second, first],
        f"__system/submissionDate le {moment}": [],
        f"__system/submissionDate lt {moment}": [],
        f"__system/submitterId eq {actor}": [second, first],
        f"__system/submitterId ne {actor}": [],
        f"__id eq '{second}'": [second],
    }
    for text, keys in asked.items():
        assert [row["KEY"] for row in odk.csv("uno", **{"$filter": text})] == keys, text
