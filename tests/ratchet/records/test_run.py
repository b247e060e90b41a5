from typing import Any

import pytest

from ratchet.records import (
    AgentRun,
    CriterionResult,
    Evaluation,
    FailureBundle,
    Outcome,
    Spent,
    Step,
    describe_failures,
)


def result(name: str, outcome: Outcome) -> CriterionResult:
    passed = {"passed": True, "failed": False}.get(outcome)
    return CriterionResult(name=name, outcome=outcome, passed=passed, score=None)


def step(**more: Any) -> Step:
    return Step(**({"kind": "model", "component": "shop", "input": "i", "output": "o"} | more))


def failure(text: str = "in", output: str = "out", *problems: str) -> FailureBundle:
    evaluation = Evaluation(criteria=[], score=0.0, passed=False, problems=list(problems))
    return FailureBundle(
        id="F", run_id="R", task="shop", component="shop", input=text, output=output, expected=None,
        evaluation=evaluation, prompts={}, version=1, rules_hash="h", model="m", trace=[], source="s",
        thread_id=None, created_at="now",
    )  # fmt: skip


def test_only_criteria_that_were_decided_have_failed() -> None:
    results = [result(outcome, outcome) for outcome in ("passed", "failed", "error", "skipped")]
    evaluation = Evaluation(criteria=results, score=None, passed=False, problems=[])

    assert evaluation.failed == ["failed"]


def test_result_of_a_criterion_is_found_by_its_name() -> None:
    evaluation = Evaluation(
        criteria=[result("a", "passed"), result("b", "error")], score=None, passed=None, problems=[]
    )

    assert evaluation.of("b") == result("b", "error")
    assert evaluation.of("c") is None


def test_tokens_of_a_run_are_those_of_all_its_steps() -> None:
    trace = [step(kind="retrieval"), step(input_tokens=30, output_tokens=4), step(input_tokens=5, output_tokens=1)]

    assert AgentRun(output="o", trace=trace).tokens == 40
    assert AgentRun(output="o", trace=[]).tokens == 0


def test_seconds_of_the_steps_leave_out_the_waiting() -> None:
    trace = [step(kind="retrieval", seconds=0.25), step(seconds=1.5)]

    assert AgentRun(output="o", trace=trace, seconds=99.0).step_seconds == 1.75
    assert AgentRun(output="o", trace=[]).step_seconds == 0


def test_run_with_a_reused_reply_has_no_seconds_of_its_own() -> None:
    assert AgentRun(output="o", trace=[step(seconds=1.0), step(seconds=1.0, reused=True)]).step_seconds is None


@pytest.mark.parametrize(
    ("spent", "line"),
    [
        (Spent(), "0 model calls, 0 tokens in and 0 out"),
        (Spent(calls=1, input_tokens=1, output_tokens=1), "1 model call, 1 token in and 1 out"),
        (
            Spent(calls=1200, input_tokens=34000, output_tokens=5600, by_role={"judge": 200, "agent": 1000}),
            "1,200 model calls (agent 1000, judge 200), 34,000 tokens in and 5,600 out",
        ),
    ],
)
def test_spent_is_told_in_a_line(spent: Spent, line: str) -> None:
    assert spent.line == line


def test_failures_are_described_by_input_output_and_problems() -> None:
    described = describe_failures([failure("When?", "At nine", "correct: is wrong", "short: is long"), failure()])

    assert described == (
        "Input: When?\nOutput: At nine\nWrong: correct: is wrong; short: is long\n\nInput: in\nOutput: out\nWrong: "
    )


def test_description_of_failures_is_bounded_however_many_and_long_they_are() -> None:
    described = describe_failures([failure("i" * 9999, "o" * 9999, *["p" * 999] * 9)] * 50)

    assert described.count("Input: ") == 3
    assert len(described) < 3 * 1200
    assert describe_failures([]) == ""
