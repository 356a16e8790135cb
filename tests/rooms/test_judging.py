"""Ideas judged by a weighted rubric, against a table worked out by hand."""

from typing import Any

from collector.rooms.boards.judging import JudgedRow, judging_board
from collector.rooms.contributions import Contribution
from collector.rooms.room import room_of
from tests.rooms.making import Making, step_of


class Contest:
    """A challenge with three ideas, judged on impact (60) and reach (40) from 0 to 5."""

    def __init__(self) -> None:
        self.making = Making()
        ideas = step_of("question", "ideas")
        judged = step_of("score", "j", "impacto", "alcance", weights=(60, 40), of="ideas", min_judges=2)
        self.made: list[Contribution] = self.making.guided(ideas, judged)
        self.ideas = [self.making.make("statement", {"text": text}, step="ideas") for text in ("x", "y", "z")]
        self.made += self.ideas

    def score(self, judge: str, idea: int, impact: int, reach: int) -> None:
        payload: dict[str, Any] = {"target": self.ideas[idea].id, "criteria": {"impacto": impact, "alcance": reach}}
        self.made.append(self.making.make("score", payload, step="j", seat=judge))

    def conflict(self, judge: str, idea: int) -> None:
        payload = {"target": self.ideas[idea].id, "conflict": True}
        self.made.append(self.making.make("score", payload, step="j", seat=judge))

    def rows(self) -> dict[str, JudgedRow]:
        return {row.text: row for row in judging_board(room_of(self.made), "j").rows}


def test_raw_and_centred_scores_are_those_worked_out_by_hand() -> None:
    """J1 gives x 5,5 = 5.0 and y 4,4 = 4.0 (mean 4.5); J2 gives y 3,2 = 2.6 and z 2,2 = 2.0 (mean 2.3).

    All: 13.6 / 4 = 3.4. Raw: x 5.0, y 3.3, z 2.0. Centred: x 5 - 4.5 + 3.4 = 3.9; y (2.9 + 3.7) / 2 = 3.3;
    z 2 - 2.3 + 3.4 = 3.1.
    """
    contest = Contest()
    contest.score("J1", 0, 5, 5)
    contest.score("J1", 1, 4, 4)
    contest.score("J2", 1, 3, 2)
    contest.score("J2", 2, 2, 2)
    rows = contest.rows()
    assert list(rows) == ["x", "y", "z"]
    assert [round(row.raw.mean, 2) for row in rows.values() if row.raw] == [5.0, 3.3, 2.0]
    assert [round(row.centred, 2) for row in rows.values() if row.centred is not None] == [3.9, 3.3, 3.1]
    assert [(row.judges, row.coverage, row.is_complete) for row in rows.values()] == [
        (1, 0.5, False), (2, 1.0, True), (1, 0.5, False),
    ]  # fmt: skip
    assert [mean.mean.mean for mean in rows["y"].criteria] == [3.5, 3.0]


def test_a_harsh_judge_can_turn_the_order_and_both_orders_are_shown() -> None:
    """J1 (kind) gives x 4 and z 5; J2 (harsh) gives y 3 and z 2. Means 4.5 and 2.5, all 3.5.

    Raw: x 4, y 3, z 3.5. Centred: x 4 - 4.5 + 3.5 = 3; y 3 - 2.5 + 3.5 = 4; z (4 + 3) / 2 = 3.5.
    """
    contest = Contest()
    for judge, idea, value in (("J1", 0, 4), ("J1", 2, 5), ("J2", 1, 3), ("J2", 2, 2)):
        contest.score(judge, idea, value, value)
    rows = contest.rows()
    assert {text: (row.raw_place, row.centred_place) for text, row in rows.items()} == {
        "x": (1, 3), "z": (2, 2), "y": (3, 1),
    }  # fmt: skip


def test_a_judge_with_a_conflict_gives_no_score_and_is_told() -> None:
    contest = Contest()
    contest.score("J1", 0, 5, 5)
    contest.conflict("J2", 0)
    contest.score("J2", 1, 1, 1)
    row = contest.rows()["x"]
    assert (row.judges, row.conflicts, row.raw and row.raw.mean) == (1, 1, 5.0)


def test_the_last_word_of_a_judge_counts() -> None:
    contest = Contest()
    contest.score("J1", 0, 5, 5)
    contest.score("J1", 0, 1, 1)
    row = contest.rows()["x"]
    assert row.raw is not None and (row.raw.mean, row.judges) == (1.0, 1)
    contest.conflict("J1", 0)
    assert (contest.rows()["x"].raw, contest.rows()["x"].conflicts) == (None, 1)


def test_an_idea_nobody_judged_is_there_incomplete_and_last() -> None:
    contest = Contest()
    contest.score("J1", 2, 0, 0)
    rows = contest.rows()
    assert [(text, row.raw_place, row.is_complete) for text, row in rows.items()] == [
        ("z", 1, False), ("x", 2, False), ("y", 2, False),
    ]  # fmt: skip


def test_scores_off_the_scale_of_another_guide_are_left_out() -> None:
    contest = Contest()
    contest.score("J1", 0, 9, 9)
    assert contest.rows()["x"].raw is None


def test_a_judge_without_a_seat_is_the_device() -> None:
    contest = Contest()
    for device in ("tablet-a", "tablet-b"):
        payload = {"target": "idea-9", "criteria": {"impacto": 2, "alcance": 2}}
        contest.made.append(contest.making.make("score", payload, step="j", by=device))
    row = contest.rows()["idea-9"]
    assert (row.judges, row.is_complete) == (2, True)
