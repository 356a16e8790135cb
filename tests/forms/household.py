"""A household with members and their visits, as pyxform writes it: rows in rows, counts, actions, texts with answers."""

from functools import lru_cache

from pyxform.xls2xform import convert

from collector.forms.model import Form
from collector.forms.xform import read_xform

NOW = (1_764_559_800_000, -300)  # 2025-11-30 22:30 in Panama, already December in UTC
# ruff: noqa: E501  a sheet is read by its columns
SHEETS = """
| survey |                     |            |                       |                     |              |                 |            |                |               |              |         |
|        | type                | name       | label::Español (es)   | label::English (en) | relevant     | calculation     | constraint | constraint_message::Español (es) | repeat_count | choice_filter | trigger | default | required |
|        | text                | casa       | Nombre de la casa     | House               |              |                 |            |                |               |              |         |         | yes |
|        | begin repeat        | persona    | Persona               | Person              |              |                 |            |                |               |              |         |         |     |
|        | text                | nombre     | ¿Cómo se llama?       | Name?               |              |                 |            |                |               |              |         |         |     |
|        | integer             | edad       | ¿Edad de ${nombre}?   | Age of ${nombre}?   |              |                 | . < 120    | ${nombre} no puede tener tanto. |  |       |         |         |     |
|        | calculate           | fila       |                       |                     |              | position(..)    |            |                |               |              |         |         |     |
|        | integer             | visitas    | ¿Cuántas visitas?     | Visits?             | ${edad} > 17 |                 |            |                |               |              |         |         |     |
|        | begin repeat        | visita     | Visita                | Visit               |              |                 |            |                | ${visitas}    |              |         |         |     |
|        | decimal             | costo      | Costo                 | Cost                |              |                 |            |                |               |              |         |         |     |
|        | end repeat          |            |                       |                     |              |                 |            |                |               |              |         |         |     |
|        | calculate           | gasto      |                       |                     |              | sum(${costo})   |            |                |               |              |         |         |     |
|        | text                | nota       | Nota                  | Note                |              |                 |            |                |               |              |         | concat('n', ${fila}) |  |
|        | end repeat          |            |                       |                     |              |                 |            |                |               |              |         |         |     |
|        | calculate           | cuantas    |                       |                     |              | count(${persona}) |          |                |               |              |         |         |     |
|        | calculate           | mayores    |                       |                     |              | count(${persona}[${edad} > 17]) |  |          |               |              |         |         |     |
|        | calculate           | total      |                       |                     |              | sum(${gasto})   |            |                |               |              |         |         |     |
|        | select_one ${nombre} | jefe      | ¿Quién manda?         | Who rules?          | ${cuantas} > 0 |               |            |                |               |              |         |         |     |
|        | select_multiple cosa | cosas     | ¿Qué hay?             | What is there?      |              |                 |            |                |               |              |         |         |     |
|        | select_one cosa     | mejor      | ¿Lo mejor?            | The best?           |              |                 |            |                |               | selected(${cosas}, name) |  |         |     |
|        | calculate           | sello      |                       |                     |              | concat(${casa}, '!') |       |                |               |              | ${casa} |         |     |
|        | begin group         | lugar      | Lugar                 | Place               | ${cosas} != '' |               |            |                |               |              |         |         |     |
|        | geopoint            | punto      | Punto                 | Point               |              |                 |            |                |               |              |         |         |     |
|        | end group           |            |                       |                     |              |                 |            |                |               |              |         |         |     |
| choices |                    |            |                       |                     |
|         | list_name          | name       | label::Español (es)   | label::English (en) |
|         | cosa               | agua       | Agua                  | Water               |
|         | cosa               | luz        | Luz de ${casa}        | Light of ${casa}    |
| settings |                   |            |
|          | form_id           | version    | instance_name |
|          | hogar             | 3          | ${casa} |
"""


@lru_cache
def household_xml() -> str:
    """Return the XForm."""
    return str(convert(SHEETS, validate=False, file_type=".md").xform)


@lru_cache
def household() -> Form:
    """Return the form, read whole."""
    return read_xform(household_xml())
