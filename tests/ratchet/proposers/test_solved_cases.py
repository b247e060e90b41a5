from dataclasses import replace
from typing import Any

import pytest
from shop import Project, shop_items

from ratchet.prompting.changes import with_source
from ratchet.proposers.solved_cases import SimilarSolvedCases

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("shown", "proposed"), [(0, [4]), (4, [8]), (12, [16]), (16, [])])
async def test_solved_cases_are_retrieved_as_in_the_experiments_or_twice_as_many(
    situation: Any, shown: int, proposed: list[int]
) -> None:
    start = await situation()
    base = with_source(start.prompt, "solved_cases", shown) if shown else start.prompt
    candidates = await SimilarSolvedCases().propose(replace(start, base=base))
    assert [step.top_k for candidate in candidates for step in candidate.prompt.context] == proposed


async def test_solved_cases_that_are_too_few_give_none(project: Project, situation: Any) -> None:
    project.write_task(cases=shop_items(6), documents={"a.md": "text"})
    start = await situation()
    assert len(start.bench.solved) == 3
    assert await SimilarSolvedCases().propose(start) == []


async def test_solved_cases_leave_the_instructions_as_they_are(situation: Any) -> None:
    start = await situation()
    (candidate,) = await SimilarSolvedCases().propose(start)
    assert candidate.prompt.prompt == start.prompt.prompt
    assert candidate.rationale == "shows the 4 most similar solved cases of each input"
