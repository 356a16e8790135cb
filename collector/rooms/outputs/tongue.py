"""The language of an output: Spanish sentences stand in the code, English ones in locale/en/rooms_outputs.json.

Whoever has the sentences loaded (collector/pages.py: load_english) hands them in, so that nothing here reads a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
)  # fmt: skip


@dataclass(frozen=True)
class Tongue:
    """Call it with a Spanish sentence. language: "es" or "en"; english: Spanish sentence -> English sentence.

    places: code of a municipality -> its name, so that sheets say "San Miguelito" and not "0810".
    """

    language: str = "es"
    english: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, sentence: str, **values: object) -> str:
        """Return the sentence in the language, its placeholders filled."""
        text = self.english.get(sentence, sentence) if self.language == "en" else sentence
        return text.format(**values) if values else text

    def place(self, code: str) -> str:
        """Return the name of a municipality; what is no known code stays as it is."""
        return self.places.get(code, code)

    def day(self, iso: str) -> str:
        """Return "22 de noviembre de 2026" of what begins with 2026-11-22; what is no day stays as it is."""
        year, _, rest = iso[:10].partition("-")
        month, _, day = rest.partition("-")
        if not (year.isdigit() and month.isdigit() and day.isdigit() and 1 <= int(month) <= 12):
            return iso
        return self("{day} de {month} de {year}", day=int(day), month=self(MONTHS[int(month) - 1]), year=year)

    def percent(self, share: float | Fraction) -> str:
        """Return a share from 0 to 1 as "60 %"; halves go up, as people round."""
        return f"{int(share * 100 + Fraction(1, 2))} %"

    def decimal(self, value: float | Fraction | None, places: int = 2) -> str:
        """Return a number with its decimals after a point, as Panama writes them; "–" where there is none."""
        return "–" if value is None else f"{float(value):.{places}f}"


SPANISH = Tongue()
