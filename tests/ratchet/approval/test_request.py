import json
from typing import Any

import pytest
from proposed import AFTER, BEFORE, lost, proposal, validation

from ratchet.approval import approval_request, diff, parse_answer
from ratchet.gate import measure
from ratchet.prompting import ContextStep, Example, TaskPrompt
from ratchet.records import CandidateResult, Diagnosis, Proposal, Repeats, Spent, Validation

DIAGNOSIS = Diagnosis(category="prompt", component="shop", failures=["F"], explanation="e")


def request(
    change: Proposal | None = None, found: Validation | None = None, problem: str | None = None
) -> dict[str, Any]:
    return approval_request(change or proposal(), found or validation(), DIAGNOSIS, Spent(calls=7), problem)


def summary(found: Validation) -> str:
    said: str = request(found=found)["review"]["summary"]
    return said


def test_diff_shows_text_context_and_examples() -> None:
    assert diff(BEFORE, AFTER) == (
        "--- before\n+++ after\n@@ -1,2 +1,6 @@\n Answer.\n+Be brief.\n Keep it.\n"
        "+[context] handbook: query '{input}', top 3\n+[example] user: i\n+[example] assistant: o"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "Answer.\nKeep it"},
        {"context": [ContextStep(source="handbook", top_k=5)]},
        {"context": [ContextStep(source="handbook", query="about {input}")]},
        {"examples": [Example(input="i", output="other")]},
        {"locked": ["Keep it."]},
    ],
)
def test_diff_shows_every_kind_of_change(change: dict[str, Any]) -> None:
    changed = [line for line in diff(AFTER, AFTER.model_copy(update=change)).splitlines()[3:] if line[0] != " "]

    assert changed


def test_diff_shows_the_whole_of_a_long_prompt_around_a_change() -> None:
    lines = [f"Line {number}." for number in range(90)]
    shown = diff(TaskPrompt(prompt="\n".join(lines)), TaskPrompt(prompt="\n".join([*lines[:45], "New.", *lines[45:]])))

    assert [f" {line}" for line in lines[:45]] == shown.splitlines()[3:48]
    assert "+New." in shown
    assert shown.endswith(" Line 89.")


def test_diff_of_the_same_prompts_is_empty() -> None:
    assert diff(AFTER, AFTER) == ""


def test_approval_request_has_the_form_of_the_agent_inbox() -> None:
    found = request(found=validation(losses=lost(1)))

    said = "shop/shop: states it. Held-out success 40% -> 80% (0 won, 1 lost of 10)."
    assert found["action_requests"] == [
        {"name": "apply_change", "args": {"component": "shop", "prompt": AFTER.as_json()}, "description": said}
    ]
    assert found["review_configs"] == [
        {"action_name": "apply_change", "allowed_decisions": ["approve", "edit", "reject"]}
    ]
    review = found["review"]
    assert (review["id"], review["summary"], review["spent"]["calls"]) == ("C-1", said, 7)
    assert review["validation"]["losses"][0]["case_id"] == "c0"
    assert "problem" not in found


def test_approval_request_is_json_with_all_that_a_reviewer_needs() -> None:
    tried = CandidateResult(strategy="rewrite", rationale="r", status="refused", reason="quotes a failed run")
    change = proposal(candidates=[tried])

    review = json.loads(json.dumps(request(change), allow_nan=False))["review"]

    assert review["candidates"] == [tried.model_dump()]
    assert Validation.model_validate(review["validation"]) == validation()
    assert Diagnosis.model_validate(review["diagnosis"]) == DIAGNOSIS
    assert TaskPrompt.model_validate(review["after"]) == AFTER
    assert TaskPrompt.model_validate(review["before"]) == BEFORE
    assert (review["base_version"], review["change_hash"]) == (1, change.change_hash)


@pytest.mark.parametrize("kind", ["approve", "edit", "reject"])
def test_every_decision_that_a_request_allows_is_understood(kind: str) -> None:
    found = request()
    (allowed,) = found["review_configs"]
    answer = {"type": kind} | ({"prompt": found["action_requests"][0]["args"]["prompt"]} if kind == "edit" else {})

    assert kind in allowed["allowed_decisions"]
    assert parse_answer({"decisions": [answer]}, AFTER, proposal().change_hash).type == kind


def test_first_characters_of_the_description_tell_what_is_changed_and_how_well_it_does() -> None:
    description = request(proposal(rationale="fetches the best 2 from 'handbook'"))["action_requests"][0]["description"]

    assert (
        description[:90]
        == ("shop/shop: fetches the best 2 from 'handbook'. Held-out success 40% -> 80% (0 won, 0 lost o"[:90])
    )
    assert "\n" not in description


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, "(0 won, 0 lost of 10)."),
        ({"wins": lost(5), "losses": lost(1)}, "(5 won, 1 lost of 10)."),
        ({"production": 3}, "(0 won, 0 lost of 10, 3 of these from production)."),
        (
            {"repeats": Repeats(count=1, why="as auto says")},
            "(0 won, 0 lost of 10; each case was run once, as auto says).",
        ),
        (
            {"repeats": Repeats(count=3, why="as 2 of 9 failures passed when repeated")},
            "(0 won, 0 lost of 10; each case was run 3 times, as 2 of 9 failures passed when repeated; "
            "it is won where its mean rises).",
        ),
        ({"before": measure(0, 0), "after": measure(0, 0)}, "0% -> 0% (0 won, 0 lost of 0)."),
    ],
)
def test_summary_says_on_what_the_numbers_rest(changes: dict[str, Any], end: str) -> None:
    assert summary(validation(**changes)).endswith(end)


@pytest.mark.parametrize("problem", [None, ""])
def test_approval_request_shows_no_problem_where_there_is_none(problem: str | None) -> None:
    assert "problem" not in request(problem=problem)


def test_approval_request_says_why_an_answer_was_not_accepted() -> None:
    assert request(problem="wrong form") == request() | {"problem": "wrong form"}
