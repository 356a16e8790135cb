"""A form of house visits for the lab's tests: rows in rows, a ranking, a range, hours, places, files, accents."""

from functools import cache

from pyxform.xls2xform import convert

from collector.forms.model import Form
from collector.forms.xform import read_xform

# ruff: noqa: E501  a sheet is read by its columns
SURVEY = """
| survey |                      |           |                          |                     |             |            |
|        | type                 | name      | label::Español (es)      | label::English (en) | calculation | parameters |
|        | text                 | jefa      | ¿Quién recibe?           | Who receives?       |             |            |
|        | calculate            | doble     |                          |                     | ${jefa}     |            |
|        | datetime             | cuando    | ¿Cuándo fue?             | When was it?        |             |            |
|        | begin group          | casa      | Casa de ${jefa}          | House of ${jefa}    |             |            |
|        | geopoint             | punto     | ¿Dónde?                  | Where?              |             |            |
|        | geotrace             | camino    | Camino                   | Path                |             |            |
|        | begin repeat         | persona   | Persona                  | Person              |             |            |
|        | text                 | nombre    | ¿Cómo se llama?          | Name?               |             |            |
|        | integer              | edad      | ¿Cuántos años tiene ${nombre}? | Age of ${nombre}? |         |            |
|        | select_one si_no     | trabaja   | ¿Trabaja en casa de ${jefa}?   | Works at ${jefa}'s? |       |            |
|        | select_multiple temas | usa      | ¿Qué usa?                | What do they use?   |             |            |
|        | begin group          | salud     | Salud                    | Health              |             |            |
|        | range                | dolor     | ¿Cuánto le duele?        | How much pain?      |             | start=0 end=10 step=1 |
|        | end group            |           |                          |                     |             |            |
|        | image                | foto      | Foto                     | Picture             |             |            |
|        | begin repeat         | visita    | Visita                   | Visit               |             |            |
|        | time                 | hora      | ¿A qué hora?             | At what time?       |             |            |
|        | decimal              | costo     | Costo                    | Cost                |             |            |
|        | end repeat           |           |                          |                     |             |            |
|        | end repeat           |           |                          |                     |             |            |
|        | end group            |           |                          |                     |             |            |
|        | rank temas           | orden     | Ordene                   | Rank them           |             |            |
|        | acknowledge          | listo     | Leído                    | Read                |             |            |
{more}| choices |                     |           |                          |                     |
|         | list_name           | name      | label::Español (es)      | label::English (en) |
|         | temas               | agua      | Agua                     | Water               |
|         | temas               | luz       | Luz                      | Power               |
|         | temas               | caminos   | Caminos                  | Roads               |
|         | si_no               | si        | Sí                       | Yes                 |
|         | si_no               | no        | No                       | No                  |
|         | si_no               | ns        | No sé                    | I don't know        |
| settings |                    |           |                          |                     |
|          | form_id            | version   | form_title               | instance_name       |
|          | {form_id}          | {version} | Visitas a casas          | ${jefa}             |
"""
MORE = "|        | text                 | otra      | ¿Algo más?               | Anything else?      |             |            |\n"


@cache
def visitas_xml(version: str = "1", form_id: str = "visitas") -> str:
    """Return the XForm; version "2" asks one question more, and no more whether one has read."""
    text = SURVEY.replace("{form_id}", form_id).replace("{version}", version)
    text = text.replace("{more}", MORE if version == "2" else "")
    if version == "2":
        text = "\n".join(line for line in text.splitlines() if "acknowledge" not in line)
    return str(convert(text, validate=False, file_type=".md").xform)


@cache
def visitas(version: str = "1") -> Form:
    """Return the form, read whole."""
    return read_xform(visitas_xml(version))
