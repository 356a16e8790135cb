"""When a question is asked, in words for paper: "la pregunta 3 es «Sí»"; and what an answer leaves out.

Only conditions that people can follow with a pen: answers compared with a value, and those joined by and, or, not. The
IR is described in forms/expressions/resolve.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collector.forms.model import IR, Choice, Form, Question

Say = Callable[..., str]
COMPARED = {"=", "!=", "<", "<=", ">", ">="}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Atom:
    """One comparison: the question, how it is compared, and with what. operator: one of COMPARED, or "selected"."""

    question: Question
    operator: str
    value: str


@dataclass(frozen=True)
class Reader:
    """Reads a form's conditions. label: what a choice says on paper; numbers: path of a question -> its number."""

    form: Form
    numbers: Mapping[str, int]
    label: Callable[[Choice], str]
    say: Say

    def words(self, ir: IR, row: str) -> str:
        """Return a condition of `row` (path of the repeat, "" for none) in words, "" for one that has none."""
        atom = self.atom(ir, row)
        if atom is not None:
            return self._words_of(atom)
        kind, parts = _joined(ir)
        found = [self.words(part, row) for part in parts]
        if not parts or not all(found):
            return ""
        if kind == "not":
            return self.say("no se cumple que {condition}", condition=found[0])
        same = self._one_question(parts, row) if kind == "or" else ""
        if same:
            return same
        joint = self.say(" y ") if kind == "and" else self.say(" o ")
        return joint.join(found)

    def atom(self, ir: IR, row: str) -> Atom | None:
        """Return the comparison that `ir` is, None when it is something else."""
        if ir[0] == "t":
            return self.atom(ir[1], row)
        if ir[0] == "f" and ir[1] == "selected" and ir[3][0] == "s":
            question = self._question(ir[2], row)
            return Atom(question, "selected", str(ir[3][1])) if question else None
        if ir[0] != "b" or ir[1] not in COMPARED or len(ir) != 4:
            return None
        operator, left, right = ir[1:]
        if left[0] in ("n", "s"):
            operator, left, right = TURNED.get(operator, operator), right, left
        question = self._question(left, row)
        return Atom(question, operator, str(right[1])) if question and right[0] in ("n", "s") else None

    def _question(self, ir: IR, row: str) -> Question | None:
        """Return the question that ["v", up, slot] reads, looked at from a row of `row`; one with a number on paper."""
        if ir[0] == "f" and ir[1] in ("number", "int") and len(ir) == 3:
            return self._question(ir[2], row)
        if ir[0] != "v":
            return None
        above = {repeat.path: repeat.row for repeat in self.form.repeats}
        for _ in range(ir[1]):
            row = above.get(row, "")
        found = (q for q in self.form.questions if q.slot == ir[2] and q.row == row and q.path in self.numbers)
        return next(found, None)

    def _words_of(self, atom: Atom) -> str:
        number, what = self.numbers[atom.question.path], self._value_words(atom)
        if atom.value == "" and atom.operator in ("=", "!="):
            empty = self.say("la pregunta {n} quedó en blanco", n=number)
            return empty if atom.operator == "=" else self.say("la pregunta {n} tiene respuesta", n=number)
        if atom.operator == "selected":
            return self.say("en la pregunta {n} se marcó «{value}»", n=number, value=what)
        sentence = {
            "=": self.say("la pregunta {n} es «{value}»", n=number, value=what),
            "!=": self.say("la pregunta {n} no es «{value}»", n=number, value=what),
            ">": self.say("la pregunta {n} es más de {value}", n=number, value=what),
            ">=": self.say("la pregunta {n} es {value} o más", n=number, value=what),
            "<": self.say("la pregunta {n} es menos de {value}", n=number, value=what),
            "<=": self.say("la pregunta {n} es {value} o menos", n=number, value=what),
        }
        return sentence[atom.operator]

    def _value_words(self, atom: Atom) -> str:
        choices = self.form.lists.get(atom.question.list_name, ())
        return next((self.label(choice) for choice in choices if choice.name == atom.value), atom.value)

    def _one_question(self, parts: list[IR], row: str) -> str:
        """Return "la pregunta 3 es «A» o «B»" where all of an `or` ask one question for a value, else ""."""
        atoms = [self.atom(part, row) for part in parts]
        found = [atom for atom in atoms if atom is not None and atom.operator in ("=", "selected") and atom.value]
        if len(found) != len(atoms) or len({(atom.question.path, atom.operator) for atom in found}) != 1:
            return ""
        values = self.say(" o ").join(f"«{self._value_words(atom)}»" for atom in found)
        number = self.numbers[found[0].question.path]
        if found[0].operator == "=":
            return self.say("la pregunta {n} es {values}", n=number, values=values)
        return self.say("en la pregunta {n} se marcó {values}", n=number, values=values)

    def leaves_out(self, ir: IR | None, question: Question, answer: str) -> bool:
        """Tell whether choosing `answer` in `question` alone already makes a condition false."""
        return ir is not None and self._truth(ir, question, answer) is False

    def _truth(self, ir: IR, question: Question, answer: str) -> bool | None:
        """Return a condition's truth as far as this one answer tells it."""
        atom = self.atom(ir, question.row)
        if atom is not None:
            if atom.question.path != question.path or atom.operator not in ("=", "!=", "selected"):
                return None
            return (answer == atom.value) != (atom.operator == "!=")
        kind, parts = _joined(ir)
        found = [self._truth(part, question, answer) for part in parts]
        if kind == "not":
            return None if found[0] is None else not found[0]
        decides = kind == "or"
        if not found or decides in found:
            return decides if found else None
        return None if None in found else not decides


def _joined(ir: IR) -> tuple[str, list[IR]]:
    """Return ("and" | "or" | "not", its parts) of a condition that joins others, ("", []) of anything else."""
    if ir[0] == "t":
        return _joined(ir[1])
    if ir[0] == "b" and ir[1] in ("and", "or"):
        return str(ir[1]), ir[2:]
    if ir[0] == "f" and ir[1] == "not":
        return "not", [ir[2]]
    return "", []
