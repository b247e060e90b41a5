import asyncio
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ratchet.config import patterns
from ratchet.config.schemas import check_schema, schema_problem
from ratchet.errors import EvaluationError

pytestmark = pytest.mark.anyio
PATTERNS = {
    "patternProperties": {"^x_": {"type": "integer"}},
    "properties": {"name": {"type": "string"}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        ({"pattern": "^a+$"}, "aa"),
        ({"pattern": "^a+$"}, "ab"),
        ({"pattern": "^a+$"}, 7),
        (PATTERNS, {"x_1": 1, "name": "n"}),
        (PATTERNS, {"x_1": "1"}),
        (PATTERNS, {"y_1": 1}),
        (PATTERNS, []),
        (PATTERNS | {"additionalProperties": {"type": "null"}}, {"y_1": None, "x_1": 1}),
        (PATTERNS | {"additionalProperties": {"type": "null"}}, {"y_1": 1}),
        ({"additionalProperties": False}, {"a": 1}),
        ({"properties": {"a": {"items": {"pattern": "b"}}}}, {"a": ["b", "c"]}),
        ({"$defs": {"b": {"pattern": "b"}}, "items": {"$ref": "#/$defs/b"}}, ["b", "c"]),
    ],
)
async def test_schema_problem_agrees_with_the_library(definition: dict[str, Any], value: Any) -> None:
    assert (await schema_problem(definition, value) is None) is Draft202012Validator(definition).is_valid(value)


async def test_schema_problem_says_what_does_not_fit() -> None:
    assert await schema_problem({"pattern": "^a+$"}, "ab") == "'ab' does not match '^a+$'"
    assert await schema_problem({"additionalProperties": False}, {"b": 1}) == (
        "Additional properties are not allowed ('b' was unexpected)"
    )


@pytest.mark.parametrize("definition", [{"pattern": r"^\p{Lu}"}, {"patternProperties": {r"^\p{Lu}": {}}}])
async def test_schema_takes_the_patterns_that_rules_take(definition: dict[str, Any]) -> None:
    assert check_schema(definition) == definition
    assert await schema_problem(definition, "Rome") is None


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({"type": "nonsense"}, "'nonsense' is not valid under any of the given schemas"),
        ({"pattern": "("}, r"'\(' is not a 'regex'"),
        ({"patternProperties": {"[": {}}}, r"'\[' is not a 'regex'"),
        ({"pattern": 7}, "7 is not of type 'string'"),
    ],
)
def test_schema_that_is_wrong_is_refused(definition: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^not a JSON Schema: {problem}"):
        check_schema(definition)


async def test_schema_with_a_reference_to_nothing_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="the schema has a reference to nothing"):
        await schema_problem({"$ref": "#/$defs/gone"}, 1)


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        ({"pattern": "(a|aa)+$"}, "a" * 60 + "!"),
        ({"patternProperties": {"(a|aa)+$": {}}}, {"a" * 60 + "!": 1}),
        ({"patternProperties": {"(a|aa)+$": {}}, "additionalProperties": False}, {"a" * 60 + "!": 1}),
    ],
)
async def test_schema_pattern_that_takes_too_long_is_an_error_and_the_loop_goes_on(
    definition: dict[str, Any], value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.3)
    problem = asyncio.create_task(schema_problem(definition, value))
    beats = 0
    while not problem.done():
        await asyncio.sleep(0.01)
        beats += 1
    with pytest.raises(EvaluationError, match="the pattern took longer"):
        await problem
    assert beats > 5
