from typing import Any

import pytest
from shop import FailRuns, Project, shop_items

from ratchet.cycles.choice import failures_to_work_on
from ratchet.engine import Engine
from ratchet.tasks import Case, each_input_once, overlap_lines

pytestmark = pytest.mark.anyio

WAYS = ["  where is ITEM01 kept", "Where\u3000is item\uff10\uff11 kept\uff1f", "Where is\u200b item01\r\nkept?!"]
"""The input of the held-out case c01, written in other ways."""


def case(name: str, text: str, split: Any) -> Case:
    return Case(id=name, input=text, expected=name, split=split)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("first", ["train", "holdout"])
def test_the_held_out_case_stays_whichever_comes_first(way: str, first: str) -> None:
    pair = [case("t", way, "train"), case("h", "Where is item01 kept?", "holdout")]
    other = case("o", "Where is item02 kept?", "train")
    used, left_out = each_input_once([*(pair if first == "train" else pair[::-1]), other])

    assert used == [pair[1], other]
    assert [(item.case.id, item.kept.id, item.is_leak) for item in left_out] == [("t", "h", True)]


@pytest.mark.parametrize("split", ["train", "holdout"])
def test_of_two_in_one_split_the_first_stays(split: str) -> None:
    used, left_out = each_input_once([case(f"c{n}", text, split) for n, text in enumerate([*WAYS, "Who?"])])
    assert [one.id for one in used] == ["c0", "c3"]
    assert [item.is_leak for item in left_out] == [False, False]


def test_the_lines_count_each_kind_and_name_some() -> None:
    cases = [case(f"h{n}", f"Question {n}", "holdout") for n in range(5)]
    cases += [case(f"t{n}", f"question {n}?", "train") for n in range(5)]
    assert overlap_lines(each_input_once([*cases, case("h9", "QUESTION 4", "holdout")])[1]) == [
        "5 training cases left out, as the input is held out too: 't0' ('h0'), 't1' ('h1'), 't2' ('h2') and 2 more; "
        "take one of each pair away",
        "1 case left out, as the input stands there twice: 'h9' ('h4')",
    ]
    assert overlap_lines([]) == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_held_out_input_reaches_no_example_no_cycle_and_no_search(
    project: Project, engine: Engine, fail_runs: FailRuns, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    project.write_task(cases=[*shop_items(), {"id": "twin", "input": way, "expected": "bin01x", "split": "train"}])
    bench = await engine.workbench("shop")

    assert "twin" not in [one.id for one in bench.cases]
    assert [item.case.id for item in bench.left_out] == ["twin"]
    assert "bin01x" not in {example.output for example in bench.solved.all()}
    assert "1 training case left out, as the input is held out too: 'twin' ('c01')" in caplog.text
    assert bench.for_training().left_out == ()

    await fail_runs(engine, 1, input=way, source="case:twin")
    assert (await failures_to_work_on(engine, bench, "t")).failures == []
    assert (await failures_to_work_on(engine, bench, "t", wanted=["F-1"])).failures == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_training_case_never_sees_its_own_answer(project: Project, engine: Engine, way: str) -> None:
    project.write_task(cases=[{"id": "t", "input": "Where is item01 kept?", "expected": "bin01x", "split": "train"}])
    solved = (await engine.workbench("shop")).solved
    assert [example.output for example in await solved.similar("Where is item02 kept?", 4)] == ["bin01x"]
    assert await solved.similar(way, 4, exclude=way) == []
