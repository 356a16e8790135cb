"""A form of 300 questions and 200 expressions, for what is measured."""

from collections.abc import Iterator

QUESTIONS = 300
HEAD = (
    '<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" '
    'xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Grande</h:title><model>'
)


def binds() -> Iterator[str]:
    """Give 100 relevances, 60 constraints and 40 calculates: what a long household survey is made of."""
    for number in range(QUESTIONS):
        logic = ""
        if number % 3 == 1:
            logic = f'relevant="/data/q{number - 1} = 1 or selected(/data/q{number - 1}, 2)"'
        elif number % 5 == 2:
            logic = 'constraint=". &gt;= 0 and . &lt; 1000"'
        elif number % 15 == 5:
            logic = f'calculate="/data/q{number - 5} * 2 + coalesce(/data/q{number - 1}, 0)"'
        elif number % 15 == 8:
            logic = f"calculate=\"if(/data/q{number - 8} &gt; 5, 'alto', 'bajo')\""
        yield f'<bind nodeset="/data/q{number}" type="{"string" if number % 15 == 8 else "int"}" {logic}/>'


def big_xform(repeat: str = "") -> str:
    """Write the form. repeat: a repeat to put in, so that the page needs rows.js."""
    nodes = "".join(f"<q{number}/>" for number in range(QUESTIONS))
    rows = f'<{repeat} jr:template=""><x/></{repeat}>' if repeat else ""
    asked = "".join(
        f'<input ref="/data/q{number}"><label>Pregunta {number}</label></input>' for number in range(QUESTIONS)
    )
    more = f'<repeat nodeset="/data/{repeat}"><input ref="/data/{repeat}/x"/></repeat>' if repeat else ""
    return (
        f'{HEAD}<instance><data id="grande" version="1">{nodes}{rows}</data></instance>{"".join(binds())}'
        f"</model></h:head><h:body>{asked}{more}</h:body></h:html>"
    )
