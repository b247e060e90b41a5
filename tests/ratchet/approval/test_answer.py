import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ratchet.approval import answer_schema, parse_answer
from ratchet.errors import AnswerError
from ratchet.prompting import ContextStep, TaskPrompt
from ratchet.records import Decision

CURRENT = TaskPrompt(prompt="New.", context=[ContextStep(source="handbook")])
HASH = "abc"
EDITED = CURRENT.model_copy(update={"prompt": "Edited."})


def parsed(answer: Any) -> Decision:
    return parse_answer(answer, CURRENT, HASH)


ACCEPTED: list[tuple[Any, Decision]] = [
    (True, Decision(type="approve")),
    (False, Decision(type="reject")),
    ({"type": "approve"}, Decision(type="approve")),
    (
        {"type": "approve", "reviewer": "ada", "reason": "good", "change_hash": HASH},
        Decision(type="approve", reviewer="ada", reason="good"),
    ),
    ({"type": "reject", "feedback": "shorter"}, Decision(type="reject", feedback="shorter")),
    ({"type": "edit", "prompt": "Edited."}, Decision(type="edit", prompt=EDITED)),
    ({"type": "edit", "prompt": {"prompt": "Edited."}}, Decision(type="edit", prompt=TaskPrompt(prompt="Edited."))),
    ({"decisions": [{"type": "approve"}]}, Decision(type="approve")),
    (
        {"decisions": [{"type": "reject", "message": "shorter"}], "reviewer": "ada"},
        Decision(type="reject", reviewer="ada", feedback="shorter"),
    ),
    (
        {"decisions": [{"type": "approve", "message": "good"}]},
        Decision(type="approve", reason="good"),
    ),
    (
        {
            "decisions": [
                {
                    "type": "edit",
                    "edited_action": {"name": "apply_change", "args": {"component": "c", "prompt": EDITED.as_json()}},
                }
            ]
        },
        Decision(type="edit", prompt=EDITED),
    ),
    (
        {"decisions": [{"type": "edit", "edited_action": {"name": "apply_change", "args": {"prompt": "Edited."}}}]},
        Decision(type="edit", prompt=EDITED),
    ),
]
REFUSED: list[tuple[Any, str]] = [
    (None, "None is no answer"),
    ("yes", "'yes' is no answer"),
    (1, "1 is no answer"),
    ([{"type": "approve"}], "is no answer"),
    ({}, "type"),
    ({"type": "ok"}, "'ok'"),
    ({"type": ["approve"]}, "approve"),
    ({"type": "approve", "colour": 1}, "unknown key approve.colour"),
    ({"type": "approve", "reviewer": ""}, "approve.reviewer"),
    ({"type": "approve", "reviewer": "x" * 500}, "approve.reviewer"),
    ({"type": "edit"}, "edit.prompt is missing"),
    ({"type": "edit", "prompt": 7}, "edit.prompt"),
    ({"type": "edit", "prompt": {"text": "x"}}, "edit.prompt"),
    ({"type": "edit", "prompt": ""}, "edit.prompt"),
    ({"type": "edit", "prompt": {"prompt": ""}}, "edit.prompt"),
    ({"type": "reject", "prompt": "x"}, "unknown key reject.prompt"),
    ({"decisions": []}, "'decisions' has to hold exactly one decision"),
    ({"decisions": [{"type": "approve"}] * 2}, "'decisions' has to hold exactly one decision"),
    ({"decisions": "approve"}, "'decisions' has to hold exactly one decision"),
    ({"decisions": [True]}, "'decisions' has to hold exactly one decision"),
    ({"decisions": [{"type": "edit", "edited_action": {"name": "x", "args": {}}}]}, "edit.prompt"),
]


@pytest.mark.parametrize(("answer", "decision"), ACCEPTED)
def test_parse_answer_accepts(answer: Any, decision: Decision) -> None:
    assert parsed(answer) == decision


@pytest.mark.parametrize(("answer", "problem"), REFUSED)
def test_parse_answer_refuses_with_the_reason_and_the_forms(answer: Any, problem: str) -> None:
    with pytest.raises(AnswerError) as caught:
        parsed(answer)
    message = str(caught.value)
    assert problem in message
    assert 'expected {"type": "approve" | "edit" | "reject", ...}, {"decisions": [...]}, or true / false' in message
    assert "\n" not in message


@pytest.mark.parametrize("answer", [{"type": "approve"}, {"type": "reject"}, {"type": "edit", "prompt": "x"}])
def test_parse_answer_refuses_another_changes_hash(answer: dict[str, Any]) -> None:
    with pytest.raises(AnswerError, match="the answer is for another change than the one that waits here"):
        parsed(answer | {"change_hash": "other"})


def test_answer_schema_is_a_schema_that_fits_what_is_accepted() -> None:
    schema = answer_schema()
    Draft202012Validator.check_schema(schema)
    for answer, _ in ACCEPTED:
        Draft202012Validator(schema).validate(answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "decisions", "prompt", "edited_action", "args", "message"]), children
        )
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(JSON)
def test_parse_answer_decides_or_refuses_whatever_comes(answer: Any) -> None:
    with contextlib.suppress(AnswerError):
        assert parsed(answer).type in ("approve", "edit", "reject")
