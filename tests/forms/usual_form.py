"""A form as people make them: 25 questions of the usual mix, in Spanish and English. For budgets and the bench."""

from pyxform.xls2xform import convert

SPANISH, ENGLISH = "label::Español (es)", "label::English (en)"
CHOICES = {
    "sexo": (("mujer", "Mujer", "Woman"), ("hombre", "Hombre", "Man"), ("otro", "Otro", "Other"),
             ("ns", "No sabe", "Does not know"), ("nr", "Prefiere no decir", "Prefers not to say")),
    "estudio": (("ninguno", "Ninguno", "None"), ("primaria", "Primaria", "Primary school"),
                ("secundaria", "Secundaria", "Secondary school"), ("tecnico", "Técnico", "Technical school"),
                ("universidad", "Universidad", "University")),
    "servicio": (("agua", "Agua potable", "Drinking water"), ("luz", "Luz eléctrica", "Electricity"),
                 ("basura", "Recolección de basura", "Waste collection"), ("internet", "Internet", "Internet"),
                 ("bus", "Transporte público", "Public transport")),
    "frecuencia": (("siempre", "Siempre", "Always"), ("casi", "Casi siempre", "Almost always"),
                   ("aveces", "A veces", "Sometimes"), ("casinunca", "Casi nunca", "Hardly ever"),
                   ("nunca", "Nunca", "Never")),
    "si_no": (("si", "Sí", "Yes"), ("no", "No", "No"), ("aveces", "A veces", "Sometimes"),
              ("ns", "No sabe", "Does not know"), ("nr", "Prefiere no decir", "Prefers not to say")),
    "diez": tuple((str(n), str(n), str(n)) for n in range(11)),
}  # fmt: skip
# type | name | Spanish | English | required | relevant | constraint
SURVEY = """
integer | edad | ¿Cuántos años tiene? | How old are you? | yes | | . >= 10 and . <= 120
select_one sexo | sexo | ¿Con qué género se identifica? | Which gender do you identify with? | yes | |
select_one estudio | estudios | ¿Hasta dónde llegó en la escuela? | How far did you go in school? | yes | |
integer | personas | ¿Cuántas personas viven en su casa? | How many people live in your home? | yes | | . >= 1 and . <= 30
integer | menores | ¿Cuántas de ellas tienen menos de 18 años? | How many of them are under 18? | yes | | . <= ${personas}
date | llegada | ¿Desde cuándo vive en este corregimiento? | Since when have you lived in this district? | | | . <= today()
text | comunidad | ¿Cómo se llama su comunidad? | What is your community called? | yes | |
select_multiple servicio | servicios | ¿Qué servicios llegan a su casa? | Which services reach your home? | yes | |
select_one frecuencia | agua_dia | ¿Hay agua todos los días? | Is there water every day? | | selected(${servicios}, 'agua') |
select_one frecuencia | luz_dia | ¿Hay luz todos los días? | Is there power every day? | | selected(${servicios}, 'luz') |
select_multiple servicio | faltan | ¿Qué servicios hay que mejorar primero? | Which services must get better first? | | |
select_one si_no | reunion | ¿Fue a alguna reunión comunitaria este año? | Did you go to a community meeting this year? | yes | |
integer | reuniones | ¿A cuántas? | To how many? | | ${reunion} = 'si' | . > 0 and . < 100
text | tema | ¿De qué se habló en la última? | What was the last one about? | | ${reunion} = 'si' |
select_one frecuencia | escucha | ¿Siente que las autoridades escuchan a su comunidad? | Do you feel that the authorities listen to your community? | yes | |
select_one diez | confia_vecinos | De 0 a 10, ¿cuánto confía en sus vecinos? | From 0 to 10, how much do you trust your neighbours? | yes | |
select_one diez | confia_municipio | De 0 a 10, ¿cuánto confía en el municipio? | From 0 to 10, how much do you trust the municipality? | yes | |
select_one diez | confia_policia | De 0 a 10, ¿cuánto confía en la policía? | From 0 to 10, how much do you trust the police? | yes | |
select_one si_no | segura | ¿Se siente segura o seguro al caminar de noche? | Do you feel safe walking at night? | yes | |
select_multiple servicio | pagaria | ¿Por cuáles de estos pagaría un poco más? | For which of these would you pay a little more? | | |
decimal | gasto | ¿Cuánto gasta su casa en agua al mes, en balboas? | How much does your home spend on water a month, in balboas? | | | . >= 0 and . < 1000
date | fecha | ¿Cuándo fue el último corte largo de agua? | When was the last long cut of water? | | | . <= today()
select_one si_no | participaria | ¿Participaría en una mesa de diálogo? | Would you take part in a dialogue table? | yes | |
text | telefono | ¿A qué número le avisamos? | Which number should we call? | | ${participaria} = 'si' | regex(., '^[0-9]{4}-?[0-9]{4}$')
text | idea | Si pudiera cambiar una sola cosa, ¿cuál sería? | If you could change one thing, what would it be? | | |
"""  # noqa: E501
COLUMNS = ("type", "name", SPANISH, ENGLISH, "required", "relevant", "constraint")


def usual_xform(version: str = "1") -> str:
    """Return the XForm."""
    lines = [[cell.strip() for cell in line.split("|")] for line in SURVEY.strip().splitlines()]
    survey = [{key: cell for key, cell in zip(COLUMNS, line, strict=True) if cell} for line in lines]
    choices = [
        {"list_name": name, "name": value, SPANISH: spanish, ENGLISH: english}
        for name, items in CHOICES.items()
        for value, spanish, english in items
    ]
    settings = [
        {
            "form_id": "usual",
            "version": version,
            "form_title": "Servicios y confianza",
            "default_language": "Español (es)",
        }
    ]
    sheets = {"survey": survey, "choices": choices, "settings": settings}
    return str(convert(sheets, validate=False).xform)
