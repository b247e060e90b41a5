"""What a criterion in task.toml may say: one strict model per kind."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat, field_validator

from ratchet.config.files import StrictModel
from ratchet.config.objects import ObjectPath
from ratchet.config.patterns import Pattern
from ratchet.config.schemas import Schema
from ratchet.text import fold

MOST_JUDGE_REPEATS = 15
"""Asks of a judge for one verdict at most."""


def _refuse_invisible(text: str) -> str:
    if not fold(text):
        raise ValueError("holds nothing that is seen, and is part of every output")
    return text


Visible = Annotated[str, AfterValidator(_refuse_invisible)]


class CriterionBase(StrictModel):
    """Keys that all kinds share."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
    weight: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    required: bool = False
    """A run that fails a required criterion is a failure whatever its score."""
    requirement: str | None = None
    """What the criterion asks of the agent, in words a prompt can carry; derived from the other keys if left out."""


class Exact(CriterionBase):
    """The output is one of the expected strings."""

    kind: Literal["exact"]
    ignore_case: bool = True


class Contains(CriterionBase):
    """The output contains one of the expected strings, or one of `values`."""

    kind: Literal["contains"]
    values: Annotated[list[Visible], Field(min_length=1)] | None = None
    ignore_case: bool = True


class Regex(CriterionBase):
    """The output has a match of `pattern` (with `negate`: has none)."""

    kind: Literal["regex"]
    pattern: Annotated[Pattern, Field(min_length=1)]
    negate: bool = False


class Numeric(CriterionBase):
    """The last number in the output equals the expected one within `tolerance`."""

    kind: Literal["numeric"]
    tolerance: Annotated[FiniteFloat, Field(ge=0)] = 1e-6


class JsonSchema(CriterionBase):
    """The output is JSON that fits the JSON Schema (draft 2020-12)."""

    kind: Literal["json_schema"]
    definition: Annotated[Schema, Field(alias="schema")]
    fence: bool = False
    """A code fence around the whole output is left out of account."""


class JsonEqual(CriterionBase):
    """The output is JSON equal to the expected object; with `keys`, equal in these keys."""

    kind: Literal["json_equal"]
    keys: Annotated[list[str], Field(min_length=1)] | None = None
    fence: bool = False
    """A code fence around the whole output is left out of account."""


class MaxWords(CriterionBase):
    """The output has at most `limit` words."""

    kind: Literal["max_words"]
    limit: Annotated[int, Field(ge=1)]


class Python(CriterionBase):
    """A function ``(inputs, outputs, reference_outputs) -> {"key", "score", "comment"}`` as openevals has them."""

    kind: Literal["python"]
    use: ObjectPath
    """``module:function``."""
    pass_score: FiniteFloat = 0.5
    """Smallest numeric score that passes."""
    graded: bool = False
    """Whether the score, from 0 to 1, is kept: the race and the gate then compare scores, not only passes."""


class Judge(CriterionBase):
    """A separate model answers one yes/no question about the output."""

    kind: Literal["judge"]
    question: Annotated[str, Field(min_length=3)]
    repeats: Annotated[int, Field(ge=1, le=MOST_JUDGE_REPEATS)] = 1
    """Independent asks of which the majority decides; odd, so that it can."""

    @field_validator("repeats")
    @classmethod
    def _is_odd(cls, repeats: int) -> int:
        if repeats % 2 == 0:
            raise ValueError("has to be odd, so that a majority can decide")
        return repeats


Criterion = Annotated[
    Exact | Contains | Regex | Numeric | JsonSchema | JsonEqual | MaxWords | Python | Judge, Field(discriminator="kind")
]
