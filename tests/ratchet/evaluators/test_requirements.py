from pathlib import Path
from typing import Any

import pytest

from ratchet.evaluators import derived_requirements, requirement
from ratchet.tasks import Task


def task(*criteria: dict[str, Any]) -> Task:
    return Task(name="t", folder=Path(), description="d", components=["t"], criteria=criteria)


@pytest.mark.parametrize(
    ("criterion", "sentence"),
    [
        ({"kind": "exact"}, "Answer with the bare answer only, nothing before or after it."),
        ({"kind": "contains"}, None),
        ({"kind": "contains", "values": ["a", "b"]}, 'The answer contains "a" or "b".'),
        ({"kind": "regex", "pattern": "^x"}, "The answer must match the regular expression ^x"),
        ({"kind": "regex", "pattern": "^x", "negate": True}, "The answer must not match the regular expression ^x"),
        ({"kind": "numeric"}, "End the answer with the resulting number."),
        (
            {"kind": "json_schema", "schema": {"properties": {"a": {}}}},
            'Answer with a JSON object only, with the keys "a".',
        ),
        ({"kind": "json_equal"}, "Answer with a JSON object only."),
        ({"kind": "max_words", "limit": 4}, "Answer in at most 4 words."),
        ({"kind": "python", "use": "m:f"}, None),
        ({"kind": "judge", "question": "Is it?"}, "The answer to this question must be yes: Is it?"),
        ({"kind": "contains", "requirement": "Say please."}, "Say please."),
    ],
)
def test_requirement_of_each_kind(criterion: dict[str, Any], sentence: str | None) -> None:
    assert requirement(task({"name": "a", **criterion}).criteria[0]) == sentence


@pytest.mark.parametrize("kind", ["json_schema", "json_equal"])
def test_requirement_names_the_keys_and_no_value(kind: str) -> None:
    schema = {"properties": {"city": {"const": "Paris"}, "year": {}}}
    keys = {"schema": schema} if kind == "json_schema" else {"keys": ["city", "year"]}
    assert requirement(task({"name": "a", "kind": kind, **keys}).criteria[0]) == (
        'Answer with a JSON object only, with the keys "city", "year".'
    )


def test_derived_requirements_are_those_of_what_failed_in_the_order_of_the_task() -> None:
    given = task(
        {"name": "short", "kind": "max_words", "limit": 4},
        {"name": "right", "kind": "contains"},
        {"name": "kind", "kind": "judge", "question": "Is it kind?"},
        {"name": "bare", "kind": "exact"},
    )
    assert derived_requirements(given, ["bare", "right", "short", "rule:1"]) == [
        "Answer in at most 4 words.",
        "Answer with the bare answer only, nothing before or after it.",
    ]
    assert derived_requirements(given, []) == []
