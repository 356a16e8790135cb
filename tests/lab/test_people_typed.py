"""What admins type on the pages of people and tokens: places by name, and nothing to be written twice."""

from tests.lab.conftest import Lab
from tests.lab.staff import address_of, audited, hire
from tests.lab.test_people_pages import NEW, WHY, add, change, make, place_of


def test_a_municipality_may_be_named_as_people_write_it(open_lab: Lab) -> None:
    assert add(open_lab, role="municipality", municipality=" san  MIGUELITO ").status_code == 200
    assert place_of(open_lab, NEW) == ("municipality", "0810")
    assert '"municipality": "0810"' in audited(open_lab.node, action="account")[0].detail
    assert change(open_lab, NEW, "role", role="municipality", municipality="tole").status_code == 303
    assert place_of(open_lab, NEW) == ("municipality", "0413")


def test_what_was_typed_stays_where_something_was_missing(open_lab: Lab) -> None:
    page = add(open_lab, purpose="x", municipality="Tolé").text
    assert f'value="{NEW}"' in page and '<option value="analyst" selected>' in page and 'value="Tolé"' in page
    assert "Falta decir para qué, con cuatro letras" in page and "«purpose»" not in page
    hire(open_lab.node, "analyst")
    page = change(open_lab, address_of("analyst"), "role", role="municipality", municipality="Macondo").text
    assert page.count("<details open>") == 1 and 'value="Macondo"' in page and f'value="{WHY}"' in page
    page = make(open_lab, purpose="", name="Tablero", scope="aggregates", days="7", form=["barrio"]).text
    assert 'value="Tablero"' in page and '<option value="aggregates" selected>' in page
    assert '<option value="7" selected>' in page and 'value="barrio" checked' in page
