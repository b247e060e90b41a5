import pytest

from ratchet.engine import Trial
from ratchet.search import RaceTrials
from ratchet.search.trials import in_blocks


def trials(*names: str) -> list[Trial]:
    return [Trial(name, None) for name in names]


TRIALS = RaceTrials(trials("f0", "f1", "f2"), trials("t0", "t1"), trials("m0", "t1", "t2"), trials("t2", "t3"))


@pytest.mark.parametrize(("first", "lengths"), [(1, [1, 2]), (2, [2, 1]), (3, [3]), (9, [3])])
def test_failures_come_in_two_blocks_at_most(first: int, lengths: list[int]) -> None:
    blocks = TRIALS.failure_blocks(first)
    assert [len(block) for block in blocks] == lengths
    assert [trial for block in blocks for trial in block] == TRIALS.failures


def test_race_without_failures_has_no_block_of_them() -> None:
    assert TRIALS._replace(failures=[]).failure_blocks(3) == []


def test_spare_failures_are_no_training_cases_any_more() -> None:
    longer = TRIALS.with_spare_failures(2)
    assert longer.failures == trials("f0", "f1", "f2", "m0", "t1")
    assert (longer.cases, longer.spare_cases) == (trials("t0"), trials("t2", "t3"))
    assert longer.spare_failures == ()
    assert TRIALS.with_spare_failures(3).spare_cases == trials("t3")


def test_further_cases_come_after_the_others() -> None:
    assert TRIALS.with_cases(trials("t2")).cases == trials("t0", "t1", "t2")
    assert TRIALS.without_spare_failures() == TRIALS._replace(spare_failures=())


@pytest.mark.parametrize(("count", "lengths"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_cases_are_cut_into_blocks(count: int, lengths: list[int]) -> None:
    cases = trials(*(str(number) for number in range(count)))
    blocks = in_blocks(cases, 4)
    assert [len(block) for block in blocks] == lengths
    assert [trial for block in blocks for trial in block] == cases
