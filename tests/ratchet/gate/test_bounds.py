import pytest

from ratchet.engine import Scored
from ratchet.gate import Pair, Runs, costs, limit_vetoes
from ratchet.gate.bounds import FREE_SECONDS, FREE_TOKENS, LEAST_TIMED, Costs
from ratchet.records import Cost, CriterionResult, Evaluation
from ratchet.tasks import Case, Limits

CASE = Case(id="c", input="in", split="holdout")


def scored(tokens: int, seconds: float | None = None, ran: bool = True) -> Runs:
    results = [CriterionResult(name="c", outcome="passed", passed=True, score=1.0)] if ran else []
    return (Scored("out", Evaluation(criteria=results, score=1.0, passed=ran, problems=[]), tokens, seconds),)


def compared(before: tuple[float, float | None], after: tuple[float, float | None]) -> Costs:
    return Costs(Cost(tokens=before[0], seconds=before[1]), Cost(tokens=after[0], seconds=after[1]))


def test_costs_are_mean_tokens_and_median_seconds() -> None:
    slow = [Pair(CASE, scored(10, 1.0), scored(100, 60.0))]
    found = costs([Pair(CASE, scored(20, 1.0), scored(200, 2.0))] * LEAST_TIMED + slow * (LEAST_TIMED - 1))
    assert found is not None
    assert found.before.tokens == pytest.approx((20 * 8 + 10 * 7) / 15)
    assert found.after.tokens == pytest.approx((200 * 8 + 100 * 7) / 15)
    assert (found.before.seconds, found.after.seconds) == (1.0, 2.0)


def test_costs_count_seconds_only_where_both_sides_were_measured() -> None:
    both, one = Pair(CASE, scored(1, 1.0), scored(1, 2.0)), Pair(CASE, scored(1), scored(1, 9.0))
    for pairs, seconds in (
        ([both] * LEAST_TIMED + [one] * 20, 2.0),
        ([both] * (LEAST_TIMED - 1) + [one] * 20, None),
        ([one] * 20, None),
    ):
        found = costs(pairs)
        assert found is not None
        assert found.after.seconds == seconds


def test_costs_leave_out_runs_that_ended_in_an_error() -> None:
    broken = Pair(CASE, scored(10), scored(0, ran=False))
    assert costs([broken]) is None
    assert costs([]) is None
    found = costs([broken, Pair(CASE, scored(10), scored(30))])
    assert found is not None
    assert (found.before.tokens, found.after.tokens) == (10, 30)


def test_costs_of_repeats_are_those_of_the_mean_run() -> None:
    often = Pair(CASE, scored(10, 1.0) + scored(20) + scored(0, ran=False), scored(30, 2.0) + scored(60, 4.0))
    found = costs([often] * LEAST_TIMED)
    assert found is not None
    assert found == compared((15, 1.0), (45, 3.0))


@pytest.mark.parametrize(
    ("before", "after", "limits", "veto"),
    [
        ((30, None), (FREE_TOKENS, None), {}, None),
        ((30, None), (FREE_TOKENS + 1, None), {}, "tokens per case rise from 30 to 4001, limits.tokens_factor is 4"),
        ((2000, None), (8000, None), {}, None),
        ((2000, None), (8001, None), {}, "tokens per case rise from 2000 to 8001, limits.tokens_factor is 4"),
        ((30, None), (120, None), {"tokens": 100}, "tokens per case rise from 30 to 120, limits.tokens is 100"),
        ((130, None), (120, None), {"tokens": 100}, None),
        ((9000, None), (8000, None), {"tokens": 100}, None),
        ((30, 0.1), (30, FREE_SECONDS), {}, None),
        ((30, 0.1), (30, 2.1), {}, "seconds per case rise from 0.1 to 2.1, limits.seconds_factor is 5"),
        ((30, 1.0), (30, 5.0), {}, None),
        ((30, 1.0), (30, 5.1), {}, "seconds per case rise from 1 to 5.1, limits.seconds_factor is 5"),
        ((30, 1.0), (30, 5.1), {"seconds_factor": 6}, None),
        ((30, 0.1), (30, 0.6), {"seconds": 0.5}, "seconds per case rise from 0.1 to 0.6, limits.seconds is 0.5"),
        ((30, None), (30, 99.0), {}, None),
    ],
)
def test_exceeded_vetoes_growth_above_a_limit(
    before: tuple[float, float | None], after: tuple[float, float | None], limits: dict[str, float], veto: str | None
) -> None:
    assert limit_vetoes(Limits(**limits), compared(before, after)) == ([veto] if veto else [])


def test_default_limits_leave_room_for_documents_and_solved_cases() -> None:
    naive, question = 10, 30
    four_documents, six_cases = 4 * 500 * 1.5, 6 * (60 + 20)
    for more in (four_documents, six_cases, four_documents + six_cases):
        assert limit_vetoes(Limits(), compared((naive + question, 0.3), (naive + question + more, 1.9))) == []
