"""The texts of a form's page in its language, and which of them the scripts have to find again.

Three kinds of text stand in a page: one that is the same in every language; one with translations, marked `data-t`;
one that shows answers, marked `data-o`. In the page of a simple form (state.js) the place of a `data-t` says which text
it is: the same texts stand there in the same order whatever is answered. Where rows come and go the mark is a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from markupsafe import Markup, escape

from collector.fill.rich import has_sheet, is_rich
from collector.fill.tongues import OurWords, fallbacks
from collector.fill.voices import Voice, text_key
from collector.forms.filling_rows import FillingRow
from collector.forms.model import OUTPUT, Form, Text, language_code, text_in
from collector.forms.plain_words import plain_words
from collector.forms.state import Filling
from collector.territory import Province, provinces

# sentences that the scripts write; keys are those of state.js problems and of fill.js
UI = {
    "step": "Pregunta {n} de {total}",
    "required": "Falta una respuesta. Responda esta pregunta para seguir.",
    "type": "Esta respuesta no tiene la forma que se espera. Revísela.",
    "choice": "Elija una de las opciones de la lista.",
    "constraint": "Esta respuesta no es válida. Revísela.",
}
TYPE_HELP = {
    "integer": "Escriba un número entero, por ejemplo 3.",
    "decimal": "Escriba un número, por ejemplo 2.5.",
    "range": "Escriba un número que esté entre los dos de la escala.",
    "date": "Escriba una fecha que exista, por ejemplo 2026-11-20.",
    "time": "Escriba una hora, por ejemplo 14:30.",
    "datetime": "Escriba una fecha con su hora, por ejemplo 2026-11-20T14:30.",
    "text": "El texto es demasiado largo. Escríbalo más corto.",
    "rank": "Hay una opción en dos lugares. Póngala en uno solo.",
    "geopoint": "Escriba latitud y longitud, por ejemplo 8.98 -79.52.",
    "geotrace": "Escriba un punto tras otro con punto y coma: 8.98 -79.52; 8.99 -79.53.",
    "geoshape": "Escriba un punto tras otro con punto y coma: 8.98 -79.52; 8.99 -79.53.",
}
# sentences that only rich.js and the scripts it loads write
RICH_UI = {
    "drop": "Se borrará lo que escribió en {n}. ¿Continuar?",
    "none": "Ninguna opción se llama así.",
    "more": "Hay {n} más. Escriba otra letra.",
    "searching": "Buscando su ubicación…",
    "no_place": "No se pudo saber el lugar. Escríbalo: latitud y longitud.",
    "no_gps": "En esta red el teléfono no puede decir dónde está. Si lo sabe, escriba latitud y longitud; si no, siga.",
    "accuracy": "Precisión: {n} m",
    "too_large": "El archivo pesa {n} MB y es demasiado grande. Elija uno más liviano.",
    "unread": "Ese archivo no se pudo leer. Elija otro.",
    "empty": "Ese archivo está vacío. Elija otro.",
    "not_kept": "Este navegador no pudo guardar el archivo. Libere espacio en el teléfono o siga sin el archivo.",
    "size": "{name} · {n} kB",
    "cut": "Con ese número se borran respuestas ya escritas: {n}. ¿Continuar?",
}
# the same beside the list of places (rich-places.js)
PLACE_UI = {
    "no_place_list": "No se pudo saber el punto. Elija el lugar de la lista, o escriba latitud y longitud.",
    "no_gps_list": "En esta red no se puede saber el punto. Elija el lugar de la lista, o escriba latitud y longitud.",
}
# sentences that only recorder.js writes
SOUND_UI = {
    "record": "Grabar",
    "stop": "Parar",
    "again": "Grabar otra vez",
    "said": "{s} s · {kb} kB",
    "refused": "El navegador no dejó usar el micrófono. Dé permiso, o elija un archivo.",
    "listen": "Oír lo grabado",
}


@dataclass
class Words:
    """Gives texts in the page's language; `marked` and `said` list those the scripts have to find again.

    filling: whose answers the texts show; without it those texts show nothing.
    """

    form: Form
    language: str
    english: Mapping[str, str]
    filling: Filling | None = None
    marked: list[Text] = field(default_factory=list)
    said: list[Text] = field(default_factory=list)
    files: list[Text] = field(default_factory=list)
    voices: Mapping[tuple[str, str], tuple[Voice, ...]] = field(default_factory=dict)
    _numbers: dict[tuple[tuple[str, str], ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.is_rich = is_rich(self.form)
        self.has_sheet = has_sheet(self.form)

    def ui(self, sentence: str) -> Text:
        """Return one of our own sentences in every language of the form; Spanish where we have no other."""
        languages = self.form.languages or ("",)
        code = {name: language_code(name) for name in languages}
        said = self.english.get(sentence, sentence)
        return OurWords((name, said if code[name].partition("-")[0] == "en" else sentence) for name in languages)

    def plain(self, text: Text | str, row: FillingRow | None = None) -> str:
        """Return the text in the page's language, with the answers it shows."""
        both = self.ui(text) if isinstance(text, str) else text
        if self.filling is not None and shows_answers(both):
            # the marks first: an answer may hold asterisks
            return self.filling.said({name: plain_words(words) for name, words in both.items()}, row)
        return plain_words(text_in(both, self.language, self.form))

    def attribute(self, text: Text | str) -> Markup:
        """Return ` data-t` or ` data-o` for a text that the scripts must find again, else nothing."""
        both = self.ui(text) if isinstance(text, str) else text
        return self._mark(both) + self._tongue(both)

    def _tongue(self, both: Text) -> Markup:
        """Return ` lang` where the text is not in the page's language, ` data-l` where that may come to be."""
        if not any(both.values()):
            return Markup("")
        other = fallbacks(both, self.form)
        here = other.get(language_code(self.language))
        lang = Markup(' lang="{}"').format(here) if here else Markup("")
        pairs = " ".join(f"{page}:{text}" for page, text in other.items())
        return lang + Markup(' data-l="{}"').format(pairs) if other and len(self.form.languages) > 1 else lang

    def _mark(self, both: Text) -> Markup:
        if shows_answers(both):
            return Markup(' data-o="{}"').format(self._number(both, self.said))
        if len({text_in(both, name, self.form) for name in self.form.languages}) < 2:
            return Markup("")
        if self.is_rich:
            return Markup(' data-t="{}"').format(self._number(both, self.marked))
        self.marked.append(both)
        return Markup(" data-t")

    def __call__(self, text: Text | str, row: FillingRow | None = None) -> Markup:
        """Return the text as markup, wrapped for the scripts where they must find it again."""
        mark = self.attribute(text)
        words = escape(self.plain(text, row)).replace("\n", Markup("<br>"))
        return Markup("<span{}>{}</span>").format(mark, words) if mark else words

    def file(self, text: Text, address: str) -> Markup:
        """Return ` src` of an attached picture or sound, marked `data-m` where each language has its own."""
        address = f"{address}/media/{quote(file_name(text_in(text, self.language, self.form)))}"
        differs = len({text_in(text, name, self.form) for name in self.form.languages}) > 1
        mark = Markup(' data-m="{}"').format(self._number(text, self.files)) if differs else Markup("")
        return Markup(' src="{}"{}').format(address, mark)

    def provinces(self) -> tuple[Province, ...]:
        """Return what a place is chosen from where a geopoint has none."""
        return provinces()

    def voices_of(self, place: str, label: Text) -> tuple[Voice, ...]:
        """Return what facilitators recorded of this text ("q/data/agua", "ctemas/luz"), each in its language."""
        return self.voices.get((place, text_key(label, self.form)), ()) if self.voices else ()

    def by_language(self) -> dict[str, list[str]]:
        """Return language -> marked texts, for the JSON; the page of a simple form itself holds its own language."""
        return {
            name: [plain_words(text_in(text, name, self.form)) for text in self.marked]
            for name in self.form.languages
            if self.is_rich or name != self.language
        }

    def shows_answers(self, text: Text) -> bool:
        """Tell whether a text has places for answers: a repeat's is told by its rows then."""
        return shows_answers(text)

    def _number(self, text: Text, texts: list[Text]) -> int:
        key = ("", str(id(texts))), *sorted(text.items())
        if key not in self._numbers:
            self._numbers[key] = len(texts)
            texts.append(text)
        return self._numbers[key]


def file_name(address: str) -> str:
    """Return the name of the file in "jr://images/mapa.png"."""
    return address.rpartition("/")[2]


def shows_answers(text: Text) -> bool:
    """Tell whether a text has places for answers."""
    return any(OUTPUT in words for words in text.values())


def sentence_for(kind: str, trouble: str, said: Text) -> Text | str:
    """Return what to say beside a field of type `kind`: the form's own message, else ours."""
    if any(said.values()):
        return said
    return TYPE_HELP.get(kind, UI["type"]) if trouble == "type" else UI[trouble]
