from typing import Any

import pytest

from ratchet.engine import Scored, Tally, criterion_rates, reasons_unscored, tally
from ratchet.records import CriterionResult, Evaluation


def run(passed: bool | None, **outcomes: Any) -> Scored:
    criteria = [
        CriterionResult(name=name, outcome=outcome, passed={"passed": True, "failed": False}.get(outcome), score=None)
        for name, outcome in outcomes.items()
    ]
    problems = [] if criteria else ["run: the source is gone"]
    return Scored("", Evaluation(criteria=criteria, score=None, passed=passed, problems=problems), 0, None)


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ([], Tally(0, 0, 0)),
        ([True, True, False, None], Tally(2, 1, 1)),
        ([None, None], Tally(0, 0, 2)),
        ([False], Tally(0, 1, 0)),
    ],
)
def test_runs_are_passed_failed_or_not_scored(results: list[bool | None], found: Tally) -> None:
    counts = tally([run(result) for result in results])
    assert (counts, counts.scored) == (found, found.passed + found.failed)


def test_a_criterion_s_rate_is_of_the_runs_that_it_could_decide() -> None:
    runs = [run(True, a="passed", b="error"), run(False, a="failed", b="skipped"), run(None, a="error"), run(False)]
    assert criterion_rates(["a", "b", "c"], runs) == {"a": 0.5, "b": None, "c": None}


def test_reasons_come_with_how_often_and_the_most_frequent_first() -> None:
    runs = [run(None, judge="error", other="skipped"), run(None, judge="error"), run(None), run(False, judge="failed")]
    assert reasons_unscored(runs) == [
        "judge: error (2 cases)",
        "other: skipped (1 case)",
        "run: the source is gone (1 case)",
    ]
    assert reasons_unscored([run(True, judge="error")]) == []
