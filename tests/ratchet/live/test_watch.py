import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import Project

from ratchet.engine import Engine, Workbench
from ratchet.ledger import Change
from ratchet.live.watch import BETS, ERROR, LiveResults, evidence_of_harm, roll_back_if_worse
from ratchet.prompting import TaskPrompt


@pytest.fixture
async def changed(engine: Engine) -> Workbench:
    """The task under a change that was made when 90 % of the held-out cases passed."""
    bench = await engine.workbench("shop")
    change = Change("P", "shop", TaskPrompt(prompt="Worse."), bench.version, "ada", "r", {"before": 0.9})
    await engine.versions.apply(bench.task, change)
    return await engine.workbench("shop")


async def fail_live(engine: Engine, bench: Workbench, source: str, text: str, count: int = 10) -> None:
    evaluation = {"passed": False, "score": 0.0}
    document = {"thread_id": None, "input": text, "evaluation": evaluation}
    for number in range(count):
        await engine.store.runs.add(f"R-{source}-{number}", "shop", source, document, version=bench.version)


def bet_by_bet(before: float, outcomes: list[bool]) -> float:
    """The evidence by its definition, result after result."""
    wealth = [1.0] * len(BETS)
    for passed in outcomes:
        wealth = [value * (1 + bet * (before - passed)) for value, bet in zip(wealth, BETS, strict=True)]
    return sum(wealth) / len(BETS)


def test_evidence_of_harm_is_fair_where_nothing_changed() -> None:
    before, n = 0.7, 8
    expected = sum(
        evidence_of_harm(before, LiveResults(passed, n - passed)) * before**passed * (1 - before) ** (n - passed)
        for passed in (sum(outcomes) for outcomes in product([True, False], repeat=n))
    )

    assert expected == pytest.approx(1)


def test_evidence_of_harm_grows_with_failures_and_shrinks_with_passes() -> None:
    assert evidence_of_harm(0.8, LiveResults(passed=0, failed=10)) > 1 / ERROR
    assert evidence_of_harm(0.8, LiveResults(passed=10, failed=0)) < 1
    assert evidence_of_harm(0.0, LiveResults(passed=0, failed=100)) == 1


@given(st.floats(0, 1), st.lists(st.booleans(), max_size=300))
def test_evidence_of_harm_is_that_of_betting_result_after_result(before: float, outcomes: list[bool]) -> None:
    found = evidence_of_harm(before, LiveResults(sum(outcomes), len(outcomes) - sum(outcomes)))
    expected = bet_by_bet(before, outcomes)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert (found < 1 / ERROR) == (expected < 1 / ERROR)


@pytest.mark.parametrize(
    ("before", "passed", "failed", "expected"),
    [(0.9, 10**6, 0, 0), (0.9, 0, 10**6, math.inf), (0.9, 90_000, 10_000, 0), (0.0, 10**6, 10**6, 0), (1.0, 5, 0, 1)],
)
def test_evidence_of_harm_bears_any_number_of_runs(before: float, passed: int, failed: int, expected: float) -> None:
    assert evidence_of_harm(before, LiveResults(passed, failed)) == pytest.approx(expected)


@pytest.mark.anyio
async def test_a_change_that_live_runs_prove_worse_is_taken_back(engine: Engine, changed: Workbench) -> None:
    await fail_live(engine, changed, "ada", "Where is my cat?", count=1)
    assert await roll_back_if_worse(engine, changed) is None
    await fail_live(engine, changed, "bob", "Where is my dog?")
    assert "live runs pass 0 of 11" in str(await roll_back_if_worse(engine, changed))
    assert (await engine.workbench("shop")).prompts["shop"].prompt == "Answer the question."


@pytest.mark.anyio
async def test_a_caller_cannot_hide_from_the_watch_behind_the_name_of_a_case(
    engine: Engine, changed: Workbench
) -> None:
    await fail_live(engine, changed, "case:c00", "Where is my cat?")
    assert "version 3 is active" in str(await roll_back_if_worse(engine, changed))


@pytest.mark.anyio
@pytest.mark.parametrize("number", [1, 99])
async def test_a_source_that_names_no_training_case_is_live_traffic(
    engine: Engine, changed: Workbench, number: int
) -> None:
    await fail_live(engine, changed, f"case:c{number:02d}", f"Where is item{number:02d} kept?")
    assert await roll_back_if_worse(engine, changed) is not None


@pytest.mark.anyio
async def test_training_cases_are_no_live_traffic(engine: Engine, changed: Workbench) -> None:
    await fail_live(engine, changed, "case:c00", changed.train[0].input)
    assert await roll_back_if_worse(engine, changed) is None


@pytest.mark.anyio
async def test_what_a_person_wrote_is_not_watched(project: Project, engine: Engine, changed: Workbench) -> None:
    project.write_prompts({"shop": "Mine."})
    mine = await engine.workbench("shop")
    await fail_live(engine, mine, "ada", "Where is my cat?")
    assert await roll_back_if_worse(engine, mine) is None
    assert (await engine.workbench("shop")).prompts["shop"].prompt == "Mine."


@pytest.mark.anyio
async def test_a_version_that_somebody_has_taken_back_is_not_taken_back_again(
    engine: Engine, changed: Workbench
) -> None:
    await fail_live(engine, changed, "ada", "Where is my cat?")
    await engine.versions.rollback(changed.task, None, "bob", "no")
    assert await roll_back_if_worse(engine, changed) is None
    assert [row["status"] for row in await engine.versions.history("shop")] == ["superseded", "rolled_back", "active"]
