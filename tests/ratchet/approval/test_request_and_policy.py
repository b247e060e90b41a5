from pathlib import Path
from typing import Any

import pytest

from ratchet.approval import ApprovalPolicy, approval_request, diff, load_policy
from ratchet.errors import ConfigurationError
from ratchet.gate import measure, no_proof
from ratchet.prompting import ContextStep, Example, TaskPrompt
from ratchet.records import CaseDifference, Diagnosis, Proposal, Repeats, Spent, Validation

BEFORE = TaskPrompt(prompt="Answer.\nKeep it.")
AFTER = TaskPrompt(
    prompt="Answer.\nBe brief.\nKeep it.",
    context=[ContextStep(source="handbook")],
    examples=[Example(input="i", output="o")],
)
POLICY = ApprovalPolicy(name="night", strategies=["requirements"], min_gain=0.2, max_lost_cases=1, max_prompt_chars=100)
LOST = CaseDifference(case_id="c", input="i", expected="e", before="b", after="a")


def proposal(**more: Any) -> Proposal:
    values = {
        "id": "C-1-P1", "cycle_id": "C-1", "task": "shop", "component": "shop", "strategy": "requirements",
        "rationale": "states it", "before": BEFORE, "after": AFTER, "base_version": 1, "change_hash": "abc",
    }  # fmt: skip
    return Proposal(**(values | more))


def validation(**more: Any) -> Validation:
    proven = {"verdict": "better", "proven": True, "vetoes": [], "before": measure(4, 10), "after": measure(8, 10)}
    return no_proof("-", triggering=1).model_copy(update=proven | more)


def test_diff_shows_text_context_and_examples() -> None:
    assert diff(BEFORE, AFTER) == (
        "--- before\n+++ after\n@@ -1,2 +1,6 @@\n Answer.\n+Be brief.\n Keep it.\n"
        "+[context] handbook: query '{input}', top 3\n+[example] user: i\n+[example] assistant: o"
    )


def test_approval_request_has_the_form_of_the_agent_inbox() -> None:
    diagnosis = Diagnosis(category="prompt", component="shop", failures=["F"], explanation="e")
    request = approval_request(proposal(), validation(losses=[LOST]), diagnosis, Spent(calls=7), None)
    summary = "shop/shop: states it. Held-out success 40% -> 80% (0 won, 1 lost of 10)."
    assert request["action_requests"] == [
        {"name": "apply_change", "args": {"component": "shop", "prompt": AFTER.as_json()}, "description": summary}
    ]
    assert request["review_configs"] == [
        {"action_name": "apply_change", "allowed_decisions": ["approve", "edit", "reject"]}
    ]
    review = request["review"]
    assert (review["id"], review["change_hash"], review["spent"]["calls"]) == ("C-1", "abc", 7)
    assert review["validation"]["losses"][0]["case_id"] == "c"
    assert "problem" not in request


def test_approval_request_says_how_often_each_case_was_run() -> None:
    diagnosis = Diagnosis(category="prompt", component="shop", failures=["F"], explanation="e")
    often = Repeats(count=3, why="as 2 of 9 failures passed when repeated")
    summary = approval_request(proposal(), validation(repeats=often), diagnosis, Spent(), None)["review"]["summary"]
    assert summary.endswith(
        "(0 won, 0 lost of 10; each case was run 3 times, as 2 of 9 failures passed when repeated; "
        "it is won where its mean rises)."
    )


def test_approval_request_says_why_an_answer_was_not_accepted() -> None:
    diagnosis = Diagnosis(category="prompt", component="shop", failures=["F"], explanation="e")
    assert approval_request(proposal(), validation(), diagnosis, Spent(), "wrong form")["problem"] == "wrong form"


def test_policy_approves_with_its_reason() -> None:
    decision = POLICY.decide(proposal(), validation(losses=[LOST]))
    assert decision is not None
    assert (decision.type, decision.reviewer) == ("approve", "policy:night")
    assert decision.reason == "policy 'night': proven, gain 40% >= 20%, 1 case lost <= 1"


def test_policy_approves_what_only_listed_strategies_had_a_part_in() -> None:
    policy = POLICY.model_copy(update={"strategies": ["merge", "requirements", "retrieval"]})
    assert policy.objections(proposal(strategy="merge + retrieval + requirements"), validation()) == []


@pytest.mark.parametrize(
    ("changed", "found", "objection"),
    [
        ({}, {"proven": False}, "the gate did not prove the change"),
        ({"strategy": "rewrite"}, {}, "strategy 'rewrite' is not listed"),
        ({"strategy": "requirements + rewrite"}, {}, "strategy 'requirements + rewrite' is not listed"),
        ({}, {"after": measure(5, 10)}, "gain 10% is below 20%"),
        ({}, {"losses": [LOST, LOST]}, "2 cases lost"),
        ({"after": TaskPrompt(prompt="x" * 101)}, {}, "the prompt is too long"),
    ],
)
def test_policy_leaves_it_to_a_person(changed: dict[str, Any], found: dict[str, Any], objection: str) -> None:
    assert POLICY.objections(proposal(**changed), validation(**found)) == [objection]
    assert POLICY.decide(proposal(**changed), validation(**found)) is None


def test_load_policy_is_strict(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    lines = (
        'name = "night"\nstrategies = ["requirements"]\nmin_gain = 0.2\nmax_lost_cases = 1\nmax_prompt_chars = 100\n'
    )
    file.write_text(lines)
    assert load_policy(file) == POLICY
    file.write_text(lines + "colour = 1\n")
    with pytest.raises(ConfigurationError, match=r"policy\.toml: unknown key colour"):
        load_policy(file)
