from dataclasses import replace
from typing import Any

import pytest
from shop import TASK, Project, shop_items

from ratchet.prompting import ContextStep
from ratchet.prompting.changes import with_source
from ratchet.proposers.retrieval import Retrieval

pytestmark = pytest.mark.anyio


async def test_retrieval_goes_through_sources_and_depths(situation: Any) -> None:
    candidates = await Retrieval().propose(await situation())
    assert [candidate.prompt.context for candidate in candidates] == [
        [ContextStep(source="handbook", top_k=depth)] for depth in (1, 2, 4)
    ]


async def test_retrieval_starts_with_the_source_that_held_the_answer(project: Project, situation: Any) -> None:
    second = '[[context_sources]]\nname = "answers"\nkind = "documents"\npath = "documents"\n'
    project.write_task(toml=TASK + second, cases=shop_items(), documents={"a.md": "text"})
    start = await situation()
    start.diagnosis.source = "handbook"
    names = [candidate.prompt.context[0].source for candidate in await Retrieval().propose(start)]
    assert names == ["handbook"] * 3 + ["answers"] * 2


async def test_retrieval_that_is_there_already_is_left_out(situation: Any) -> None:
    start = await situation()
    further = replace(start, base=with_source(start.prompt, "handbook", 2))
    contexts = [candidate.prompt.context for candidate in await Retrieval().propose(further)]
    assert contexts == [[ContextStep(source="handbook", top_k=depth)] for depth in (1, 4)]


async def test_retrieval_of_a_task_without_sources_is_none(project: Project, situation: Any) -> None:
    project.write_task(toml=TASK.split("[[context_sources]]")[0], cases=shop_items())
    assert await Retrieval().propose(await situation()) == []


async def test_retrieval_says_what_it_fetches(situation: Any) -> None:
    (candidate,) = await Retrieval(depths=(2,)).propose(await situation())
    assert (candidate.strategy, candidate.rationale) == ("retrieval", "fetches the best 2 from 'handbook'")
