"""Every error of resolving: what is wrong, in English and Spanish, and what to write instead."""

import difflib
from collections.abc import Iterable, Sequence

from collector.forms.expressions.catalogue import FUNCTIONS, Signature, refusal
from collector.forms.expressions.errors import ExpressionError
from collector.forms.expressions.shape import Shape

# The parent of the document: no form has it, an arbitrary XML may declare it as absent.
OUTSIDE = "/.."


def near(name: str, known: Iterable[str]) -> tuple[str, str]:
    """Return the hint that names the nearest of `known`, in English and Spanish; empty for none near."""
    found = difflib.get_close_matches(name, list(known), 1)
    return (f"Did you mean {found[0]}?", f"¿Quiso decir {found[0]}?") if found else ("", "")


def many_values(position: int) -> ExpressionError:
    """Refuse a path with a value for each row where one is needed."""
    return ExpressionError(
        "This path has a value for each row of a repeat, and one value is needed here.",
        "Esta ruta tiene un valor por cada fila de una repetición y aquí hace falta uno solo.",
        position,
        hint="Use indexed-repeat(question, repeat, number), or sum(), join(), count().",
        hint_es="Use indexed-repeat(pregunta, repetición, número), o sum(), join(), count().",
    )


def unknown_path(path: str, position: int, shape: Shape) -> ExpressionError:
    """Refuse a path that no question has, naming the nearest one that exists."""
    by_name = {known.rpartition("/")[2]: known for known in shape.slots}
    found = difflib.get_close_matches(path.rpartition("/")[2], by_name, 1)
    return ExpressionError(
        f"The form has no question {path}.",
        f"El formulario no tiene la pregunta {path}.",
        position,
        hint=f"Did you mean {by_name[found[0]]}?" if found else "",
        hint_es=f"¿Quiso decir {by_name[found[0]]}?" if found else "",
        path=path,
    )


def out_of_form(position: int) -> ExpressionError:
    """Refuse `..` above the document."""
    return ExpressionError("This .. leads out of the form.", "Este .. sale del formulario.", position, path=OUTSIDE)


def unknown_function(name: str, position: int) -> ExpressionError:
    """Refuse a function that is not offered, with what to write instead."""
    known = refusal(name)
    if known:
        return ExpressionError(
            f"The function {name}() of {known[0]} is not supported.",
            f"La función {name}() de {known[0]} no se admite.",
            position,
            hint=known[1],
            hint_es=known[2],
        )
    hint, hint_es = near(name, FUNCTIONS)
    return ExpressionError(
        f"There is no function {name}().", f"No existe la función {name}().", position, hint=hint, hint_es=hint_es
    )


def wrong_count(name: str, count: int, signature: Signature, position: int) -> ExpressionError:
    """Refuse too few or too many arguments."""
    few = count < signature.least
    wanted = signature.least if few else signature.most
    return ExpressionError(
        f"{name}() has {count} arguments; it needs at {'least' if few else 'most'} {wanted}.",
        f"{name}() tiene {count} argumentos; necesita {'al menos' if few else 'como máximo'} {wanted}.",
        position,
    )


def not_a_nodeset(name: str, position: int) -> ExpressionError:
    """Refuse count(5) and its like."""
    return ExpressionError(
        f"{name}() needs a question or a repeat, not a value.",
        f"{name}() necesita una pregunta o una repetición, no un valor.",
        position,
    )


def not_a_literal(name: str, what: str, what_es: str, position: int) -> ExpressionError:
    """Refuse a computed text where one must be written out."""
    return ExpressionError(
        f"{name}() needs {what} as literal text.", f"{name}() necesita {what_es} como texto literal.", position
    )


def not_a_path(name: str, position: int, example: str) -> ExpressionError:
    """Refuse a value where the path of a node is needed."""
    return ExpressionError(
        f"{name}() needs a path such as {example}.", f"{name}() necesita una ruta como {example}.", position
    )


def not_a_row_around(position: int) -> ExpressionError:
    """Refuse position(path) of a row elsewhere."""
    return ExpressionError(
        "position() is only for the rows around this question.",
        "position() sirve solo para las filas que rodean a esta pregunta.",
        position,
        hint="Write position(..).",
        hint_es="Escriba position(..).",
    )


def choice_name_unquoted(position: int) -> ExpressionError:
    """Refuse jr:choice-name(a, b) whose second argument is no quoted question."""
    return ExpressionError(
        "jr:choice-name() needs its question in quotes.",
        "jr:choice-name() necesita la pregunta entre comillas.",
        position,
        hint="Write jr:choice-name(${question}, '${question}').",
        hint_es="Escriba jr:choice-name(${pregunta}, '${pregunta}').",
    )


def not_a_date(text: str, position: int) -> ExpressionError:
    """Refuse a literal that is no date."""
    return ExpressionError(f"'{text}' is not a date (YYYY-MM-DD).", f"'{text}' no es una fecha (AAAA-MM-DD).", position)


def truth_is_no_date(position: int) -> ExpressionError:
    """Refuse date(1 = 1)."""
    return ExpressionError("True or false is not a date.", "Verdadero o falso no es una fecha.", position)


def no_shape(position: int) -> ExpressionError:
    """Refuse geofence(point, '')."""
    return ExpressionError(
        "geofence() needs a shape of at least three points.",
        "geofence() necesita una figura de al menos tres puntos.",
        position,
    )


def not_one_of(name: str, given: str, known: Iterable[str], position: int) -> ExpressionError:
    """Refuse a literal that a function does not know."""
    names = ", ".join(known)
    return ExpressionError(
        f"{name}() does not know '{given}'; it knows: {names}.",
        f"{name}() no conoce '{given}'; conoce: {names}.",
        position,
    )


def index_missing(repeat: str, position: int) -> ExpressionError:
    """Refuse indexed-repeat() without a number for a repeat on the way."""
    return ExpressionError(
        f"indexed-repeat() needs a number for {repeat} too.",
        f"indexed-repeat() necesita también un número para {repeat}.",
        position,
    )


def not_a_repeat_around(repeat: str, question: str, position: int) -> ExpressionError:
    """Refuse indexed-repeat() with a repeat that does not hold the question."""
    return ExpressionError(
        f"{repeat} is not a repeat around {question}.",
        f"{repeat} no es una repetición que contenga {question}.",
        position,
    )


def instance_path(name: str, position: int) -> ExpressionError:
    """Refuse instance('x') without its path to the items."""
    example = f"instance('{name}')/root/item[…]/name"
    return ExpressionError(
        f"instance('{name}') needs a path such as {example}.",
        f"instance('{name}') necesita una ruta como {example}.",
        position,
    )


def misplaced_filter(position: int) -> ExpressionError:
    """Refuse a predicate elsewhere than on the items of a list."""
    return ExpressionError(
        "Only the items of a list can be filtered.",
        "Solo se pueden filtrar los elementos de una lista.",
        position,
        hint="Put the [ ] after item.",
        hint_es="Ponga los [ ] después de item.",
    )


def not_a_column(position: int) -> ExpressionError:
    """Refuse `.` and `..` inside the predicate of a list."""
    return ExpressionError(
        "Inside the [ ] of a list, name a column of it.",
        "Dentro de los [ ] de una lista, nombre una de sus columnas.",
        position,
        hint="For a question write current()/../question or its whole path.",
        hint_es="Para una pregunta escriba current()/../pregunta o su ruta completa.",
    )


def check_columns(name: str, columns: Sequence[str], shape: Shape, position: int) -> None:
    """Refuse a list, or columns of a list, that the form does not have; unknown columns are only known if listed."""
    known = shape.instances.get(name)
    if known is None:
        hint, hint_es = near(name, shape.instances)
        raise ExpressionError(
            f"The form has no list '{name}'.",
            f"El formulario no tiene la lista '{name}'.",
            position,
            hint=hint,
            hint_es=hint_es,
        )
    missing = [column for column in columns if known and column not in known]
    if missing:
        raise ExpressionError(
            f"The list '{name}' has no column {missing[0]}; it has: {', '.join(known)}.",
            f"La lista '{name}' no tiene la columna {missing[0]}; tiene: {', '.join(known)}.",
            position,
        )
