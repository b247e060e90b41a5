"""Which inputs from production are held out, and in which order a test looks at its cases."""

from collections import Counter
from typing import Any

import pytest
from shop import TASK, FailRuns, OpenEngine, Project, shop_items

from ratchet.engine import Engine
from ratchet.gate.holdout import HeldOut, Settled, fair_share, in_order, may_rotate_in, production_cases, settled_cases
from ratchet.resolving import CaseRequest, approve_case, remove_case
from ratchet.store.runs import PastRun
from ratchet.tasks import Case, case_id, stable_split

pytestmark = pytest.mark.anyio


def asked(split: str, count: int, start: int = 0) -> list[str]:
    """That many inputs of a split that no case has."""
    texts = (f"Question {number}?" for number in range(start, 100_000))
    return [
        text for text, _ in zip((text for text in texts if stable_split(text) == split), range(count), strict=False)
    ]


HELD = asked("holdout", 30)


async def serve(
    engine: Engine, *texts: str, source: str = "ada", passed: bool | None = True, expected: Any = "x"
) -> None:
    """Store a run for each input, one after the other."""
    stored = len(await engine.store.runs.recent("shop", per_source=10_000, limit=10_000))
    for number, text in enumerate(texts):
        document = {"thread_id": "t", "input": text, "expected": expected,
                    "evaluation": {"passed": passed, "score": None}}  # fmt: skip
        await engine.store.runs.add(f"R-{source}-{stored + number}-{passed}", "shop", source, document, version=1)


async def rotated(engine: Engine) -> list[HeldOut]:
    return await production_cases(engine, await engine.workbench("shop"))


async def inputs(engine: Engine) -> list[str]:
    return [held.case.input for held in await rotated(engine)]


async def settled(
    engine: Engine, test_id: str = "P1", salt: str = "C", worked_on: frozenset[str] = frozenset()
) -> Settled:
    return await settled_cases(engine, await engine.workbench("shop"), test_id, salt=salt, worked_on=worked_on)


def pool(*sources: str, decisions: int = 0) -> list[HeldOut]:
    """One input each of these sources."""
    return [
        HeldOut(
            Case(id=f"{source}{number}", input=f"{source}{number}", split="holdout"),
            PastRun(f"R{number}", source, f"{source}{number}", None, ""),
            decisions,
        )
        for number, source in enumerate(sources)
    ]


async def test_passed_and_failed_runs_rotate_in_newest_first(engine: Engine) -> None:
    await serve(engine, HELD[0])
    await serve(engine, HELD[1], passed=False)
    (newest, oldest) = await rotated(engine)
    assert (newest.case.input, oldest.case.input) == (HELD[1], HELD[0])
    assert newest.case == Case(id=case_id(HELD[1]), input=HELD[1], expected="x", split="holdout")
    assert newest.run is not None
    assert newest.run.id == "R-ada-1-False"


async def test_an_input_rotates_in_once_with_what_was_expected_last(engine: Engine) -> None:
    await serve(engine, HELD[0], expected="old")
    await serve(engine, f" {HELD[0]}\n", expected={"new": 1})
    assert [(held.case.input, held.case.expected) for held in await rotated(engine)] == [(HELD[0], {"new": 1})]


async def test_what_may_be_trained_on_or_cannot_be_scored_stays_out(engine: Engine) -> None:
    await serve(engine, *asked("train", 3))
    await serve(engine, shop_items()[1]["input"], " " + shop_items()[0]["input"])
    await serve(engine, HELD[0], passed=None)
    await serve(engine, HELD[1], expected=None)
    await serve(engine, HELD[2], source="case:c00")
    assert await rotated(engine) == []


async def test_a_run_without_an_expected_output_is_good_enough_where_none_is_required(
    project: Project, engine: Engine
) -> None:
    project.write_task(toml=TASK.replace("required = true", "required = false"), cases=shop_items())
    await serve(engine, HELD[0], expected=None)
    assert await inputs(engine) == [HELD[0]]


async def test_an_input_that_a_cycle_has_worked_on_never_comes_back(engine: Engine, fail_runs: FailRuns) -> None:
    await serve(engine, HELD[0], HELD[1])
    await fail_runs(engine, 0, input=f"{HELD[0]} ")
    assert len(await inputs(engine)) == 2
    await engine.store.failures.mark(["F-0"], "in_cycle", "C-1")
    await engine.store.failures.mark(["F-0"], "superseded")
    assert await inputs(engine) == [HELD[1]]


async def test_an_input_that_was_a_training_case_never_rotates_in(engine: Engine) -> None:
    await serve(engine, *HELD[:2])
    row = (await approve_case(engine, CaseRequest("shop", input=HELD[0], expected="x", split="train"))).row
    await remove_case(engine, "shop", row["id"], reviewer="ada", reason="was wrong")
    assert await inputs(engine) == [HELD[1]]


async def test_one_source_cannot_fill_the_held_out_cases(open_engine: OpenEngine) -> None:
    engine = await open_engine(min_sources=3)
    await serve(engine, *HELD[:20], source="mallory")
    assert await inputs(engine) == []
    await serve(engine, *HELD[20:22], source="ada")
    assert await inputs(engine) == []
    await serve(engine, *HELD[22:25], source="bob")
    taken = Counter(held.run.source for held in await rotated(engine) if held.run)
    assert taken == {"mallory": 2, "ada": 2, "bob": 2}


async def test_a_flood_does_not_push_the_others_out_of_sight(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await open_engine(min_sources=2)
    monkeypatch.setattr("ratchet.gate.holdout.PER_SOURCE", 5)
    monkeypatch.setattr("ratchet.gate.holdout.LOOKED_AT", 10)
    await serve(engine, HELD[0], source="ada")
    await serve(engine, *HELD[1:], source="mallory")
    assert await inputs(engine) == [HELD[-1], HELD[0]]


@pytest.mark.parametrize(
    ("sources", "most", "least", "taken"),
    [
        ("abcdef", 20, 2, {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}),
        ("abcdef", 4, 2, {"a": 1, "b": 1, "c": 1, "d": 1}),
        ("aaaaaa", 20, 1, {"a": 6}),
        ("aaaaab", 20, 2, {"a": 1, "b": 1}),
        ("aaaaabbc", 20, 2, {"a": 3, "b": 2, "c": 1}),
        ("aaaaaa", 20, 2, {}),
        ("ab", 1, 2, {}),
        ("", 20, 1, {}),
    ],
)
def test_fair_share_gives_no_source_more_than_its_part(
    sources: str, most: int, least: int, taken: dict[str, int]
) -> None:
    chosen = fair_share(pool(*sources), most, least)
    assert Counter(held.run.source for held in chosen if held.run) == taken


def test_fair_share_takes_what_was_used_least_then_the_newest() -> None:
    used, fresh = pool("a", "b", decisions=1), pool("c", "d", "e")
    assert fair_share([*used, *fresh], 4, 1) == [*fresh, used[0]]


async def test_none_rotates_in_where_it_is_turned_off(project: Project, engine: Engine) -> None:
    await serve(engine, *HELD)
    assert len(await rotated(engine)) == 20
    project.write_task(toml=TASK + "\n[holdout]\nproduction = 3\n", cases=shop_items())
    assert await inputs(engine) == HELD[:-4:-1]
    project.write_task(toml=TASK + "\n[holdout]\nproduction = 0\n", cases=shop_items())
    assert await rotated(engine) == []
    assert not may_rotate_in((await engine.workbench("shop")).task, HELD[0], "x")


async def test_settled_cases_are_those_of_the_task_and_of_production(engine: Engine) -> None:
    await serve(engine, *HELD[:5])
    found = await settled(engine)
    assert {case.id for case in found.cases} - found.production == {f"c{number:02d}" for number in range(1, 40, 2)}
    assert found.production == {case_id(text) for text in HELD[:5]}


async def test_settled_cases_stay_the_same_whatever_comes_in_later(engine: Engine) -> None:
    await serve(engine, *HELD[:5])
    first = await settled(engine)
    await serve(engine, *HELD[5:])
    await settled(engine, "P2")
    await engine.store.gate_cases.note_seen("P2", {first.cases[0].id})
    assert await settled(engine) == first
    assert await settled(engine, "P3") != first


async def test_settled_cases_leave_out_what_was_trained_on_since(project: Project, engine: Engine) -> None:
    first = await settled(engine)
    lost = first.cases[3]
    assert (await settled(engine, worked_on=frozenset({lost.form}))).cases == first.cases[:3] + first.cases[4:]
    project.write_task(cases=[case | {"split": "train"} if case["id"] == lost.id else case for case in shop_items()])
    left = await settled(engine)
    assert left.cases == first.cases[:3] + first.cases[4:]
    assert left.planned == first.planned == len(first.cases)


WAYS = [str.upper, lambda text: f"\t{text}\r\n", lambda text: text.replace(" ", "\u3000").replace("?", "\uff1f")]
"""Other ways to write an input."""


@pytest.mark.parametrize("way", WAYS)
async def test_an_input_written_in_another_way_is_still_the_one_that_was_worked_on(
    engine: Engine, fail_runs: FailRuns, way: Any
) -> None:
    await serve(engine, *HELD[:4], source="ada")
    await serve(engine, *HELD[4:8], source="bob")
    assert len(await inputs(engine)) == 8
    await fail_runs(engine, 0, input=way(HELD[0]))
    await engine.store.failures.mark(["F-0"], "in_cycle", "C-1")
    assert HELD[0] not in await inputs(engine)
    assert len(await inputs(engine)) == 7


@pytest.mark.parametrize("way", WAYS)
async def test_production_gives_each_input_once_and_none_that_is_a_case(engine: Engine, way: Any) -> None:
    await serve(engine, HELD[0], way(HELD[0]), way("Where is item00 kept?"), way("Where is item01 kept?"))
    assert await inputs(engine) == [way(HELD[0]).strip()]


@pytest.mark.parametrize("way", WAYS)
async def test_decisions_of_an_input_count_however_it_was_written(project: Project, engine: Engine, way: Any) -> None:
    first = (await settled(engine)).cases
    await engine.store.gate_cases.note_seen("P1", {first[0].id})
    rewritten = [case | {"input": way(case["input"])} if case["id"] == first[0].id else case for case in shop_items()]
    project.write_task(cases=rewritten)
    assert (await settled(engine, "P2")).cases[-1].id == first[0].id


@pytest.mark.parametrize("way", WAYS)
async def test_what_was_trained_on_before_stays_out_however_it_is_written(engine: Engine, way: Any) -> None:
    row = (await approve_case(engine, CaseRequest(task="shop", input=HELD[0], expected="x", split="train"))).row
    await remove_case(engine, "shop", row["id"], reviewer="ada", reason="")
    await serve(engine, way(HELD[0]), HELD[1])
    assert await inputs(engine) == [HELD[1]]


async def test_cases_that_took_part_least_often_come_first(engine: Engine) -> None:
    first = (await settled(engine)).cases
    await engine.store.gate_cases.note_seen("P1", {case.id for case in first[:8]})
    second = (await settled(engine, "P2")).cases
    assert second == [*first[8:], *first[:8]]


async def test_the_order_is_another_in_each_cycle(engine: Engine) -> None:
    one, two = (await settled(engine, "P1")).cases, (await settled(engine, "P2", salt="D")).cases
    assert one != two
    assert sorted(case.id for case in one) == sorted(case.id for case in two)


def test_the_kinds_come_in_step_however_much_one_of_them_is_used() -> None:
    own, production = pool(*"a" * 20, decisions=3), pool(*"b" * 10)
    order = [held.case.id[0] for held in in_order([own, production], "s")]
    for start in range(0, 30, 6):
        assert Counter(order[start : start + 6]) == {"a": 4, "b": 2}
