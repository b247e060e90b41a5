from typing import Any

import pytest
from shop import TASK, FailRuns, Flickering, Project, item_of, needs_requirement, shop_items

from ratchet.engine import Engine
from ratchet.gate.repeats import NOISY_REPEATS, planned_repeats
from ratchet.llm import Meter, metered
from ratchet.records import Diagnosis, Repeats
from ratchet.triage import diagnose_failures

pytestmark = pytest.mark.anyio
JUDGED = TASK + '\n[[criteria]]\nname = "kind"\nkind = "judge"\nquestion = "Is it kind?"\nrepeats = 3\n'


class SometimesLong:
    """Too long unless told to be short; some items pass when they are asked again."""

    def __init__(self, *unstable: str) -> None:
        self.unstable = unstable
        self.flickering = Flickering()

    def __call__(self, messages: list[dict[str, Any]], request: Any) -> str:
        if item_of(messages) in self.unstable:
            return self.flickering(messages, request)
        return needs_requirement(messages, request)


@pytest.fixture
def diagnosed(project: Project, engine: Engine, fail_runs: FailRuns) -> Any:
    """Fails training items, finds their cause, and opens the cycle C for them."""

    async def run(*unstable: str, numbers: tuple[int, ...] = (0, 2, 4, 6), **more: Any) -> Diagnosis:
        project.script("agent", SometimesLong(*unstable))
        model = {"model": str(engine.models.spec("agent"))}
        failures = await fail_runs(engine, *numbers, **(model | more))
        await engine.store.cycles.claim("C", "shop", "shop", "improve", "thread")
        return await diagnose_failures(engine, await engine.workbench("shop"), failures)

    return run


async def planned(engine: Engine, diagnosis: Diagnosis, cases: int = 20) -> Repeats:
    return await planned_repeats(engine, await engine.workbench("shop"), "C", diagnosis, cases)


async def test_unstable_failures_switch_to_several_runs(diagnosed: Any, engine: Engine) -> None:
    repeats = await planned(engine, await diagnosed("02"))
    assert repeats == Repeats(count=NOISY_REPEATS, why="as 1 of 4 failures passed when repeated")
    assert repeats.line == (
        "each case was run 3 times, as 1 of 4 failures passed when repeated; it is won where its mean rises"
    )


async def test_stable_failures_need_one_run(diagnosed: Any, engine: Engine) -> None:
    repeats = await planned(engine, await diagnosed())
    assert (repeats, repeats.line) == (Repeats(), "")


@pytest.mark.parametrize(("passed", "count"), [(0, 1), (9, 1), (10, 3)])
async def test_share_of_unstable_failures_decides(diagnosed: Any, engine: Engine, passed: int, count: int) -> None:
    found = await diagnosed("02")
    (row,) = [experiment for experiment in found.evidence if experiment.treatment == "repeat"]
    results = [{"failure": "F-0", "output": "", "passed": place < passed, "error": None} for place in range(100)]
    row.outputs = results
    assert (await planned(engine, found)).count == count


@pytest.mark.parametrize("made_by", [{"model": "another"}, {"rules_hash": "other"}])
async def test_failure_of_another_model_or_other_rules_shows_no_noise(
    diagnosed: Any, engine: Engine, made_by: dict[str, str]
) -> None:
    assert (await planned(engine, await diagnosed("02", **made_by))).count == 1


async def test_failure_of_an_earlier_prompt_shows_no_noise(diagnosed: Any, engine: Engine, project: Project) -> None:
    found = await diagnosed("02")
    project.write_prompts({"shop": "Answer the question, please."})
    assert (await planned(engine, found)).count == 1


@pytest.mark.parametrize(("setting", "count"), [(1, 1), (5, 5)])
async def test_task_may_say_how_often(
    diagnosed: Any, engine: Engine, project: Project, setting: int, count: int
) -> None:
    project.write_task(toml=TASK + f"\n[gate]\nrepeats = {setting}\n", cases=shop_items())
    repeats = await planned(engine, await diagnosed("02"))
    assert (repeats.count, repeats.why) == (count, "as gate.repeats in task.toml says" if count > 1 else "")


async def test_number_is_decided_once_for_a_cycle(diagnosed: Any, engine: Engine, project: Project) -> None:
    found = await diagnosed("02")
    first = await planned(engine, found)
    cycle = await engine.store.cycles.get("C")
    assert cycle is not None
    assert cycle["document"]["repeats"] == {"count": 3, "why": "as 1 of 4 failures passed when repeated"}
    project.write_task(toml=TASK + "\n[gate]\nrepeats = 9\n", cases=shop_items())
    found.evidence.clear()
    assert await planned(engine, found) == first


@pytest.mark.parametrize(("toml", "calls_per_run"), [(TASK, 1), (JUDGED, 4)])
async def test_budget_that_would_not_last_keeps_to_one_run(
    diagnosed: Any, engine: Engine, project: Project, toml: str, calls_per_run: int
) -> None:
    project.write_task(toml=toml, cases=shop_items())
    found = await diagnosed("02")
    needed = 3 * 2 * 20 * calls_per_run
    with metered(Meter(limit=needed - 1)):
        repeats = await planned(engine, found)
    why = f"as 3 runs would need {needed} model calls and the budget has {needed - 1} left"
    assert repeats == Repeats(why=why)
    assert repeats.line == f"each case was run once, {why}"
    await engine.store.cycles.record("C", {"repeats": None})
    with metered(Meter(limit=needed)):
        assert (await planned(engine, found)).count == 3
