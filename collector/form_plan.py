"""What the lab plans with a form: whom it goes to, how often answers are expected, when it closed, what is public.

A plain thing, so that queries, the lab and the sync may all hold it. It stands in the table form_plan: `closed_ms` and
`frequency_days` in columns of their own, the rest as JSON. What is not of the expected kind counts as not there: a plan
that an older or newer release wrote must not stop a form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MOST_DAYS = 3660


@dataclass(frozen=True)
class Quota:
    """How many answers are wanted with `value` as the answer to `question` (its full key: "grupo/sexo")."""

    question: str
    value: str
    target: int


@dataclass(frozen=True)
class Plan:
    """The plan of one form.

    closed_ms: since when it takes no new answers, 0 while it does. frequency_days: how often a municipality is expected
    to send, 0 for never. nodes, municipalities: whom it goes to; both empty: everybody. expected: municipality code ->
    answers a period. is_public, public: whether there is a public page, and the keys of the questions on it.
    is_from_above: the upstream decides closing and assignment; is_offered: whether this node offers it (False: it was
    held here and now goes to others).
    """

    closed_ms: int = 0
    frequency_days: int = 0
    nodes: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()
    quotas: tuple[Quota, ...] = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    is_public: bool = False
    public: tuple[str, ...] = ()
    is_from_above: bool = False
    is_offered: bool = True

    @property
    def is_closed(self) -> bool:
        """Tell whether the form takes no new answers anywhere."""
        return self.closed_ms > 0

    @property
    def is_assigned(self) -> bool:
        """Tell whether the form goes to some nodes only."""
        return bool(self.nodes or self.municipalities)

    @property
    def takes_answers(self) -> bool:
        """Tell whether this node opens the form to somebody who wants to answer now."""
        return self.is_offered and not self.is_closed

    def goes_to(self, node_id: str, municipality: str) -> bool:
        """Tell whether the form is for this node. municipality: code of the place it works in, "" for none."""
        return not self.is_assigned or node_id in self.nodes or (municipality != "" and self.is_for(municipality))

    def is_for(self, municipality: str) -> bool:
        """Tell whether a place is among those assigned: itself, or the province that it lies in."""
        return any(municipality.startswith(code) for code in self.municipalities)

    def closed_at(self, closed_ms: int) -> "Plan":
        """Return this plan closed since then, open again with 0."""
        return replace(self, closed_ms=closed_ms)

    def decided_by(self, above: "Plan") -> "Plan":
        """Return this plan with what the upstream decides in place of its own: closing and assignment."""
        return replace(
            self,
            closed_ms=above.closed_ms,
            nodes=above.nodes,
            municipalities=above.municipalities,
            is_offered=above.is_offered,
            is_from_above=above.is_from_above,
        )


def plan_from(content: Mapping[str, Any], closed_ms: int = 0, frequency_days: int = 0) -> Plan:
    """Read what stands in form_plan.plan."""
    public = _object(content.get("public"))
    return Plan(
        closed_ms=closed_ms,
        frequency_days=frequency_days,
        nodes=texts_in(content.get("nodes")),
        municipalities=texts_in(content.get("municipalities")),
        quotas=tuple(quota for each in _list(content.get("quotas")) if (quota := _quota(_object(each)))),
        expected={code: n for code, n in _object(content.get("expected")).items() if is_count(n)},
        is_public=public.get("is_on") is True,
        public=texts_in(public.get("questions")),
        is_from_above=content.get("from_above") is True,
        is_offered=content.get("offered") is not False,
    )


def plan_content(plan: Plan) -> dict[str, Any]:
    """Return what stands in form_plan.plan: keys that say nothing are left out, so an empty plan is `{}`."""
    content: dict[str, Any] = {
        "nodes": sorted(plan.nodes),
        "municipalities": sorted(plan.municipalities),
        "quotas": [{"question": q.question, "value": q.value, "target": q.target} for q in plan.quotas],
        "expected": dict(sorted(plan.expected.items())),
        "from_above": plan.is_from_above,
    }
    if plan.is_public or plan.public:
        content["public"] = {"is_on": plan.is_public, "questions": list(plan.public)}
    if not plan.is_offered:
        content["offered"] = False
    return {key: value for key, value in content.items() if value or key == "offered"}


def texts_in(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, each once; what is no list has none."""
    return tuple(dict.fromkeys(each for each in _list(value) if isinstance(each, str) and each))


def is_count(value: Any) -> bool:
    """Tell whether a value is a number of answers."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _quota(found: Mapping[str, Any]) -> Quota | None:
    question, value, target = (found.get(key) for key in ("question", "value", "target"))
    if not (isinstance(question, str) and isinstance(value, str) and isinstance(target, int) and is_count(target)):
        return None
    return Quota(question, value, target)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
