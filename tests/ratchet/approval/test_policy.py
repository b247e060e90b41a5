from pathlib import Path
from typing import Any

import pytest
from proposed import LOST, proposal, validation

from ratchet.approval import ApprovalPolicy, load_policy
from ratchet.errors import ConfigurationError
from ratchet.gate import measure
from ratchet.prompting import TaskPrompt

POLICY = ApprovalPolicy(name="night", strategies=["requirements"], min_gain=0.2, max_lost_cases=1, max_prompt_chars=100)


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
