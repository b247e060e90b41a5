import asyncio
from typing import Any

import pytest
from shop import OpenEngine, Project, shop_items

from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, ConfigurationError, RefusalError
from ratchet.resolving import CaseRequest, approve_case, remove_case
from ratchet.store.rows import CaseRow
from ratchet.tasks import stable_split

pytestmark = pytest.mark.anyio
TEXT = "Where is the key?"
HELD_OUT = next(text for n in range(99) if stable_split(text := f"Where is key {n}?") == "holdout")


async def approved(engine: Engine, text: str = TEXT, **more: Any) -> CaseRow:
    request = CaseRequest("shop", input=text, expected="attic", reviewer="ada", **more)
    return (await approve_case(engine, request)).row


async def removed(engine: Engine, case_id: str) -> CaseRow:
    return await remove_case(engine, "shop", case_id, reviewer="bob", reason="wrong")


async def test_removed_case_is_no_case_from_the_next_run_on(engine: Engine, audited: Any) -> None:
    row = await approved(engine, split="train")
    bench = await engine.workbench("shop")
    assert await removed(engine, row["id"]) == row
    now = await engine.workbench("shop")
    assert (len(bench.cases), len(now.cases), await now.solved.similar("the key", 1)) == (41, 40, [])
    assert await audited() == [("ada", "case", ""), ("bob", "remove_case", "wrong")]
    detail = (await engine.audit.rows())[-1]["detail"]
    assert (detail["input"], detail["expected"], detail["split"]) == (TEXT, "attic", "train")


async def test_removed_case_may_be_approved_again_and_is_used_at_once(engine: Engine) -> None:
    row = await approved(engine, split="train")
    await engine.workbench("shop")
    await removed(engine, row["id"])
    again = await approved(engine, tags=("again",))
    assert (again["id"], again["split"]) == (row["id"], "train")
    assert (await engine.workbench("shop")).cases[-1].tags == ["again"]


async def test_case_that_was_trained_on_is_never_held_out_again(engine: Engine) -> None:
    row = await approved(engine, HELD_OUT, split="train")
    await removed(engine, row["id"])
    with pytest.raises(RefusalError, match="was a training case before"):
        await approved(engine, HELD_OUT, split="holdout")
    assert (await approved(engine, HELD_OUT))["split"] == "train"


async def test_case_that_was_held_out_may_be_held_out_or_trained_on_again(engine: Engine) -> None:
    for split in ("holdout", "holdout", "train"):
        row = await approved(engine, HELD_OUT, split=split)
        await removed(engine, row["id"])


async def test_case_that_two_remove_at_once_is_removed_once(open_engine: OpenEngine, audited: Any) -> None:
    one, two = await open_engine(), await open_engine()
    for number in range(10):
        row = await approved(one, f"Where is key {number}?")
        results = await asyncio.gather(removed(one, row["id"]), removed(two, row["id"]), return_exceptions=True)
        (refused,) = [result for result in results if result != row]
        assert isinstance(refused, AlreadyDecidedError | ConfigurationError)
    assert [row["action"] for row in await one.audit.rows()].count("remove_case") == 10
    assert await one.audit.verify() == []


async def test_case_that_was_approved_again_meanwhile_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    row = await approved(engine)
    await removed(engine, row["id"])
    again = await approved(engine)

    async def outdated(task: str) -> list[CaseRow]:
        return [row]

    await engine.workbench("shop")
    monkeypatch.setattr(engine.store.cases, "of_task", outdated)
    with pytest.raises(AlreadyDecidedError, match="removed just before"):
        await removed(engine, row["id"])
    monkeypatch.undo()
    assert await engine.store.cases.of_task("shop") == [again]


async def test_case_of_the_file_is_taken_out_there(engine: Engine, audited: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'c00' stands in .*cases\.jsonl; take its line out there"):
        await removed(engine, "c00")
    assert await audited() == []


async def test_case_that_is_unknown_or_of_another_task_is_refused(project: Project, engine: Engine) -> None:
    project.write_task("other", cases=shop_items(2), documents={"a.md": "x"})
    row = await approved(engine)
    with pytest.raises(ConfigurationError, match="shop: no approved case 'x'; `ratchet cases list shop` lists them"):
        await removed(engine, "x")
    with pytest.raises(ConfigurationError, match="other: no approved case"):
        await remove_case(engine, "other", row["id"], reviewer="bob", reason="")
    assert await engine.store.cases.of_task("shop") == [row]
