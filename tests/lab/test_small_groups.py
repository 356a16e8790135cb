"""The settings k_shared and k_public of a form: they raise how many people a number speaks of, never lower it."""

import pytest

from collector.forms.model import Form
from collector.forms.support import LEAST_GROUPS
from collector.lab.small_groups import SmallGroups, small_groups_of
from collector.rooms.sense.suppression import K_PARTNERS, K_PUBLIC
from tests.forms.sheet_findings import GOOD, SURVEY, findings, form_of, table


def settings(**said: str) -> str:
    cells = {"form_id": "prueba", "version": "1"} | said
    return table("settings", tuple(cells), tuple(cells.values()))


def asked(**said: str) -> Form:
    return form_of(SURVEY, GOOD, settings=settings(**said))


@pytest.mark.parametrize(
    ("said", "groups"),
    [
        ({}, (5, 10)),
        ({"k_shared": "8"}, (8, 10)),
        ({"k_public": "25"}, (5, 25)),
        ({"k_shared": "12"}, (12, 12)),
        ({"k_shared": "7", "k_public": "30"}, (7, 30)),
        ({"k_shared": "3", "k_public": "2"}, (5, 10)),
        ({"k_shared": "muchas", "k_public": "-20"}, (5, 10)),
        ({"k_shared": "0", "k_public": "9"}, (5, 10)),
    ],
)
def test_a_form_raises_its_groups_and_never_lowers_them(said: dict[str, str], groups: tuple[int, int]) -> None:
    assert small_groups_of([asked(**said)]) == SmallGroups(*groups)


def test_a_new_version_does_not_take_back_what_an_older_one_promised() -> None:
    assert small_groups_of([asked(k_shared="20"), asked()]) == SmallGroups(20, 20)
    assert small_groups_of([]) == SmallGroups(5, 10)


def test_publishing_says_which_number_is_too_low_and_what_counts_instead() -> None:
    found = findings(SURVEY, GOOD, settings=settings(k_shared="3", k_public="12"))
    assert [(each.code, each.severity, each.column) for each in found if "k_" in each.column] == [
        ("setting_group_low", "warning", "k_shared")
    ]
    assert "se usa 5" in next(each for each in found if each.column == "k_shared").message


def test_the_least_of_the_sheets_is_that_of_the_counts() -> None:
    assert LEAST_GROUPS == {"k_shared": K_PARTNERS, "k_public": K_PUBLIC}
