"""Answering the form of 25 questions (tests/forms/usual_form.py) as a person does, page after page."""

from playwright.sync_api import Page

TEXTS = {
    "edad": "41", "personas": "5", "menores": "2", "llegada": "2009-03-15", "comunidad": "Río Chiquito",
    "reuniones": "3", "tema": "El camino", "gasto": "12.50", "fecha": "2026-10-02", "telefono": "6612-3456",
    "idea": "Que el agua llegue todos los días también a las casas de arriba.",
}  # fmt: skip
# one answer a page, given inside the page: a round trip each would take minutes on a slowed-down CPU
ANSWER = """(texts) => {
  const section = document.querySelector('.page:not([hidden])');
  for (const field of section.querySelectorAll('input.field, textarea')) {
    field.value = texts[field.name] || '';
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
  const first = section.querySelector('.q:not([hidden]) [type=radio], .q:not([hidden]) [type=checkbox]');
  if (first) first.click();
  const next = document.querySelector('button[value=next]:not([hidden]).btn');
  if (next) next.click();
  return !!next;
}"""


def fill_usual(page: Page, **texts: str) -> None:
    """Answer every question but do not send."""
    while page.evaluate(ANSWER, TEXTS | texts):
        pass
