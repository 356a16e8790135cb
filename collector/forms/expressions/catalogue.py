"""The functions an expression may call: how many arguments, how each is read, what comes out; and those refused.

Argument kinds, one letter each, the last one repeated:
    v  one value
    b  true or false (a question counts by what it holds)
    n  a node-set                    m  one value or a node-set
A "~" at the end repeats the last two instead.
"""

from dataclasses import dataclass
from typing import Literal

Result = Literal["number", "string", "boolean", "date", "any"]


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called."""

    least: int
    most: int
    kinds: str
    result: Result

    def kind(self, index: int) -> str:
        """Return the kind of the argument at `index`."""
        kinds = self.kinds.rstrip("~") or "v"
        if index < len(kinds):
            return kinds[index]
        return kinds[-2 + (index - len(kinds)) % 2] if self.kinds.endswith("~") else kinds[-1]


MANY = 1000


def _table(text: str) -> dict[str, Signature]:
    """Read lines `name least most kinds result`; "-" means no argument, "*" any number."""
    found = {}
    for line in text.split("\n"):
        if line.strip():
            name, least, most, kinds, result = line.split()
            found[name] = Signature(int(least), MANY if most == "*" else int(most), kinds.strip("-"), result)  # type: ignore[arg-type]
    return found


# In static/js/engine.js and functions.js.
COMMON = _table("""
    if 3 3 bvv any
    not 1 1 b boolean
    true 0 0 - boolean
    false 0 0 - boolean
    boolean 1 1 b boolean
    number 0 1 v number
    string 0 1 v string
    int 1 1 v number
    round 1 2 v number
    floor 1 1 v number
    coalesce 2 2 v any
    once 1 1 v any
    selected 2 2 v boolean
    selected-at 2 2 v string
    count-selected 1 1 v number
    concat 0 * m string
    join 1 * vm string
    string-length 0 1 v number
    normalize-space 0 1 v string
    substr 2 3 v string
    substring-before 2 2 v string
    substring-after 2 2 v string
    contains 2 2 v boolean
    starts-with 2 2 v boolean
    regex 2 2 v boolean
    count 1 1 n number
    sum 1 1 n number
    min 1 * m number
    max 1 * m number
    today 0 0 - date
    now 0 0 - date
    date 1 1 v date
    decimal-date-time 1 1 v number
    format-date 2 2 v string
    format-date-time 2 2 v string
    position 0 1 n number
    last 0 0 - number
    indexed-repeat 3 7 v any
    random 0 0 - number
    pulldata 4 4 v string
    jr:choice-name 2 2 v string
    jr:itext 1 1 v string
""")

# In static/js/functions-rare.js, fetched only by the forms that call one of them.
RARE = _table("""
    boolean-from-string 1 1 v boolean
    ceiling 1 1 v number
    abs 1 1 v number
    pow 2 2 v number
    substring 2 3 v string
    ends-with 2 2 v boolean
    translate 3 3 v string
    count-non-empty 1 1 n number
    date-time 1 1 v date
    decimal-time 1 1 v number
    uuid 0 1 v string
    checklist 2 * vvb boolean
    weighted-checklist 2 * vvbv~ boolean
    sqrt 1 1 v number
    exp 1 1 v number
    exp10 1 1 v number
    log 1 1 v number
    log10 1 1 v number
    pi 0 0 - number
    sin 1 1 v number
    cos 1 1 v number
    tan 1 1 v number
    asin 1 1 v number
    acos 1 1 v number
    atan 1 1 v number
    atan2 2 2 v number
    area 1 1 m number
    distance 1 * m number
    geofence 2 2 v boolean
    base64-decode 1 1 v string
    randomize 1 2 nv any
""")

# In static/js/digest.js, fetched only by the forms that call it.
HASHING = _table("""
    digest 2 3 v string
""")

# Gone once resolved: the page never sees them.
RESOLVED_AWAY = _table("""
    local-name 0 1 v string
""")

FUNCTIONS = COMMON | RARE | HASHING | RESOLVED_AWAY
RARE_NAMES = frozenset(RARE)

# name -> (whose it is, what to write instead in English, in Spanish)
REFUSED: dict[str, tuple[str, str, str]] = {
    "index": ("SurveyCTO", "Use position(..).", "Use position(..)."),
    "choice-label": (
        "SurveyCTO",
        "Use jr:choice-name(value, '${question}').",
        "Use jr:choice-name(valor, '${pregunta}').",
    ),
    "count-if": ("SurveyCTO", "Use count(repeat[condition]).", "Use count(repetición[condición])."),
    "sum-if": ("SurveyCTO", "Use sum(repeat[condition]/question).", "Use sum(repetición[condición]/pregunta)."),
    "min-if": ("SurveyCTO", "Use min(repeat[condition]/question).", "Use min(repetición[condición]/pregunta)."),
    "max-if": ("SurveyCTO", "Use max(repeat[condition]/question).", "Use max(repetición[condición]/pregunta)."),
    "join-if": (
        "SurveyCTO",
        "Use join(', ', repeat[condition]/question).",
        "Use join(', ', repetición[condición]/pregunta).",
    ),
    "item-at": ("SurveyCTO", "Use selected-at(text, number).", "Use selected-at(texto, número)."),
    "de-duplicate": ("SurveyCTO", "", ""),
    "rank-index": ("SurveyCTO", "", ""),
    "rank-index-if": ("SurveyCTO", "", ""),
    "rank-value": ("SurveyCTO", "", ""),
    "duration": ("SurveyCTO", "Subtract the times of two questions.", "Reste las horas de dos preguntas."),
    "device-info": ("SurveyCTO", "Use a deviceid question.", "Use una pregunta deviceid."),
    "collect-is-phone-app": ("SurveyCTO", "", ""),
    "relevant": ("SurveyCTO", "Compare the question with ''.", "Compare la pregunta con ''."),
    "empty": ("SurveyCTO", "Write ${question} = ''.", "Escriba ${pregunta} = ''."),
    "version": ("SurveyCTO", "", ""),
    "phone-call-log": ("SurveyCTO", "", ""),
    "phone-call-duration": ("SurveyCTO", "", ""),
    "hash": ("SurveyCTO", "", ""),
    "linebreak": ("SurveyCTO", "", ""),
    "username": ("SurveyCTO", "Use a username question.", "Use una pregunta username."),
    "to-bikram-sambat": ("CHT", "", ""),
    "difference-in-days": ("CHT", "Subtract two dates.", "Reste dos fechas."),
    "difference-in-weeks": (
        "CHT",
        "Subtract two dates, divide by 7 and take int().",
        "Reste dos fechas, divida entre 7 y use int().",
    ),
    "difference-in-months": ("CHT", "Divide the days by 30.4375.", "Divida los días entre 30.4375."),
    "difference-in-years": (
        "CHT",
        "Divide the days by 365.25 and take int().",
        "Divida los días entre 365.25 y use int().",
    ),
    "add-date": ("CHT", "Use date(${date} + days).", "Use date(${fecha} + días)."),
    "parse-timestamp-to-date": ("CHT", "", ""),
    "extract-signed": (
        "ODK",
        "Signed texts are not checked here; ask for the text itself.",
        "Aquí no se comprueban textos firmados; pregunte el texto mismo.",
    ),
    "id": ("XPath", "", ""),
    "lang": ("XPath", "", ""),
    "name": ("XPath", "Use local-name().", "Use local-name()."),
    "namespace-uri": ("XPath", "", ""),
}


def refusal(name: str) -> tuple[str, str, str] | None:
    """Return whose function `name` is and what to write instead, if it is known and refused."""
    prefix = {"cht": "CHT", "wq": "wq"}.get(name.partition(":")[0]) if ":" in name else None
    return (prefix, "", "") if prefix else REFUSED.get(name)
