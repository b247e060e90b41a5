from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from shop import BrokenRetriever, Project, item_of, needs_requirement, shop_items, with_retriever

from ratchet.engine import Engine
from ratchet.gate import error_level, prove
from ratchet.gate.prove import looks
from ratchet.prompting import TaskPrompt
from ratchet.prompting.changes import with_source

pytestmark = pytest.mark.anyio
GOOD = "Answer the question. Answer in at most 5 words."


async def test_prove_stops_when_the_answer_is_clear(project: Project, engine: Engine) -> None:
    script = project.script("agent", needs_requirement)
    bench = await engine.workbench("shop")
    seen: list[tuple[int, int]] = []
    comparison = await prove(
        engine, bench, "shop", TaskPrompt(prompt=GOOD), bench.holdout,
        level=error_level(1, 0), progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert comparison.result(fixed=1, triggering=1).proven
    assert seen == [(12, 20)]
    assert len(script.calls) == 24
    assert {int(item_of(messages)) % 2 for messages in script.calls} == {1}


@pytest.mark.parametrize(
    ("cases", "after"), [(0, []), (5, [5]), (12, [12]), (13, [12, 13]), (20, [12, 20]), (30, [12, 20, 28, 30])]
)
def test_looks_come_first_when_every_criterion_was_seen_and_end_with_the_last_case(
    cases: int, after: list[int]
) -> None:
    assert looks(cases) == after


async def test_prove_pays_for_the_baseline_once(project: Project, engine: Engine) -> None:
    script = project.script("agent", needs_requirement)
    bench = await engine.workbench("shop")
    for text in (GOOD, GOOD + " Shortly."):
        await prove(engine, bench, "shop", TaskPrompt(prompt=text), bench.holdout, level=0.05)
    assert len(script.calls) == 3 * 12


async def test_source_that_does_not_answer_counts_against_the_change(project: Project, engine: Engine) -> None:
    project.write_task(toml=with_retriever(project.add("retriever", BrokenRetriever())), cases=shop_items())
    project.script("agent", lambda messages, _: f"bin{item_of(messages)}x")
    bench = await engine.workbench("shop")
    fetching = with_source(bench.prompts["shop"], "handbook", 1)
    worse = await prove(engine, bench, "shop", fetching, bench.holdout, level=0.05)
    assert {run.evaluation.passed for pair in worse.pairs for run in pair.new} == {None}
    assert {pair.rates for pair in worse.pairs} == {(1.0, 0.0)}
    in_force = replace(bench, prompts={"shop": fetching})
    no_better = await prove(engine, in_force, "shop", TaskPrompt(prompt=GOOD), bench.holdout, level=0.05)
    assert {pair.rates for pair in no_better.pairs} == {(1.0, 1.0)}


async def test_prove_of_no_cases_proves_nothing(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    comparison = await prove(engine, bench, "shop", TaskPrompt(prompt=GOOD), [], level=1.0)
    assert comparison.result(fixed=1, triggering=1).proven is False


class Tossing:
    """Passes one of the first three times it is asked something, told to go on two of them. Which ones differs from
    item to item, such that a first run never tells."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()

    def __call__(self, messages: list[dict[str, Any]], request: Any) -> str:
        item, prompt = item_of(messages), messages[0]["content"]
        turn = self.asked[item, prompt]
        self.asked[item, prompt] += 1
        first = int(item) % 4 == 1
        right = (0, 1) if first else (1, 2)
        return f"bin{item}x" if turn in (right if "Go on" in prompt else right[:1]) else "I do not know"


async def test_repeats_prove_what_single_runs_of_a_noisy_agent_cannot_tell(project: Project, engine: Engine) -> None:
    script = project.script("agent", Tossing())
    bench = await engine.workbench("shop")
    new = TaskPrompt(prompt="Answer the question. Go on.")
    once = await prove(engine, bench, "shop", new, bench.holdout, level=0.05)
    found = once.result(fixed=1, triggering=1)
    assert (found.verdict, found.wins, found.losses, found.before.rate) == ("inconclusive", [], [], found.after.rate)
    paid = len(script.calls)
    assert paid == 2 * len(once.pairs)
    often = await prove(engine, bench, "shop", new, bench.holdout, level=0.05, repeats=3)
    found = often.result(fixed=1, triggering=1)
    assert (found.verdict, found.proven, len(found.wins)) == ("better", True, len(often.pairs))
    assert (found.before.rate, found.after.rate) == pytest.approx((1 / 3, 2 / 3))
    assert {(len(pair.old), len(pair.new)) for pair in often.pairs} == {(3, 3)}
    shared = {pair.case.id for pair in once.pairs} & {pair.case.id for pair in often.pairs}
    assert len(script.calls) - paid == 6 * len(often.pairs) - 2 * len(shared)  # repeat 0 was paid for by the first


GRADED = """
description = "Says where things are kept"
components = ["shop"]

[[criteria]]
name = "quality"
kind = "python"
use = "USE"
graded = true
pass_score = 0.9
"""


async def test_grades_that_rise_are_proven_though_no_case_passes(project: Project, engine: Engine) -> None:
    use = project.add("quality", lambda inputs, outputs, reference_outputs: 0.3 + 0.4 * ("please" in outputs))
    project.write_task(toml=GRADED.replace("USE", use), cases=shop_items())
    project.script("agent", lambda messages, _: "please" if "polite" in messages[0]["content"] else "no")
    bench = await engine.workbench("shop")
    better = await prove(engine, bench, "shop", TaskPrompt(prompt="Be polite."), bench.holdout, level=0.05)
    found = better.result(fixed=0, triggering=3)
    assert (found.verdict, found.proven, found.before.rate, found.after.rate) == ("better", True, 0.0, 0.0)
    assert (found.criteria["quality"].before, found.criteria["quality"].after) == pytest.approx((0.3, 0.7))
    assert {(case.before_rate, case.after_rate) for case in found.wins} == {(0.3, 0.7)}
    in_force = replace(bench, prompts={"shop": TaskPrompt(prompt="Be polite.")})
    worse = await prove(engine, in_force, "shop", TaskPrompt(prompt="Be quick."), bench.holdout, level=0.05)
    assert worse.verdict() == "worse"
    assert worse.regressions() == ["criterion 'quality' falls from 70% to 30%"]
