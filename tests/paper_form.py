"""A form to print on paper: consent, skips, a list that another answer narrows, a scale, several answers, rows."""

from functools import cache

from pyxform.xls2xform import convert

LANGUAGES = ("Español (es)", "English (en)")
SURVEY: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
    ("begin_group", "consent", "", "", {"appearance": "field-list"}),
    ("note", "notice", "Sobre el agua de su casa.", "About water at your home.", {}),
    ("acknowledge", "accepted", "Acepto participar", "I agree to take part", {"required": "yes"}),
    ("end_group", "", "", "", {}),
    ("select_one zona", "zona", "¿En qué zona vive?", "In which zone do you live?", {"required": "yes"}),
    ("select_one barrio", "barrio", "¿En qué barrio?", "In which quarter?", {"choice_filter": "zona = ${zona}"}),
    ("select_one fuente", "fuente", "¿De dónde viene el agua?", "Where does water come from?", {"required": "yes"}),
    ("text", "fuente_otra", "¿De qué otra parte?", "From where else?", {"relevant": "${fuente} = 'otra'"}),
    ("date", "corte", "¿Cuándo fue el último corte?", "When was the last cut?", {"relevant": "${fuente} = 'tubo'"}),
    ("decimal", "pago", "¿Cuánto paga al mes?", "How much a month?",
     {"relevant": "${fuente} = 'tubo' or ${fuente} = 'carro'", "constraint": ". < 500"}),
    ("select_multiple uso", "usos", "¿Para qué la usa?", "What do you use it for?", {}),
    ("text", "uso_otro", "¿Para qué otra cosa?", "For what else?", {"relevant": "selected(${usos}, 'otro')"}),
    ("select_one nota", "nota", "¿Qué nota le pone?", "How do you rate it?", {}),
    ("integer", "dias", "¿Cuántos días sin agua?", "How many days without water?", {"constraint": ". <= 31"}),
    ("text", "por_que", "¿Por qué tantos?", "Why so many?", {"relevant": "${dias} > 7"}),
    ("begin_repeat", "persona", "Persona", "Person", {}),
    ("text", "nombre", "¿Cómo le dicen?", "What do they call you?", {}),
    ("integer", "edad", "¿Qué edad tiene?", "How old?", {}),
    ("end_repeat", "", "", "", {}),
    ("text", "comentario", "¿Algo más?", "Anything else?", {"appearance": "multiline"}),
)  # fmt: skip
CHOICES: dict[str, dict[str, tuple[str, str]]] = {
    "zona": {"z1": ("Norte", "North"), "z2": ("Sur", "South")},
    "barrio": {f"z{z}b{b}": (f"Barrio {z}{b}", f"Quarter {z}{b}") for z in (1, 2) for b in range(20)},
    "fuente": {
        "tubo": ("Tubería", "Pipe"), "carro": ("Carro cisterna", "Water truck"), "rio": ("Río o quebrada", "River"),
        "otra": ("De otra parte", "Somewhere else"), "ns": ("No sé", "I do not know"),
    },
    "uso": {f"u{number}": (f"Uso {number}", f"Use {number}") for number in range(1, 12)} | {"otro": ("Otro", "Other")},
    "nota": {str(number): (str(number), str(number)) for number in range(11)} | {"nr": ("Prefiero no decir", "No say")},
}  # fmt: skip
ANSWERS = {
    "consent/accepted": "OK", "zona": "z2", "barrio": "z2b7", "fuente": "tubo", "corte": "2026-11-10", "pago": "2,50",
    "usos": "u1 u11", "nota": "7", "dias": "3", "comentario": "Más tubos",
}  # fmt: skip


@cache
def paper_xform(version: str = "1") -> str:
    """Return the XForm; its id is "agua"."""
    survey = [{"type": kind, "name": name, **_labels(es, en), **more} for kind, name, es, en, more in SURVEY]
    choices = [
        {
            "list_name": list_name,
            "name": name,
            **({"zona": name[:2]} if list_name == "barrio" else {}),
            **_labels(*labels),
        }
        for list_name, items in CHOICES.items()
        for name, labels in items.items()
    ]
    settings = [{"form_title": "Agua", "form_id": "agua", "version": version, "default_language": LANGUAGES[0]}]
    tables: dict[str, object] = {
        "survey": [{key: text for key, text in row.items() if text} for row in survey],
        "choices": choices,
        "settings": settings,
    }
    return str(convert(tables, validate=False, form_name="data").xform)


def _labels(*texts: str) -> dict[str, str]:
    return {f"label::{language}": text for language, text in zip(LANGUAGES, texts, strict=True)}
