import pytest

from ratchet.engine import Scored
from ratchet.prompting import TaskPrompt
from ratchet.records import Candidate, CriterionResult, Evaluation
from ratchet.search.entry import Entry


def run(passed: bool | None, score: float | None = None, tokens: int = 1) -> Scored:
    criteria = [CriterionResult(name="c", outcome="passed" if passed else "failed", passed=passed, score=score)]
    return Scored("o", Evaluation(criteria=criteria, score=score, passed=passed, problems=[]), tokens, 0.0)


def entry(**runs: Scored) -> Entry:
    return Entry(Candidate(strategy="s", rationale="r", prompt=TaskPrompt(prompt="p")), dict(runs))


def test_entry_counts_passes_scores_and_tokens() -> None:
    one = entry(a=run(True, 1.0), b=run(False, 0.5), c=run(None, None, tokens=5))
    assert (one.passed, one.score, one.tokens, one.share) == (1, 1.5, 7, "1 of 3")
    assert one.wins == {"c: a"}
    assert (one.passes("a"), one.passes("b"), one.passes("c"), one.passes("z")) == (True, False, False, False)
    assert (one.fails("a"), one.fails("b"), one.fails("c"), one.fails("z")) == (False, True, False, False)


def test_most_passes_then_score_then_fewer_tokens_stand_first() -> None:
    entries = [
        entry(a=run(True, 0.8, tokens=9)),
        entry(a=run(True, 0.9, tokens=9)),
        entry(a=run(True, 0.9, tokens=3)),
        entry(a=run(False, 1.0, tokens=1)),
    ]
    assert sorted(entries, key=Entry.standing) == [entries[2], entries[1], entries[0], entries[3]]


def test_entries_are_compared_on_what_both_have_run() -> None:
    one = entry(a=run(True, 1.0), b=run(True, 1.0), c=run(True, 1.0))
    other = entry(a=run(True, 1.0), b=run(False, 0.0), d=run(True, 1.0), e=run(True, 1.0))
    assert (other.behind(one), one.behind(other)) == (1, -1)
    assert one.ahead_of(other)
    assert not other.ahead_of(one)
    assert entry(a=run(False, 0.5)).ahead_of(entry(a=run(False, 0.2)))
    assert not one.ahead_of(one)


def test_sum_of_scores_does_not_depend_on_the_order() -> None:
    one = entry(a=run(False, 0.1), b=run(False, 0.2), c=run(False, 0.3))
    assert one.score == entry(c=run(False, 0.3), b=run(False, 0.2), a=run(False, 0.1)).score


def with_grades(*grades: float) -> Entry:
    runs = {
        str(number): Scored("o", Evaluation(criteria=[], score=g, passed=False, problems=[], grade=g), 1, None)
        for number, g in enumerate(grades)
    }
    return Entry(Candidate(strategy="s", rationale="r", prompt=TaskPrompt(prompt="p")), runs)


@pytest.mark.parametrize(
    ("one", "other", "ahead", "behind"),
    [([0.3, 0.5], [0.2, 0.5], True, -0.1), ([0.1, 0.1], [0.4, 0.6], False, 0.8), ([0.5], [0.5], False, 0.0)],
)
def test_grades_decide_who_is_ahead_where_nothing_passes(
    one: list[float], other: list[float], ahead: bool, behind: float
) -> None:
    first, second = with_grades(*one), with_grades(*other)
    assert first.ahead_of(second) is ahead
    assert first.behind(second) == pytest.approx(behind)
    assert [first.wins_on("0", second), first.loses_on("0", second)] == [one[0] > other[0], one[0] < other[0]]
