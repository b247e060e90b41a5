import asyncio
import importlib.util
import logging
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest
from shop import FailRuns, OpenEngine, Project, item_of, needs_requirement

from ratchet.engine import Engine
from ratchet.errors import BudgetError
from ratchet.llm import Meter, metered
from ratchet.proposers import WORDING, wording_strategies
from ratchet.proposers.gepa import Gepa

pytestmark = pytest.mark.anyio
GOOD = "Answer the question. Answer in at most 5 words."
installed = pytest.mark.skipif(importlib.util.find_spec("gepa") is None, reason="the extra `gepa` is not installed")


class Found:
    def __init__(self, text: str) -> None:
        self.best_candidate = {"shop": text}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Puts a stand-in of the library into its place."""

    def put(optimize: Any) -> None:
        module = types.ModuleType("gepa")
        module.__spec__ = importlib.util.spec_from_loader("gepa", None)
        vars(module)["optimize"] = optimize
        monkeypatch.setitem(sys.modules, "gepa", module)

    return put


def evolves(**options: Any) -> Found:
    """One step of what the library does."""
    adapter, seed = options["adapter"], options["seed_candidate"]
    before = adapter.evaluate(options["trainset"], seed, capture_traces=True)
    data = adapter.make_reflective_dataset(seed, before, ["shop"])
    new = {**seed, **adapter.propose_new_texts(seed, data, ["shop"])}
    after = adapter.evaluate(options["valset"], new)
    return Found(new["shop"] if sum(after.scores) > sum(before.scores) else seed["shop"])


async def test_gepa_is_asked_where_calls_are_set_aside(project: Project, open_engine: OpenEngine) -> None:
    assert wording_strategies(project.settings()) == WORDING
    names = [proposer.name for proposer in wording_strategies(project.settings(gepa_calls=5))]
    assert names == [*(proposer.name for proposer in WORDING), "gepa"]


async def test_missing_library_gives_no_candidate_and_a_warning(
    situation: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert await Gepa(10).propose(await situation()) == []
    assert "pip install 'ratchet-agents[gepa]'" in caplog.text


async def test_gepa_gives_the_librarys_best_text(project: Project, situation: Any, library: Any) -> None:
    library(evolves)
    optimizer = project.script("optimizer", GOOD)
    made = await situation()
    with metered(Meter()) as meter:
        (candidate,) = await Gepa(50).propose(made)
    assert candidate.prompt == made.prompt.model_copy(update={"prompt": GOOD})
    assert (meter.of("optimizer").calls, meter.of("agent").calls) == (1, 10 + 12)
    assert "Where is item00 kept?" in optimizer.seen
    assert not any(f"item{number:02d} kept" in optimizer.seen for number in range(1, 40, 2))


@pytest.mark.parametrize("optimize", [lambda **_: Found("Answer the question."), lambda **_: Found(""), evolves])
async def test_gepa_without_a_better_text_gives_no_candidate(
    project: Project, situation: Any, library: Any, optimize: Any
) -> None:
    project.script("optimizer", "adults " * 50)
    library(optimize)
    assert await Gepa(10).propose(await situation()) == []


@pytest.mark.parametrize("optimize", [lambda **_: 1 / 0, lambda **_: None, lambda: None])
async def test_whatever_the_library_raises_costs_its_candidate_only(
    situation: Any, library: Any, optimize: Any, caplog: pytest.LogCaptureFixture
) -> None:
    library(optimize)
    assert await Gepa(10).propose(await situation()) == []
    assert [record.levelname for record in caplog.records if record.name == "ratchet.proposers.gepa"] == ["WARNING"]
    assert "gepa gave no candidate: " in caplog.text


async def test_budget_error_passes_through_the_library(situation: Any, library: Any) -> None:
    library(evolves)
    made = await situation()
    with metered(Meter(limit=3)), pytest.raises(BudgetError):
        await Gepa(10).propose(made)


async def test_cancelled_cycle_ends_the_librarys_run(project: Project, situation: Any, library: Any) -> None:
    ended: list[str] = []
    started = asyncio.Event()

    def optimize(**options: Any) -> Found:
        for _ in range(2):
            try:
                options["adapter"].evaluate(options["trainset"], options["seed_candidate"])
            except BaseException as error:
                ended.append(type(error).__name__)
        return Found("")

    async def hangs(messages: Any, request: Any) -> str:
        started.set()
        await asyncio.sleep(30)
        return "no"

    library(optimize)
    made = await situation()
    project.script("agent", hangs)
    asked = asyncio.create_task(Gepa(10).propose(made))
    await started.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    for _ in range(100):
        if len(ended) == 2:
            break
        await asyncio.sleep(0.01)
    assert ended == ["CancelledError", "CancelledError"]


@installed
async def test_real_library_finds_the_requirement_and_stops(
    project: Project, situation: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)
    project.script("optimizer", "Answer in at most 5 words.")
    made = await situation()
    with metered(Meter()) as meter:
        (candidate,) = await Gepa(200).propose(made)
    assert candidate.prompt.prompt == "Answer in at most 5 words."
    assert meter.calls < 40, "it stops when everything passes"
    assert capsys.readouterr().out == ""


@installed
async def test_real_library_keeps_to_its_calls_and_to_training_cases(
    project: Project, engine: Engine, situation: Any, fail_runs: FailRuns
) -> None:
    optimizer = project.script("optimizer", lambda messages, _: f"Sing {len(optimizer.calls)}.")
    made = await situation()
    agent = project.script("agent", lambda messages, _: needs_requirement(messages, _).replace("As", "Ah"))
    with metered(Meter()) as meter:
        assert await Gepa(40).propose(made) == []
    assert meter.of("agent").calls <= 40 + 6
    assert {int(item_of(messages)) % 2 for messages in agent.calls} == {0}


@installed
async def test_real_library_passes_the_budget_error_on(project: Project, situation: Any) -> None:
    project.script("optimizer", "Sing.")
    made = await situation()
    with metered(Meter(limit=14)), pytest.raises(BudgetError):
        await Gepa(100).propose(made)
