import itertools

import pytest

from ratchet.engine import Engine, Workbench
from ratchet.ledger import Change
from ratchet.live.watch import ERROR, evidence_of_harm, roll_back_if_worse
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


def test_evidence_of_harm_is_fair_where_nothing_changed() -> None:
    before, n = 0.7, 8
    expected = sum(
        evidence_of_harm(before, outcomes) * before ** sum(outcomes) * (1 - before) ** (n - sum(outcomes))
        for outcomes in itertools.product([True, False], repeat=n)
    )

    assert expected == pytest.approx(1)


def test_evidence_of_harm_grows_with_failures_and_shrinks_with_passes() -> None:
    assert evidence_of_harm(0.8, [False] * 10) > 1 / ERROR
    assert evidence_of_harm(0.8, [True] * 10) < 1
    assert evidence_of_harm(0.0, [False] * 100) == 1


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
