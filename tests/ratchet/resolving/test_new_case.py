from typing import Any

import pytest
from shop import Project, shop_items

from ratchet.engine import Engine
from ratchet.errors import ConfigurationError, RefusalError
from ratchet.resolving import CaseRequest, approve_case
from ratchet.tasks import stable_split

pytestmark = pytest.mark.anyio
TEXT = "Where is the key?"


async def test_case_with_a_corrected_output_is_stored_and_the_failure_marked(
    engine: Engine, fail: Any, statuses: Any, audited: Any
) -> None:
    (failure,) = await fail(f"  {TEXT}\n")
    request = CaseRequest(
        "shop", origin=failure, expected=["attic", "loft"], tags=("prod",), reviewer="ada", reason="r"
    )
    added = await approve_case(engine, request)
    (row,) = await engine.store.cases.of_task("shop")
    assert row == added.row
    assert (row["input"], row["expected"], row["tags"], row["origin"]) == (TEXT, ["attic", "loft"], ["prod"], failure)
    assert (row["approved_by"], added.as_it_was, added.corrected) == ("ada", False, failure)
    assert await statuses() == {failure: "corrected"}
    assert await audited() == [("ada", "case", "r")]


@pytest.mark.parametrize("expected", [None, "cellar"])
async def test_case_with_the_output_of_the_failure_is_approved_as_it_is(
    engine: Engine, fail: Any, statuses: Any, expected: str | None
) -> None:
    (failure,) = await fail(TEXT)
    added = await approve_case(engine, CaseRequest("shop", origin=failure, expected=expected))
    assert (added.row["expected"], added.as_it_was, added.corrected) == ("cellar", True, None)
    assert await statuses() == {failure: "open"}


@pytest.mark.parametrize("split", ["train", "holdout"])
async def test_case_is_used_from_the_next_run_on(engine: Engine, split: Any) -> None:
    bench = await engine.workbench("shop")
    request = CaseRequest("shop", input=TEXT, expected="attic", split=split)
    row = (await approve_case(engine, request)).row
    now = await engine.workbench("shop")
    assert (len(bench.cases), len(now.cases)) == (40, 41)
    assert [case.id for case in getattr(now, "train" if split == "train" else "holdout")][-1] == row["id"]
    assert bool(await now.solved.similar("the key", 1)) is (split == "train")
    assert len(bench.cases) == 40


async def test_case_is_of_its_task_only(project: Project, engine: Engine) -> None:
    project.write_task("other", cases=shop_items(2), documents={"a.md": "x"})
    await approve_case(engine, CaseRequest("shop", input=TEXT, expected="attic"))
    assert len((await engine.workbench("other")).cases) == 2


async def test_case_without_a_split_gets_the_stable_one(engine: Engine, fail: Any) -> None:
    texts = [f"Where is the key number {number}?" for number in range(8)]
    for failure in await fail(*texts):
        await approve_case(engine, CaseRequest("shop", origin=failure))
    rows = await engine.store.cases.of_task("shop")
    assert {row["input"]: row["split"] for row in rows} == {text: stable_split(text) for text in texts}
    assert len({row["split"] for row in rows}) == 2


async def test_case_that_a_cycle_worked_on_is_never_held_out(engine: Engine, fail: Any) -> None:
    held_out = next(f"Where is {n}?" for n in range(99) if stable_split(f"Where is {n}?") == "holdout")
    failure, same = await fail(held_out, f" {held_out.upper()}\r\n")
    await engine.store.failures.mark([failure], "in_cycle", "C")
    for request in (CaseRequest("shop", origin=same, split="holdout"),
                    CaseRequest("shop", input=held_out, expected="x", split="holdout")):  # fmt: skip
        with pytest.raises(RefusalError, match="a cycle has worked on this input"):
            await approve_case(engine, request)
    assert await engine.store.cases.of_task("shop") == []
    assert (await approve_case(engine, CaseRequest("shop", origin=same))).row["split"] == "train"


async def test_case_of_a_cycle_with_one_failure_is_found_by_its_id(engine: Engine, queue: Any) -> None:
    await queue(TEXT)
    for number, origin in enumerate(("C-1", "V-C-1")):
        if number:
            with pytest.raises(ConfigurationError, match="already"):
                await approve_case(engine, CaseRequest("shop", origin=origin))
        else:
            assert (await approve_case(engine, CaseRequest("shop", origin=origin))).row["origin"] == "F-0"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (CaseRequest("shop", origin="F-9"), "no failure 'F-9' of shop"),
        (CaseRequest("shop", origin="C-9"), "no failure 'C-9' of shop"),
        (CaseRequest("shop", origin="C-1", expected="x"), "C-1 has 2 failures, name one of them: F-0, F-1"),
        (CaseRequest("shop", input="new"), "no expected output is known"),
        (CaseRequest("shop", input="new", expected=" "), "is empty; leave it out where nothing is known"),
        (CaseRequest("shop", input="new", expected=[]), "is empty; leave it out where nothing is known"),
        (CaseRequest("shop", input="new", expected=[""]), "is empty; leave it out where nothing is known"),
        (CaseRequest("shop", input="new", expected=["right", " \t"]), "is empty; leave it out where nothing is known"),
        (CaseRequest("shop", input="new", expected=[None]), "is empty; leave it out where nothing is known"),
        (CaseRequest("shop", input="new", expected=[{}]), "is empty; leave it out where nothing is known"),
        (CaseRequest("shop", input="new", expected=[float("nan")]), "is no JSON"),
        (CaseRequest("shop", input="new", expected={"a": float("inf")}), "is no JSON"),
        (CaseRequest("shop", input="new", expected={"a": ["\udc00"]}), "half of a surrogate pair"),
        (CaseRequest("shop", input="new", expected=" "), "the expected output ' ' is empty"),
        (CaseRequest("shop", input="new", expected=[]), r"the expected output \[\] is empty"),
        (CaseRequest("shop", input="new", expected=["x", ""]), "is empty; leave it out"),
        (CaseRequest("shop", input="new", expected=float("nan")), "the expected output nan is no JSON"),
        (CaseRequest("shop", input=" ", expected="x"), "the input of the case is empty"),
        (CaseRequest("shop", expected="x"), "either from a failure or from an input"),
        (CaseRequest("shop", origin="F-0", input="x"), "either from a failure or from an input"),
        (CaseRequest("shop", input=f"{shop_items()[1]['input']} ", expected="x"), "that of the case 'c01' already"),
        (CaseRequest("shop", input="where is ITEM01\u3000kept", expected="x"), "that of the case 'c01' already"),
        (CaseRequest("shop", input="Where is item\uff10\uff12 kept?", expected="x"), "that of the case 'c02' already"),
        (CaseRequest("none", input="new", expected="x"), "no task 'none'"),
    ],
)
async def test_case_that_must_not_be_changes_nothing(
    engine: Engine, queue: Any, statuses: Any, audited: Any, request_: CaseRequest, words: str
) -> None:
    await queue("Where is the key?", "Where is the lamp?")
    before = await statuses()
    with pytest.raises(ConfigurationError, match=words):
        await approve_case(engine, request_)
    assert await engine.store.cases.of_task("shop") == []
    assert (await statuses(), await audited()) == (before, [])


async def test_case_that_was_approved_before_is_refused(engine: Engine, fail: Any, statuses: Any, audited: Any) -> None:
    await approve_case(engine, CaseRequest("shop", input=TEXT, expected="attic"))
    (failure,) = await fail(TEXT)
    with pytest.raises(ConfigurationError, match="already"):
        await approve_case(engine, CaseRequest("shop", origin=failure, expected="loft"))
    assert (await statuses(), len(await audited())) == ({failure: "open"}, 1)


@pytest.mark.parametrize("text", [TEXT, f" {TEXT.upper()}", TEXT.replace(" ", "\u3000")])
async def test_approved_case_that_is_held_out_stays_so_beside_a_training_case(
    project: Project, engine: Engine, text: str
) -> None:
    row = (await approve_case(engine, CaseRequest("shop", input=TEXT, expected="attic", split="holdout"))).row
    for more in ({"id": "mine"}, {"id": row["id"]}):
        project.write_task(cases=[*shop_items(), {"input": text, "expected": "shed", "split": "train", **more}])
        bench = await engine.workbench("shop")
        assert (bench.cases[-1].id, bench.cases[-1].split, len(bench.cases)) == (row["id"], "holdout", 41)
        assert [item.case.expected for item in bench.left_out] == ["shed"]


async def test_case_of_the_file_wins(project: Project, engine: Engine) -> None:
    row = (await approve_case(engine, CaseRequest("shop", input=TEXT, expected="attic", split="train"))).row
    same_input = {"id": "mine", "input": f" {TEXT}", "expected": "shed", "split": "holdout"}
    same_id = {"id": row["id"], "input": "Where am I?", "expected": "here", "split": "holdout"}
    for item in (same_input, same_id):
        project.write_task(cases=[*shop_items(), item])
        bench = await engine.workbench("shop")
        assert (len(bench.cases), bench.cases[-1].expected) == (41, item["expected"])
        assert not await bench.solved.similar("the key", 1)
