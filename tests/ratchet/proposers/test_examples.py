from typing import Any

import pytest
from shop import Project, shop_items

from ratchet.proposers.examples import Examples, choose

pytestmark = pytest.mark.anyio


async def test_examples_are_solved_training_cases_with_different_answers(situation: Any) -> None:
    start = await situation()
    (candidate,) = await Examples(5).propose(start)
    shown = candidate.prompt.examples
    assert len(shown) == len({example.output for example in shown}) == 5
    assert all(example in start.bench.solved.all() for example in shown)


async def test_examples_prefer_different_answers(project: Project, situation: Any) -> None:
    cases = [{"input": f"Where is item{n:02d} kept?", "expected": "no" if n < 9 else "yes", "split": "train"}
             for n in range(10)]  # fmt: skip
    project.write_task(cases=cases, documents={"a.md": "text"})
    (candidate,) = await Examples(2).propose(await situation())
    assert {example.output for example in candidate.prompt.examples} == {"no", "yes"}


async def test_examples_show_each_answer_where_answers_are_few(project: Project, situation: Any) -> None:
    cases = [{"input": f"Where is item{n:02d} kept?", "expected": f"bin{n % 8}", "split": "train"} for n in range(20)]
    project.write_task(cases=cases, documents={"a.md": "text"})
    (candidate,) = await Examples(6).propose(await situation())
    assert {example.output for example in candidate.prompt.examples} == {f"bin{n}" for n in range(8)}


async def test_examples_start_with_cases_near_to_the_failing_inputs_and_not_with_these(situation: Any) -> None:
    start = await situation()
    first, second = await choose(start, 2)
    failing = {failure.input for failure in start.failures}
    near = await start.bench.solved.similar("Where is item00 kept?", 20, exclude="Where is item00 kept?")
    assert first == [example for example in near if example.input not in failing][-1]
    assert {first.input, second.input}.isdisjoint(failing)


async def test_examples_hold_no_personal_data_of_a_failed_run(project: Project, situation: Any) -> None:
    address = "ada.l@example.org"
    cases = [
        {"input": f"Where is item{n:02d} kept? {address if n < 4 else ''}", "expected": f"bin{n:02d}", "split": "train"}
        for n in range(8)
    ]
    project.write_task(cases=cases, documents={"a.md": "text"})
    start = await situation()
    assert address in start.failures[0].input
    chosen = await choose(start, 8)
    assert len(chosen) == 4
    assert not any(address in example.input for example in chosen)


async def test_examples_of_a_task_without_solved_cases_are_none(project: Project, situation: Any) -> None:
    project.write_task(cases=[case for case in shop_items() if case["split"] == "holdout"], documents={"a.md": "text"})
    assert await Examples().propose(await situation()) == []
