"""A form with everything that the page draws beyond simple questions, as an XForm that pyxform made."""

from functools import cache

from pyxform.xls2xform import convert

LANGUAGES = ("Español (es)", "English (en)")
# type, name, Spanish, English, further columns
SURVEY: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
    ("start", "inicio", "", "", {}),
    ("end", "fin", "", "", {}),
    ("text", "jefe", "¿Cómo se llama usted?", "What is your name?", {"required": "yes"}),
    ("date", "nacimiento", "${jefe}, ¿cuándo nació?", "${jefe}, when were you born?", {"constraint": ". <= today()"}),
    ("date", "llegada", "Año de llegada", "Year of arrival", {"appearance": "year"}),
    ("time", "hora", "¿A qué hora?", "At what time?", {}),
    ("range", "nota", "Nota", "Mark", {"parameters": "start=0 end=10 step=1"}),
    ("range", "gasto", "Gasto del mes", "Spending", {"parameters": "start=0 end=500 step=5"}),
    ("rank temas", "orden", "Ordene los temas", "Order the topics", {}),
    ("acknowledge", "acepta", "¿Está de acuerdo?", "Do you agree?", {"required": "yes"}),
    ("geopoint", "lugar", "¿Dónde está?", "Where are you?", {}),
    ("image", "foto", "Una foto", "A photo", {"parameters": "max-pixels=400"}),
    ("begin_group", "tabla", "Qué tan de acuerdo", "How much", {"appearance": "field-list"}),
    ("select_one acuerdo", "cabeza", "Respuestas", "Answers", {"appearance": "label"}),
    ("select_one acuerdo", "agua", "El agua llega", "Water comes", {"appearance": "list-nolabel"}),
    ("select_one acuerdo", "luz", "La luz llega", "Power comes", {"appearance": "list-nolabel"}),
    ("text", "por_que", "¿Por qué no llega?", "Why does it not come?", {"relevant": "${luz} = 'nada'"}),
    ("end_group", "", "", "", {}),
    ("integer", "cuantos", "¿Cuántas personas viven aquí?", "How many people live here?", {"constraint": ". < 20"}),
    ("begin_repeat", "persona", "Persona", "Person", {"repeat_count": "${cuantos}"}),
    ("text", "nombre", "Nombre", "Name", {"required": "yes"}),
    ("integer", "edad", "¿Qué edad tiene ${nombre}?", "How old is ${nombre}?", {"constraint": ". < 120"}),
    ("select_one sino", "trabaja", "¿Trabaja ${nombre}?", "Does ${nombre} work?", {"relevant": "${edad} >= 15"}),
    ("end_repeat", "", "", "", {}),
    ("calculate", "suma", "", "", {"calculation": "sum(${edad})"}),
    ("note", "resumen", "Suman ${suma} años en casa de ${jefe}", "They are ${suma} years at ${jefe}'s", {}),
    ("begin_repeat", "compra", "Compra", "Purchase", {}),
    ("text", "que", "¿Qué compró?", "What did you buy?", {}),
    ("begin_repeat", "pago", "Pago", "Payment", {}),
    ("decimal", "monto", "¿Cuánto pagó por ${que}?", "How much did you pay for ${que}?", {}),
    ("end_repeat", "", "", "", {}),
    ("end_repeat", "", "", "", {}),
    ("select_one ${nombre}", "vocero", "¿Quién habla por la casa?", "Who speaks for the house?", {}),
    ("select_one sitios", "sitio", "¿De qué sitio viene?", "From which place?", {}),
)  # fmt: skip
CHOICES = {
    "temas": {"agua": ("Agua", "Water"), "luz": ("Luz", "Power"), "via": ("Vía", "Road")},
    "acuerdo": {"nada": ("Nada", "Not at all"), "algo": ("Algo", "Some"), "mucho": ("Mucho", "A lot")},
    "sino": {"si": ("Sí", "Yes"), "no": ("No", "No")},
    "sitios": {f"s{number}": (f"Ñuri {number}", f"Nuri {number}") for number in range(10_000)},
}


@cache
def rich_xform() -> str:
    """Return the XForm; its id is "hogar", its version "1"."""
    return str(convert(_workbook(), validate=False, form_name="data").xform)


def _workbook() -> dict[str, object]:
    rows = [
        {"type": kind, "name": name, **_labels((spanish, english)), **more}
        for kind, name, spanish, english, more in SURVEY
    ]
    choices = [
        {"list_name": list_name, "name": name, **_labels(labels)}
        for list_name, items in CHOICES.items()
        for name, labels in items.items()
    ]
    settings = [{"form_title": "Hogar", "form_id": "hogar", "version": "1", "default_language": LANGUAGES[0]}]
    return {"survey": [{key: text for key, text in row.items() if text} for row in rows], "choices": choices,
            "settings": settings}  # fmt: skip


def _labels(texts: tuple[str, str]) -> dict[str, str]:
    return {f"label::{language}": text for language, text in zip(LANGUAGES, texts, strict=True)}


SMALL = """
| survey  |                 |        |                      |            |         |                           |
|         | type            | name   | label                | appearance | trigger | calculation               |
|         | start-geopoint  | salida |                      |            |         |                           |
|         | deviceid        | equipo |                      |            |         |                           |
|         | select_one sino | vive   | ¿Vive aquí?          | quick      |         |                           |
|         | geopoint        | casa   | ¿Dónde está la casa? |            |         |                           |
|         | text            | nota   | Algo más             |            | ${vive} | concat('vive: ', ${vive}) |
| choices |                 |        |                      |
|         | list_name       | name   | label                |
|         | sino            | si     | Sí                   |
|         | sino            | no     | No                   |
| settings |                |         |         |
|          | form_title     | form_id | version |
|          | Paso           | paso    | 1       |
"""


@cache
def small_xform() -> str:
    """Return a form that notes the place by itself and goes on by itself; id "paso", version "1"."""
    return str(convert(SMALL, validate=False, file_type=".md").xform)


FAULTS = """
| survey  |                  |         |                       |          |                      |             |
|         | type             | name    | label                 | required | choice_filter        | calculation |
|         | select_one zona  | zona    | ¿Qué zona?            |          |                      |             |
|         | select_one lugar | lugar   | ¿Qué lugar?           |          | zona=${zona}         |             |
|         | select_one agua  | agua    | ¿De dónde es el agua? | yes      |                      |             |
|         | integer          | sacos   | ¿Cuántos sacos?       |          |                      |             |
|         | integer          | kilos   | Son kilos             |          |                      | ${sacos}*50 |
|         | begin_repeat     | hijo    |                       |          |                      |             |
|         | text             | nombre  | ¿Cómo se llama?       |          |                      |             |
|         | end_repeat       |         |                       |          |                      |             |
| choices |                  |         |                                     |      |
|         | list_name        | name    | label                               | zona |
|         | zona             | norte   | Norte                               |      |
|         | zona             | sur     | Sur                                 |      |
|         | zona             | este    | Este                                |      |
|         | lugar            | 1       | Alto Bonito                         | norte |
|         | lugar            | 2       | Loma                                | norte |
|         | lugar            | 1       | Bajo Grande                         | sur  |
|         | agua             | el pozo | Pozo                                |      |
|         | agua             | el río  | Quebrada/toma/manantial/acueducto/x |      |
| settings |                 |         |                       |
|          | form_title      | form_id | version | allow_choice_duplicates |
|          | Finca           | finca   | 1       | yes                     |
"""


@cache
def faults_xform() -> str:
    """Return a form of codes that start anew in each zone, names with blanks, a repeat without label; id "finca"."""
    return str(convert(FAULTS, validate=False, file_type=".md").xform)


@cache
def long_xform() -> str:
    """Return a form of seventy pages, the first with guidance; id "largo", version "1"."""
    rows: list[dict[str, str]] = [{"type": "text", "name": f"p{n}", "label": f"Pregunta {n}"} for n in range(70)]
    rows[0]["guidance_hint"] = "Solo si pregunta"
    settings = [{"form_title": "Un_titulo_que_no_se_puede_partir_nunca", "form_id": "largo", "version": "1"}]
    return str(convert({"survey": rows, "settings": settings}, validate=False, form_name="data").xform)


MARKED = """
| survey  |                  |        |            |                |                               |               |
|         | type             | name   | label      | parameters     | calculation                   | choice_filter |
|         | text             | quien  | ¿Quién?    |                |                               |               |
|         | select_one agua  | agua   | ¿El agua?  | randomize=true |                               |               |
|         | calculate        | dicho  |            |                | jr:choice-name(${agua}, '${agua}') |          |
|         | note             | eco    | Dijo ${dicho} |             |                               |               |
|         | select_one zona  | zona   | ¿La zona?  |                |                               | pais != 'x'   |
|         | select_one gran  | gran   | ¿Sitio?    |                |                               |               |
|         | begin_repeat     | hijo   | Hijo       |                |                               |               |
|         | text             | nombre | Nombre     |                |                               |               |
|         | end_repeat       |        |            |                |                               |               |
|         | select_one ${nombre} | mayor | ¿El mayor? |             |                               |               |
| choices |                  |        |            |                |
|         | list_name        | name   | label      | pais           |
|         | agua             | pozo   | **Pozo** de ${quien} |      |
|         | agua             | rio    | <b>Río</b> |                |
|         | zona             | 1      | # Alto     | a              |
|         | zona             | 1      | *Bajo*     | x              |
{gran}
| settings |                 |         |         |                         |
|          | form_title      | form_id | version | allow_choice_duplicates |
|          | Marcas          | marcas  | 1       | yes                     |
"""


@cache
def marked_xform() -> str:
    """Return a form of lists that scripts draw, with other tools' marks in their labels; id "marcas"."""
    many = "\n".join(f"|         | gran | g{number} | __Sitio__ {number} |" for number in range(300))
    return str(convert(MARKED.replace("{gran}", many), validate=False, file_type=".md").xform)
