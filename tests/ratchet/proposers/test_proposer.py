from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from shop import shop_items

from ratchet.engine import Engine
from ratchet.proposers import Situation, propose
from ratchet.records import Candidate, Diagnosis

pytestmark = pytest.mark.anyio
HELD_OUT = [case["input"] for case in shop_items() if case["split"] == "holdout"]
TRAINING = [case["input"] for case in shop_items() if case["split"] == "train"]


def all_texts(start: object) -> set[str]:
    """Every text that can be reached from an object by public attributes and members."""
    texts: set[str] = set()
    known: list[object] = []
    todo = [start]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            texts.add(value)
        elif not callable(value) and not any(value is other for other in known):
            known.append(value)
            todo += _members(value)
    return texts


def _members(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, Iterable):
        return list(value)
    if not type(value).__module__.startswith("ratchet"):
        return []
    return [getattr(value, name) for name in dir(value) if not name.startswith(("_", "model_"))]


class Thief:
    """Takes whatever cases it can get hold of, and asks for those that it was not given."""

    name = "thief"

    def __init__(self) -> None:
        self.taken: set[str] = set()

    async def propose(self, situation: Situation) -> list[Candidate]:
        harness: Any = situation.harness
        self.taken = all_texts(situation) | {example.input for example in situation.bench.solved.all()}
        if hasattr(harness, "workbench"):
            self.taken |= all_texts(await harness.workbench(situation.bench.task.name))
        if hasattr(harness, "store"):
            self.taken |= all_texts(await harness.store.gate_cases.of_test("C-P1"))
        return []


async def test_proposer_that_takes_what_it_can_gets_no_held_out_case(situation: Any) -> None:
    thief = Thief()
    await propose([thief], await situation())
    assert thief.taken >= set(TRAINING)
    assert thief.taken.isdisjoint(HELD_OUT)
    assert not any(text in taken for text in HELD_OUT for taken in thief.taken)


async def test_situation_holds_back_the_engine_and_the_held_out_cases_whoever_makes_it(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    assert bench.holdout
    diagnosis = Diagnosis(category="prompt", component="shop", failures=[], explanation="e")
    made = Situation(engine, bench, "shop", diagnosis, [])
    for one in (made, replace(made, bench=bench, harness=engine)):
        assert (one.bench.holdout, one.bench.train) == ([], bench.train)
        assert not isinstance(one.harness, Engine)
        assert one.harness.models is engine.models


async def test_situation_starts_from_the_prompt_in_force_or_the_best_so_far(situation: Any) -> None:
    made = await situation()
    better = made.in_force.model_copy(update={"prompt": "Answer."})
    assert made.prompt == made.in_force == made.bench.prompts["shop"]
    assert (replace(made, base=better).prompt, replace(made, base=better).in_force) == (better, made.in_force)
    assert made.failed == ["short"]
