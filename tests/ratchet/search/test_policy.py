from dataclasses import replace
from typing import Any

import pytest

from ratchet.engine import Scored
from ratchet.prompting import TaskPrompt
from ratchet.records import Candidate, Evaluation
from ratchet.search import RacePolicy
from ratchet.search.entry import Entry

POLICY = RacePolicy()


def candidate(strategy: str, text: str = "p") -> Candidate:
    return Candidate(strategy=strategy, rationale="r", prompt=TaskPrompt(prompt=text))


def entry(passed: str, tokens: int) -> Entry:
    """Runs on inputs 0, 1, ...: 1 for one that passed; each takes so many tokens."""
    runs = {
        str(number): Scored("o", Evaluation(criteria=[], score=0.0, passed=letter == "1", problems=[]), tokens, None)
        for number, letter in enumerate(passed)
    }
    return Entry(candidate("s"), runs)


@pytest.mark.parametrize(("candidates", "first"), [(0, 6), (1, 6), (4, 6), (5, 4), (6, 4), (8, 3), (100, 3)])
def test_first_block_is_shorter_for_many(candidates: int, first: int) -> None:
    assert POLICY.first_block(candidates) == first


@pytest.mark.parametrize(
    ("running", "confirming", "going_on"), [(9, False, 4), (3, False, 2), (1, False, 2), (9, True, 2)]
)
def test_half_goes_on_and_only_finalists_to_training_cases(running: int, confirming: bool, going_on: int) -> None:
    assert POLICY.going_on(running, confirming=confirming) == going_on


def test_who_is_three_cases_behind_is_beaten() -> None:
    assert [POLICY.is_beaten(behind) for behind in (-1, 0, 2, 3, 4)] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("leader", "cheap", "tokens", "preferred"),
    [
        ("111111", "111110", 6, True),
        ("111111", "111110", 7, False),
        ("111111", "111100", 1, False),
        ("111100", "111000", 1, False),
        ("000000", "000000", 6, True),
    ],
)
def test_much_cheaper_entry_is_preferred_where_only_luck_is_between(
    leader: str, cheap: str, tokens: int, preferred: bool
) -> None:
    assert POLICY.prefers(entry(cheap, tokens), entry(leader, 9)) is preferred


@pytest.mark.parametrize(("won", "lost", "kept"), [(3, 0, False), (4, 0, True), (6, 1, False), (7, 1, True)])
def test_addition_is_kept_by_evidence(won: int, lost: int, kept: bool) -> None:
    assert POLICY.keeps(won, lost) is kept


def test_each_strategys_first_candidate_comes_before_anyones_second() -> None:
    proposed = [candidate(strategy, text) for strategy, text in ("a1", "a2", "a3", "b1", "b2", "c1", "c2", "d1")]
    assert [item.strategy + item.prompt.prompt for item in POLICY.entrants(proposed)] == [
        "a1", "b1", "c1", "d1", "a2", "b2",
    ]  # fmt: skip
    assert len(replace(POLICY, candidates=2).entrants(proposed)) == 2
    assert POLICY.entrants([]) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rounds": 0}, r"rounds has to be at least 1 \(got 0\)"),
        ({"block": -1}, r"block has to be at least 1 \(got -1\)"),
        ({"cheaper": -0.5}, r"cheaper has to be at least 0\.0 \(got -0\.5\)"),
    ],
)
def test_policy_with_a_number_that_is_too_small_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RacePolicy(**wrong)
    assert RacePolicy(training=0, pairs=0, close=0, cheaper=0, evidence=0).training == 0
