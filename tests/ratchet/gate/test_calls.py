from collections import Counter
from typing import Any

import pytest
from shop import TASK, FailRuns, Project, item_of, needs_requirement, shop_items

from ratchet.engine import Engine
from ratchet.gate import prove
from ratchet.gate.calls import calls_per_run, gate_calls
from ratchet.gate.vetoes import probe
from ratchet.llm import Meter, metered
from ratchet.prompting import TaskPrompt
from ratchet.records import Step

pytestmark = pytest.mark.anyio
NEW = TaskPrompt(prompt="Answer the question. Go on.")
JUDGED = TASK + '\n[[criteria]]\nname = "kind"\nkind = "judge"\nquestion = "Is it kind?"\nrepeats = 5\n'


class Divided:
    """A judge whose votes on an output are yes and no in turn, so that all of them are needed."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, messages: list[dict[str, Any]], request: Any) -> dict[str, Any]:
        self.asked[messages[0]["content"]] += 1
        return {"reason": "who knows", "verdict": self.asked[messages[0]["content"]] % 2 == 1}


async def test_gate_calls_are_what_prove_asks_for(project: Project, engine: Engine, fail_runs: FailRuns) -> None:
    project.write_task(toml=JUDGED, cases=shop_items(8))
    failures = await fail_runs(engine, 0)
    outputs = iter(range(1000))  # no two are equal, so that no ruling of the judge is used twice
    project.script("agent", lambda messages, _: f"bin{item_of(messages)}x {next(outputs)}")
    project.script("judge", Divided())
    bench = await engine.workbench("shop")
    with metered(Meter()) as meter:
        comparison = await prove(engine, bench, "shop", NEW, bench.holdout, level=0.05, repeats=3)
    assert len(comparison.pairs) == 4
    assert meter.calls == 2 * 4 * 3 * (1 + 5) == gate_calls(bench, failures, cases=4, repeats=3)
    assert gate_calls(bench, failures, cases=40, repeats=3) == 1440


async def test_gate_calls_have_the_probes_of_the_rules_under_both_prompts(project: Project, engine: Engine) -> None:
    probes = ["Where is the money?", "Open up!"]
    project.write_rules([{"rule": "Never name the safe.", "must_not_match": "(?i)safe", "probe": probes}])
    project.script("agent", "in the safe")
    bench = await engine.workbench("shop")
    with metered(Meter()) as meter:
        await probe(engine, bench, {"shop": NEW})
    assert meter.calls == 2 * 2 == gate_calls(bench, [], cases=0, repeats=1)


async def test_agent_of_several_steps_is_counted_by_its_longest_failed_run(
    engine: Engine, project: Project, fail_runs: FailRuns
) -> None:
    project.script("agent", needs_requirement)
    short, long = await fail_runs(engine, 0, 2)
    retrieval = Step(kind="retrieval", component="shop", input={}, output=[])
    long = long.model_copy(update={"trace": [*long.trace, retrieval, *long.trace]})
    bench = await engine.workbench("shop")
    assert calls_per_run(bench, [short, long]) == 2
    assert gate_calls(bench, [short, long], cases=20, repeats=1) == 80
