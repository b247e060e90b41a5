"""A run as a person reads it."""

import io
from typing import Any

import pytest
from rich.console import Console

from ratchet.records import Step
from service.run_report import criteria_table, further_problems, run_report

CRITERION: Any = {"name": "correct", "outcome": "failed", "passed": False, "score": 0.0, "comment": "is not 'bin'"}
MODEL = Step(
    kind="model", component="desk", input=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Q"}],
    output="An answer", seconds=1.5, input_tokens=12, output_tokens=3, reused=True,
)  # fmt: skip
SEARCH = Step(kind="retrieval", component="desk", input="query", output=["one", {"text": "two"}], seconds=0.25)


def printed(part: Any) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(part)
    return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def run(**more: Any) -> Any:
    evaluation = {"criteria": [CRITERION], "score": 0.0, "passed": False, "problems": ["correct: x", "run: cut off"]}
    document = {
        "input": "Where?", "expected": ["bin", "box"], "output": "Here.", "problem": None, "model": "openai:m",
        "trace": [SEARCH.model_dump(), MODEL.model_dump()], "evaluation": evaluation,
    } | more  # fmt: skip
    return {"id": "R-1", "task": "desk", "source": "ada", "version": 3, "created_at": "2031", "document": document}


def test_each_step_is_shown_with_what_went_in_and_came_out() -> None:
    page = printed(run_report(run(), None))
    assert 'Step 1: retrieval of desk, 0.25 s in query out one out {"text": "two"}' in page
    assert "Step 2: model of desk, 1.50 s, 12 tokens in and 3 out, reused" in page
    assert "system Be kind. user Q out An answer" in page


def test_input_expected_and_evaluation_are_shown_behind_the_trace() -> None:
    page = printed(run_report(run(), None))
    places = [
        page.index(words) for words in ("Step 2", "input Where?", '["bin", "box"]', "is not 'bin'", "run: cut off")
    ]
    assert places == sorted(places)
    assert "correct: x" not in page


def test_run_without_an_output_says_why() -> None:
    page = printed(run_report(run(problem={"fault": "request", "message": "too long"}, evaluation=None), None))
    assert "problem too long" in page
    assert "not scored" in page


@pytest.mark.parametrize(("cycle_id", "more"), [(None, ""), ("C-1", "; ratchet show C-1")])
def test_failure_is_named_with_its_cycle(cycle_id: str | None, more: str) -> None:
    failure: Any = {"id": "F-1", "status": "open", "cycle_id": cycle_id}
    assert printed(run_report(run(), failure)).endswith(f"stored as failure F-1, open{more}")


def test_problems_that_a_criterion_tells_of_are_told_once() -> None:
    evaluation: Any = {"criteria": [CRITERION], "problems": ["correct: is not 'bin'", "reply of desk: cut off"]}
    assert further_problems(evaluation) == ["reply of desk: cut off"]
    assert criteria_table([CRITERION], "failed").row_count == 1
