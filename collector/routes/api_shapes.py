"""The shapes that /api/v1/openapi.json describes. The routes write their answers themselves; a test compares both."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Texts = dict[str, str]  # language as the form names it -> text


class Shape(BaseModel):
    """A shape that holds what it says and nothing else."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """RFC 9457. Beside these members stand the values that the sentences speak of."""

    type: str = Field(examples=["urn:collector:problem:token_invalid"])
    code: str = Field(description="Stable; for programs.", examples=["token_invalid"])
    status: int = Field(examples=[401])
    title: str = Field(description="For people, in Spanish.")
    detail: str = Field(description="For people, in English.")


class WhoAmI(Shape):
    """What the token of the request may do."""

    name: str = Field(examples=["token informe"])
    scope: Literal["aggregates", "records", "identifiers"]
    forms: list[str] | None = Field(description="The only forms that it reads; null: all.")
    purpose: str = Field(description="What its maker said that the data is for; stands in the audit.")
    node: str = Field(description="Name of this node.")
    node_id: str


class VersionFacts(Shape):
    """One published version."""

    version: str = Field(examples=["2026112200"])
    sha256: str
    published: str = Field(description="ISO 8601, UTC.", examples=["2026-11-20T16:00:00.000Z"])


class FormFacts(Shape):
    """A form with its versions, newest first."""

    form_id: str = Field(examples=["barrio"])
    title: str = Field(examples=["Mi barrio"])
    versions: list[VersionFacts]


class FormList(Shape):
    """Every form that the token reads."""

    epoch: str = Field(description="Of the log: another one means that this node was restored from a copy.")
    forms: list[FormFacts]


class ChoiceFacts(Shape):
    """One choice of a question."""

    name: str
    label: Texts


class QuestionFacts(Shape):
    """One question across the versions of its form: a line of the codebook."""

    name: str = Field(description="Key with those of the repeats around it.", examples=["persona/edad"])
    key: str = Field(description="As in the answers of its row.", examples=["edad"])
    repeat: str = Field(description='The repeat that it stands in, "" for none.', examples=["persona"])
    type: str = Field(examples=["select_one"])
    sql_type: Literal["INTEGER", "REAL", "TEXT"]
    label: Texts
    choices: list[ChoiceFacts]
    versions: list[str] = Field(description="The versions that ask it, oldest first.")
    is_removed: bool = Field(description="The newest version does not ask it any more.")
    is_direct: bool = Field(description="It says who somebody is; only scope `identifiers` gets its answers.")


class Codebook(Shape):
    """What a form asks, in all its versions."""

    form_id: str
    title: str
    languages: list[str]
    questions: list[QuestionFacts]


class Entry(Shape):
    """A record with what this node knows of it."""

    n: int = Field(description="Number of its last change in the log.")
    first: int = Field(description="Number that it came with; below `n` when it changed since.")
    id: str
    kind: str = Field(examples=["submission", "edit"])
    form: str
    version: str
    received: str
    state: str = Field(description="usable, contested, replaced, no_consent or erased.", examples=["usable"])
    review: str = Field(description='received, has_issues, approved or rejected; "" for what nobody reviews.')
    via_origin: str = Field(description="The node where it was born.")
    hidden: Literal["", "identifiers", "all"] = Field(
        description='"identifiers": answers that say who somebody is were left out, for this token or by their term, '
        'so the bytes are not those of its sha256; "all": `record` is null because the token does not open it.'
    )
    record: dict[str, Any] | None = Field(description="As it was born; null once erased, and without consent.")


class RecordPage(Shape):
    """A page of the feed."""

    epoch: str
    next: int = Field(description="Everything up to this number of the log has been told.")
    cursor: str = Field(description="Give it back to read on. Opaque.")
    last: int = Field(description="Highest number of the log, for a progress bar.")
    forms: str = Field(description="Another text than before: forms were published since.")
    count: int = Field(description="How many records this page holds.")
    more: bool = Field(description="Ask again with `cursor`: more is waiting.")
    records: list[Entry]


class ValueCount(Shape):
    """How often one choice was taken. Null: hidden, because it would speak of too few people."""

    value: str
    label: Texts
    count: int | None
    share: float | None = Field(description="Of n, 0 to 1.")
    low: float | None = Field(description="Wilson interval of 95 %.")
    high: float | None
    is_opinion: bool = Field(description='False for "I don\'t know" and "I\'d rather not say": they are not in n.')


class NumberFacts(Shape):
    """Quartiles and mean of a question that asks a number."""

    low: float
    median: float
    high: float
    mean: float


class QuestionCount(Shape):
    """One question in numbers. n: who gave an opinion, or an answer that can be read; null: hidden."""

    name: str
    type: str
    label: Texts
    repeat: str = Field(description='Counted by row of this repeat; "" where n is people.')
    n: int | None
    values: list[ValueCount]
    numbers: NumberFacts | None


class FormCounts(Shape):
    """A form in numbers. Only usable records count."""

    form_id: str
    title: str
    records: int | None = Field(description="Null: fewer than k.")
    k: int = Field(description="Smallest group that is shown; 1: everything is.")
    upto: int = Field(description="Number of the log that it was counted at.")
    questions: list[QuestionCount]


class NodeFacts(Shape):
    """A node that sends here, or below one that does."""

    id: str
    name: str
    above: str = Field(description='The node that it sends to; "" for this one.')
    last_contact: str | None
    waiting: int | None = Field(description="Records that it has not sent yet, as it said last.")
    is_revoked: bool


class NodeList(Shape):
    """The nodes below this one."""

    nodes: list[NodeFacts]
