"""What a form says in each of its languages, and what is missing. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from collector.forms.model import Form, Text
from collector.lab.words import named

# in the order of the page
KINDS = ("label", "hint", "guidance", "choice", "constraint", "required", "group")


@dataclass(frozen=True)
class Said:
    """A text of the form. kind: one of KINDS; where: the question or choice; text: by language."""

    kind: str
    where: str
    text: Text


@dataclass(frozen=True)
class Missing:
    """A text that a language lacks. shown: what people get instead, in the first language that has it."""

    kind: str
    where: str
    shown: str


@dataclass(frozen=True)
class Tongue:
    """One language of a form. counts: kind -> (how many are there, how many the form has); missing: the others."""

    name: str
    counts: dict[str, tuple[int, int]]
    missing: tuple[Missing, ...]

    @property
    def total(self) -> int:
        """Return how many texts the form has."""
        return sum(total for _, total in self.counts.values())

    @property
    def there(self) -> int:
        """Return how many of them this language has."""
        return sum(there for there, _ in self.counts.values())


def texts_of(form: Form) -> Iterator[Said]:
    """Give every text that people meet, in the order of the form; the choices of a list once."""
    seen: set[str] = set()
    for group in form.groups:
        yield Said("group", group.path.rpartition("/")[2], group.label)
    for question in form.questions:
        yield Said("label", question.key, question.label)
        yield Said("hint", question.key, question.hint)
        yield Said("guidance", question.key, question.guidance)
        yield Said("constraint", question.key, question.constraint_message)
        yield Said("required", question.key, question.required_message)
        if question.list_name and question.list_name not in seen:
            seen.add(question.list_name)
            for choice in form.lists.get(question.list_name, ()):
                yield Said("choice", f"{question.list_name}: {choice.name}", choice.label)


def tongues_of(form: Form) -> list[Tongue]:
    """Return each language of the form with what it lacks; a form of one, unnamed language lacks nothing."""
    said = [each for each in texts_of(form) if any(each.text.values())]
    return [_tongue(name, said, form) for name in form.languages or ("",)]


def _tongue(name: str, said: list[Said], form: Form) -> Tongue:
    counts = dict.fromkeys(KINDS, (0, 0))
    missing: list[Missing] = []
    for each in said:
        is_there = bool(each.text.get(name))
        there, total = counts[each.kind]
        counts[each.kind] = (there + is_there, total + 1)
        if not is_there:
            shown = next(text for text in each.text.values() if text)
            missing.append(Missing(each.kind, each.where, named(shown, form)))
    return Tongue(name, {kind: count for kind, count in counts.items() if count[1]}, tuple(missing))
