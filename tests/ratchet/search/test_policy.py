from dataclasses import dataclass, replace
from typing import Any

import pytest
from shop import TASK, Project, shop_items

from ratchet.engine import Engine, Scored
from ratchet.errors import ConfigurationError
from ratchet.prompting import TaskPrompt
from ratchet.records import Candidate, Evaluation
from ratchet.search import RacePolicy, race_policy
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


@pytest.fixture
def load(project: Project, engine: Engine) -> Any:
    """The task's policy, after this object was named in its file."""

    async def make(named: object) -> RacePolicy:
        use = project.add("policy", named)
        project.write_task(toml=f'{TASK}\n[race]\nuse = "{use}"\n', cases=shop_items())
        return await race_policy((await engine.workbench("shop")).task)

    return make


@dataclass(frozen=True)
class Short(RacePolicy):
    rounds: int = 1


@pytest.mark.anyio
async def test_task_without_a_policy_of_its_own_has_the_default_one(engine: Engine) -> None:
    assert await race_policy((await engine.workbench("shop")).task) == RacePolicy()


@pytest.mark.anyio
@pytest.mark.parametrize("named", [Short, Short(), RacePolicy(rounds=1)])
async def test_task_may_name_another_policy(load: Any, named: object) -> None:
    assert (await load(named)).rounds == 1


@pytest.mark.anyio
async def test_object_that_is_no_policy_is_refused(load: Any) -> None:
    expected = r"^task shop: race\.use: '\w+:policy' is no RacePolicy \(got \{'rounds': 1\}\); make it a subclass of it"
    with pytest.raises(ConfigurationError, match=expected):
        await load({"rounds": 1})
