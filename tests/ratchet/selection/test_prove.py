import pytest
from shop import Project, item_of, needs_requirement

from ratchet.engine import Engine
from ratchet.gate import level
from ratchet.prompting import TaskPrompt
from ratchet.selection import prove
from ratchet.selection.prove import looks

pytestmark = pytest.mark.anyio
GOOD = "Answer the question. Answer in at most 5 words."


async def test_prove_stops_when_the_answer_is_clear(project: Project, engine: Engine) -> None:
    script = project.script("agent", needs_requirement)
    bench = await engine.workbench("shop")
    seen: list[tuple[int, int]] = []
    comparison = await prove(
        engine, bench, "shop", TaskPrompt(prompt=GOOD), bench.holdout,
        level=level(1, 0), salt="C", progress=lambda done, total: seen.append((done, total)),
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
        await prove(engine, bench, "shop", TaskPrompt(prompt=text), bench.holdout, level=0.05, salt="C")
    assert len(script.calls) == 3 * 12


async def test_prove_of_no_cases_proves_nothing(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    comparison = await prove(engine, bench, "shop", TaskPrompt(prompt=GOOD), [], level=1.0, salt="C")
    assert comparison.result(fixed=1, triggering=1).proven is False
