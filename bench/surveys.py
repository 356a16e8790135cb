"""Two surveys that are measured: one of 30 questions as people ask them, and a workbook of many rows."""

import random
from collections.abc import Iterator
from io import BytesIO

from openpyxl import Workbook

from bench.samples import convert_sheets
from collector.forms.model import Form, Question
from collector.forms.state import Filling

NOW = (1_795_189_320_000, -300)  # 2026-11-20 10:42 in Panama
PROVINCES = {"veraguas": ("sona", "santiago", "atalaya"), "panama": ("chepo", "taboga"), "colon": ("portobelo",)}
CHOICES = {
    "provincia": PROVINCES,
    "sexo": ("mujer", "hombre", "otro"),
    "si_no": ("si", "no"),
    "estudios": ("ninguno", "primaria", "secundaria", "universidad"),
    "escala": ("1", "2", "3", "4", "5", "98"),
    "servicio": ("agua", "luz", "internet", "basura", "ninguno"),
    "horas": ("menos_6", "6_12", "mas_12"),
}
# type, name, relevant, constraint, required, calculation, choice_filter
SURVEY = """
select_one provincia   | provincia   | | | yes | |
select_one municipio   | municipio   | | | yes | | provincia=${provincia}
text                   | comunidad   | | | yes | |
date                   | fecha       | | . <= today() | | |
integer                | edad        | | . >= 0 and . <= 120 | yes | |
select_one sexo        | sexo        | | | yes | |
integer                | personas    | | . >= 1 and . <= 30 | yes | |
integer                | menores     | | . >= 0 and . <= ${personas} | yes | |
calculate              | mayores     | | | | ${personas} - ${menores} |
select_one estudios    | estudios    | ${edad} > 5 | | | |
select_one si_no       | trabaja     | ${edad} >= 15 | | | |
text                   | oficio      | ${trabaja} = 'si' | | | |
decimal                | ingreso     | ${trabaja} = 'si' | . >= 0 and . < 100000 | | |
calculate              | por_persona | | | | if(${personas} > 0, round(${ingreso} div ${personas}, 2), 0) |
select_multiple servicio | servicios | | not(selected(., 'ninguno')) or count-selected(.) = 1 | yes | |
select_one horas       | agua_horas  | selected(${servicios}, 'agua') | | | |
select_one horas       | luz_horas   | selected(${servicios}, 'luz') | | | |
text                   | sin_nada    | selected(${servicios}, 'ninguno') | | | |
select_one escala      | confia_alcaldia | | | yes | |
select_one escala      | confia_junta    | | | yes | |
select_one escala      | confia_policia  | | | yes | |
select_one escala      | confia_vecinos  | | | yes | |
calculate              | confianza   | | | | (number(${confia_alcaldia}) + number(${confia_junta})) div 2 |
calculate              | resumen     | | | | concat(${comunidad}, ' ', ${provincia}, ' ', ${sexo}) |
calculate              | grupo       | | | | if(${edad} < 18, 'menor', if(${edad} < 65, 'adulto', 'mayor')) |
select_one si_no       | asistio     | | | | |
text                   | asunto      | ${asistio} = 'si' and ${edad} > 17 | | | |
text                   | propuesta   | | string-length(.) < 500 | | |
text                   | telefono    | | regex(., '^[0-9]{4}-?[0-9]{4}$') | | |
note                   | gracias     | | | | |
"""
COLUMNS = ("type", "name", "relevant", "constraint", "required", "calculation", "choice_filter")
TEXTS = {"fecha": "2026-11-19", "telefono": "6612-3456", "ingreso": "612.50"}


def survey_rows() -> Iterator[dict[str, str]]:
    """Give the questions as rows of an XLSForm."""
    for line in SURVEY.strip().splitlines():
        row = dict(zip(COLUMNS, (cell.strip() for cell in line.split("|")), strict=True))
        label = {} if row["type"] == "calculate" else {"label": f"¿{row['name'].replace('_', ' ').capitalize()}?"}
        yield {key: cell for key, cell in {**row, **label}.items() if cell}


def choice_rows() -> Iterator[dict[str, str]]:
    """Give the choices as rows of an XLSForm."""
    for list_name, names in CHOICES.items():
        yield from ({"list_name": list_name, "name": name, "label": name.capitalize()} for name in names)
    for province, names in PROVINCES.items():
        yield from (
            {"list_name": "municipio", "name": name, "label": name.capitalize(), "provincia": province}
            for name in names
        )


def thirty_xform() -> str:
    """Return the XForm of the survey of 30 questions."""
    settings = [{"form_id": "bench_thirty", "version": "1", "form_title": "Encuesta de hogares"}]
    return convert_sheets({"survey": survey_rows(), "choices": choice_rows(), "settings": settings})


def thirty_answers(form: Form, seed: int) -> dict[str, str]:
    """Return what somebody answers, drawn at random but the same for a seed; complete and without a mistake."""
    draw = random.Random(seed)
    filling = Filling(form, NOW)
    people = draw.randint(1, 9)
    given = {"edad": draw.randint(6, 90), "personas": people, "menores": draw.randint(0, people)}
    for question in form.questions:
        if question.type not in ("calculate", "note"):
            filling.set(question.path, str(given.get(question.name, _answer(filling, question, draw))))
    return filling.answers()


def _answer(filling: Filling, question: Question, draw: random.Random) -> str:
    names = [name for name in filling.choices(question.path) if name != "ninguno"]
    if question.type == "select_multiple":
        return " ".join(draw.sample(names, draw.randint(1, len(names)))) if draw.random() < 0.9 else "ninguno"
    return (
        draw.choice(names)
        if names
        else TEXTS.get(question.name, f"Reunión de {question.name} número {draw.random():.3f}")
    )


def long_workbook(rows: int) -> bytes:
    """Return an .xlsx of `rows` questions: six kinds in turn, a third of them asked on a condition."""
    book = Workbook()
    sheet = book.active
    sheet.title = "survey"
    sheet.append(["type", "name", "label::Español (es)", "label::English (en)", "relevant", "constraint", "required"])
    for number in range(rows):
        sheet.append(_long_row(number))
    choices = book.create_sheet("choices")
    choices.append(["list_name", "name", "label::Español (es)", "label::English (en)"])
    for name in CHOICES["escala"]:
        choices.append(["escala", name, f"Opción {name}", f"Choice {name}"])
    settings = book.create_sheet("settings")
    settings.append(["form_id", "version", "form_title", "default_language"])
    settings.append(["bench_long_book", "1", "Encuesta larga", "Español (es)"])
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _long_row(number: int) -> list[str]:
    kinds = ("select_one escala", "integer", "text", "select_multiple escala", "decimal", "date")
    kind = kinds[number % len(kinds)]
    relevant = (
        f"${{q{number - 2}}} != '' and selected(${{q{number - 3}}}, '2')" if number % 3 == 2 and number > 3 else ""
    )
    constraint = ". >= 0 and . <= 120" if kind == "integer" else ""
    labels = [f"¿Cuál es su respuesta a la pregunta {number}?", f"What is your answer to question {number}?"]
    return [kind, f"q{number}", *labels, relevant, constraint, "yes" if number % 5 == 0 else ""]
