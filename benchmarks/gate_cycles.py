"""Whole improvement cycles with a scripted agent whose success under the old and each new prompt is set beforehand.

Everything but the models and their HTTP client is real: training cases are served, their failures are diagnosed,
candidates race on them, and the winner meets the held-out cases. Whether the agent passes a case is decided by a hash
of task, case and prompt. The old prompt passes half of the cases, and a new one differs from it on a set share of them,
with a set gain.
"""

import asyncio
import hashlib
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI

from ratchet.config.settings import ROLES, Settings
from ratchet.gate import wilson
from ratchet.proposers import Situation, strategies
from ratchet.records import Candidate
from ratchet.search import rounds
from service.loop import CycleResult, improve
from service.serving import serve
from service.session import Session, open_session

DIFFERING = 0.2
TRAINING, HELD_OUT = 24, 300
BASE = "Answer the question."


class Scenario(NamedTuple):
    """What the candidates of a cycle are like."""

    name: str
    gain: float
    candidates: int = 1
    cycles: int = 1
    """In a row on one task, until one ships."""
    share: float = 0.5
    """Of the number of null cycles that was asked for."""


SCENARIOS = (
    Scenario("null", 0.0, share=1.0),
    Scenario("best of 5 nulls", 0.0, candidates=5),
    Scenario("-5 points", -0.05),
    Scenario("+10 points", 0.1),
    Scenario("10 nulls in a row", 0.0, cycles=10),
)


class Run(NamedTuple):
    """How the cycles of one task ended."""

    cycles: int
    diagnosed: int
    """Cycles whose cause was found to be the prompt."""
    tested: int
    """Cycles that reached the gate."""
    shipped: bool
    cases: int
    """Held-out cases looked at, over all tested cycles."""


def draw(*key: object) -> float:
    """A number in [0, 1) that is always the same for the same key."""
    return int.from_bytes(hashlib.sha256(json.dumps(key).encode()).digest()[:8]) / 2**64


def agent(messages: list[dict[str, Any]], request: dict[str, Any]) -> str:
    """The scripted agent. The input says task, case and gain; solved cases in the messages are an experiment of triage,
    which helps every second time."""
    task, case, gain = json.loads(messages[-1]["content"])
    old = draw(task, case) < 0.5
    variant = re.search(r"variant (\S+)", messages[0]["content"])
    chance = draw(task, case, variant[1]) if variant else 0.0
    if len(messages) > 2:
        passes = draw(task, case, "solved cases") < 0.5
    elif not variant:
        passes = old
    else:
        passes = chance >= DIFFERING - gain if old else chance < DIFFERING + gain
    return "right" if passes else "wrong"


def others(messages: list[dict[str, Any]], request: dict[str, Any]) -> str:
    """The scripted model of all other roles."""
    return '{"category": "prompt", "missing": "", "explanation": "scripted"}'


class Variants:
    """The only source of candidates here: prompts with a mark that the agent knows."""

    name = "variants"

    def __init__(self, cycle: int, count: int) -> None:
        self._marks = [f"{cycle}-{number}" for number in range(count)]

    async def propose(self, situation: Situation) -> list[Candidate]:
        """As many candidates as were asked for, in the first round; none that start from one of them."""
        if situation.base:
            return []
        return [
            Candidate(
                strategy=self.name,
                rationale=mark,
                prompt=situation.prompt.model_copy(update={"prompt": f"{BASE} variant {mark}"}),
            )
            for mark in self._marks
        ]


async def reply_at_once(client: ChatOpenAI, messages: list[dict[str, Any]], **_: Any) -> AIMessage:
    """The scripted models' answer without the HTTP client in between, which would take most of the time."""
    script = agent if client.model_name.endswith("agent") else others
    return AIMessage(script(messages, {}), usage_metadata={"input_tokens": 1, "output_tokens": 1, "total_tokens": 2})


@contextmanager
def proposing(variants: Variants) -> Iterator[None]:
    """Let `variants` be the source of candidates for a cycle whose cause is the prompt."""
    with (
        patch.object(strategies, "WORDING", (variants,)),
        patch.object(rounds, "WORDING", (variants,)),
        patch.object(rounds, "CONTEXT", ()),
    ):
        yield


def write_project(folder: Path, tasks: dict[str, float]) -> Settings:
    """A project with one task of each name, its candidates gaining that much."""
    for name, gain in tasks.items():
        task = folder / "tasks" / name
        task.mkdir(parents=True)
        (task / "task.toml").write_text(
            f'description = "Scripted"\ncomponents = ["{name}"]\n\n'
            '[[criteria]]\nname = "correct"\nkind = "contains"\nrequired = true\n',
            encoding="utf-8",
        )
        splits = ["train"] * TRAINING + ["holdout"] * HELD_OUT
        cases = [
            {"id": f"c{n}", "input": json.dumps([name, n, gain]), "expected": "right", "split": split}
            for n, split in enumerate(splits)
        ]
        (task / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in cases), encoding="utf-8")
    (folder / "behavior_rules.json").write_text('{"rules": []}', encoding="utf-8")
    (folder / "task_prompts.json").write_text(json.dumps(dict.fromkeys(tasks, BASE)), encoding="utf-8")
    models = {f"{role}_model": f"scripted:{__name__}:{'agent' if role == 'agent' else 'others'}" for role in ROLES}
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        home=folder / "home",
        tasks_dir=folder / "tasks",
        rules_file=folder / "behavior_rules.json",
        prompts_file=folder / "task_prompts.json",
        max_calls=100_000,
        **models,  # type: ignore[arg-type]
    )


def silent(**_: Any) -> None:
    """Nothing is told about the progress of a cycle."""


async def run_task(session: Session, task: str, scenario: Scenario) -> Run:
    """The scenario's cycles on one task, each over failures of its own."""
    diagnosed = tested = cases = done = 0
    shipped = False
    while done < scenario.cycles and not shipped:
        if done:
            await fail_again(session, task, done)
        with proposing(Variants(done, scenario.candidates)):
            result = await improve(session, task, silent)
        done += 1
        diagnosed += result.category == "prompt"
        looked_at = await held_out_cases(session, result)
        tested += looked_at > 0
        cases += looked_at
        shipped = result.status == "awaiting_approval"
    return Run(done, diagnosed, tested, shipped, cases)


async def fail_again(session: Session, task: str, cycle: int) -> None:
    """Serve the training cases once more, as live traffic would, so that the next cycle has failures to work on."""
    bench = await session.engine.workbench(task)
    for case in bench.train:
        await serve(session, task, case.input, case.expected, f"live-{cycle}-{case.id}", reuse=True)


async def held_out_cases(session: Session, result: CycleResult) -> int:
    """Held-out cases that the gate has looked at in a cycle."""
    row = await session.engine.store.cycles.get(result.cycle_id or "")
    validation = (row or {}).get("document", {}).get("validation") or {}
    return int(validation.get("after", {}).get("n", 0))


def tell(scenario: Scenario, found: list[Run], runs: int) -> None:
    """Every tenth run, on stderr."""
    if len(found) % 10 == 0 or len(found) == runs:
        shipped = sum(run.shipped for run in found)
        print(f"{scenario.name}: {len(found)} of {runs} runs, {shipped} shipped", file=sys.stderr)


async def run_scenario(scenario: Scenario, runs: int) -> dict[str, Any]:
    """Independent runs of a scenario, each on a task of its own, in one temporary project."""
    started = time.perf_counter()
    tasks = {f"scenario_{SCENARIOS.index(scenario)}_{n}": scenario.gain for n in range(runs)}
    with tempfile.TemporaryDirectory() as folder:
        settings = await asyncio.to_thread(write_project, Path(folder), tasks)
        with patch.object(ChatOpenAI, "ainvoke", reply_at_once):
            async with open_session(settings) as session:
                found: list[Run] = []
                for task in tasks:
                    found.append(await run_task(session, task, scenario))
                    tell(scenario, found, runs)
    shipped, tested = sum(run.shipped for run in found), sum(run.tested for run in found)
    cycles = sum(run.cycles for run in found)
    low, high = wilson(shipped, runs)
    tested_low, tested_high = wilson(shipped, tested)
    return {
        "scenario": scenario.name,
        "gain": scenario.gain,
        "in_a_row": scenario.cycles,
        "runs": runs,
        "cycles": cycles,
        "diagnosed": sum(run.diagnosed for run in found),
        "tested": tested,
        "shipped": shipped,
        "share": shipped / runs,
        "low": low,
        "high": high,
        "share_of_tested": shipped / tested if tested else 0.0,
        "tested_low": tested_low,
        "tested_high": tested_high,
        "mean_cases": sum(run.cases for run in found) / max(1, tested),
        "ms_per_cycle": round(1000 * (time.perf_counter() - started) / cycles),
    }


def whole_cycles(cycles: int, in_a_row: int) -> list[dict[str, Any]]:
    """All scenarios: `cycles` null cycles, a fixed share of that many of the others, and `in_a_row` tasks with several
    cycles. A scenario with none of them is left out."""
    wanted = [(item, in_a_row if item.cycles > 1 else round(item.share * cycles)) for item in SCENARIOS]
    return [asyncio.run(run_scenario(scenario, runs)) for scenario, runs in wanted if runs]
