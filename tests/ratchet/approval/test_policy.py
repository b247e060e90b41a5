import json
from pathlib import Path
from typing import Any

import pytest
from proposed import lost, proposal, validation

from ratchet.approval import ApprovalPolicy, load_policy
from ratchet.errors import ConfigurationError
from ratchet.gate import measure, no_proof
from ratchet.prompting import TaskPrompt

POLICY = ApprovalPolicy(name="night", strategies=["requirements"], min_gain=0.2, max_lost_cases=1, max_prompt_chars=100)
LINES = {
    "name": '"night"',
    "strategies": '["requirements"]',
    "min_gain": "0.2",
    "max_lost_cases": "1",
    "max_prompt_chars": "100",
}


def written(folder: Path, **changes: str | None) -> Path:
    """A policy file with some values changed, and without those that are None."""
    file = folder / "policy.toml"
    lines = (f"{key} = {value}\n" for key, value in (LINES | changes).items() if value is not None)
    file.write_text("".join(lines), encoding="utf-8")
    return file


def test_policy_approves_with_its_reason() -> None:
    decision = POLICY.decide(proposal(), validation(losses=lost(1)))

    assert decision is not None
    assert (decision.type, decision.reviewer) == ("approve", "policy:night")
    assert decision.reason == "policy 'night': proven, gain 40% >= 20%, 1 case lost <= 1"


@pytest.mark.parametrize("strategy", ["merge", "merge + retrieval", "merge + retrieval + requirements"])
def test_policy_approves_what_only_listed_strategies_had_a_part_in(strategy: str) -> None:
    policy = POLICY.model_copy(update={"strategies": ["merge", "requirements", "retrieval"]})

    assert policy.objections(proposal(strategy=strategy), validation()) == []


@pytest.mark.parametrize(
    ("changed", "found", "objection"),
    [
        ({}, {"proven": False}, "the gate did not prove the change"),
        ({"strategy": "rewrite"}, {}, "strategy 'rewrite' is not listed"),
        ({"strategy": "requirements + rewrite"}, {}, "strategy 'requirements + rewrite' is not listed"),
        ({"strategy": "require"}, {}, "strategy 'require' is not listed"),
        ({"strategy": ""}, {}, "strategy '' is not listed"),
        ({}, {"after": measure(5, 10)}, "gain 10% is below 20%"),
        ({}, {"after": measure(3, 10)}, "gain -10% is below 20%"),
        ({}, {"losses": lost(2)}, "2 cases lost"),
        ({"after": TaskPrompt(prompt="x" * 101)}, {}, "the prompt is too long"),
    ],
)
def test_policy_leaves_it_to_a_person(changed: dict[str, Any], found: dict[str, Any], objection: str) -> None:
    assert POLICY.objections(proposal(**changed), validation(**found)) == [objection]
    assert POLICY.decide(proposal(**changed), validation(**found)) is None


def test_policy_says_every_objection_at_once() -> None:
    found = validation(proven=False, after=measure(4, 10), losses=lost(3))

    objections = POLICY.objections(proposal(strategy="rewrite", after=TaskPrompt(prompt="x" * 200)), found)

    assert len(objections) == 5


def test_policy_approves_what_is_just_good_enough() -> None:
    change = proposal(after=TaskPrompt(prompt="x" * 100))

    assert POLICY.objections(change, validation(after=measure(6, 10), losses=lost(1))) == []


@pytest.mark.parametrize("cases", [5, 10, 20, 30, 50, 100])
def test_gain_that_is_just_enough_is_enough_for_any_number_of_cases(cases: int) -> None:
    gain = cases // 5

    for passed in range(cases - gain + 1):
        found = validation(before=measure(passed, cases), after=measure(passed + gain, cases))
        assert POLICY.objections(proposal(), found) == []


def test_policy_without_strategies_approves_nothing() -> None:
    policy = POLICY.model_copy(update={"strategies": []})

    assert policy.decide(proposal(), validation()) is None


def test_policy_that_asks_for_no_gain_still_asks_for_a_proof() -> None:
    lax = POLICY.model_copy(update={"min_gain": 0.0, "max_lost_cases": 10_000, "max_prompt_chars": 10_000})

    assert lax.objections(proposal(), no_proof("too few cases", triggering=1)) == ["the gate did not prove the change"]


def test_load_policy_reads_what_is_audited(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path))

    assert policy == POLICY
    assert ApprovalPolicy.model_validate(json.loads(json.dumps(policy.as_json()))) == POLICY


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "1"}, "unknown key colour"),
        ({"name": None}, "name is missing"),
        ({"strategies": None}, "strategies is missing"),
        ({"max_lost_cases": None}, "max_lost_cases is missing"),
        ({"strategies": '"requirements"'}, "strategies: Input should be a valid list (got 'requirements')"),
        ({"min_gain": "20"}, "min_gain: Input should be less than or equal to 1 (got 20)"),
        ({"min_gain": "-0.1"}, "min_gain: Input should be greater than or equal to 0"),
        ({"min_gain": "nan"}, "min_gain"),
        ({"max_lost_cases": "-1"}, "max_lost_cases: Input should be greater than or equal to 0"),
        ({"max_lost_cases": "1.5"}, "max_lost_cases"),
        ({"max_prompt_chars": "0"}, "max_prompt_chars: Input should be greater than or equal to 1"),
        ({"name": "night"}, "not TOML"),
    ],
)
def test_load_policy_names_the_file_and_the_key(tmp_path: Path, changes: dict[str, str | None], said: str) -> None:
    file = written(tmp_path, **changes)
    with pytest.raises(ConfigurationError) as caught:
        load_policy(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_load_policy_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"policy\.toml: no such file"):
        load_policy(tmp_path / "policy.toml")
