from typing import Any

import pytest
from proposed import validation

from ratchet.gate import measure
from ratchet.records import CaseDifference, Measure, Repeats, Validation, Verdict


@pytest.mark.parametrize(
    ("verdict", "proven", "counts_as"),
    [
        ("better", True, "better"),
        ("better", False, "vetoed"),
        ("worse", False, "worse"),
        ("inconclusive", False, "inconclusive"),
    ],
)
def test_change_that_is_better_but_not_proven_counts_as_vetoed(verdict: Verdict, proven: bool, counts_as: str) -> None:
    assert validation(verdict=verdict, proven=proven).gate_verdict == counts_as


@pytest.mark.parametrize(
    ("repeats", "line"),
    [
        (Repeats(), ""),
        (Repeats(count=1, why="as the budget allows no more"), "each case was run once, as the budget allows no more"),
        (Repeats(count=3, why="as said"), "each case was run 3 times, as said; it is won where its mean rises"),
    ],
)
def test_repeats_are_told_where_there_is_something_to_tell(repeats: Repeats, line: str) -> None:
    assert repeats.line == line


@pytest.mark.parametrize("passed", [3, 2.5])
def test_measure_of_whole_cases_stays_a_whole_number(passed: float) -> None:
    stored = Measure.model_validate_json(measure(passed, 4).model_dump_json())

    assert type(stored.passed) is type(passed)
    assert stored.low < stored.rate < stored.high


@pytest.mark.parametrize(("old", "new"), [(None, None), (0.0, 1.0), (1 / 3, 2 / 3)])
def test_difference_of_a_case_keeps_the_rates_it_was_told_by(old: Any, new: Any) -> None:
    found = CaseDifference(
        case_id="c", input="i", expected=["a", {"k": 1}], before="b", after="a", before_rate=old, after_rate=new
    )

    assert CaseDifference.model_validate_json(found.model_dump_json()) == found


def test_validation_of_an_older_release_is_read() -> None:
    """Repeats, rules, costs and production came later."""
    later = {"repeats", "rule_violations", "cost_before", "cost_after", "production"}

    found = Validation.model_validate(validation().model_dump(exclude=later))

    assert found == validation()
    assert (found.repeats.count, found.rule_violations, found.production) == (1, [], 0)
