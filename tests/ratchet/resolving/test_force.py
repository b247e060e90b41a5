import json
from typing import Any

import pytest
from shop import RULES, OpenEngine, Project

from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, ConfigurationError, RefusalError, StaleBaseError
from ratchet.ledger import versions
from ratchet.resolving import complete_all_forced, find_item, resolve_item

pytestmark = pytest.mark.anyio


async def force(engine: Engine) -> Any:
    return await resolve_item(engine, "C-1", "force", reason="I tried it", reviewer="ada")


async def test_force_applies_what_was_not_proven(
    project: Project, engine: Engine, queue: Any, statuses: Any, fail: Any
) -> None:
    await queue(change="Answer well.")
    result = await force(engine)
    assert (result.status, result.version) == ("forced", 2)
    assert json.loads(project.prompts_file.read_text()) == {"shop": {"prompt": "Answer well."}}
    assert await statuses() == {"F-0": "fixed", "item": "forced"}
    rows = [row for row in await engine.audit.rows() if row["actor"] == "ada"]
    assert [row["action"] for row in rows] == ["force", "apply"]
    assert [row["detail"]["reason"] for row in rows] == ["I tried it", "forced: I tried it"]
    assert rows[0]["detail"]["numbers"] == rows[1]["detail"]["numbers"]
    assert (rows[0]["detail"]["numbers"]["after"], rows[0]["detail"]["verdict"]) == (0.15, "inconclusive")
    cycle = await engine.store.cycles.get("C-1") or {}
    assert (cycle["status"], cycle["document"]["version"]) == ("applied", 2)
    assert await engine.store.proposals.status("C-1-P1") == "applied"
    assert await engine.audit.verify() == []


async def test_force_leaves_what_was_corrected(engine: Engine, queue: Any, statuses: Any) -> None:
    await queue("Where is the key?", "Where is the lamp?", change="Answer well.")
    await resolve_item(engine, "C-1", "correct", expected="attic", failure="F-0")
    await force(engine)
    assert await statuses() == {"F-0": "corrected", "F-1": "fixed", "item": "forced"}


@pytest.mark.parametrize(
    ("item", "error", "words"),
    [
        ({}, ConfigurationError, "none met the gate"),
        ({"change": "Answer well.", "measured": 0}, ConfigurationError, "no held-out case has measured it"),
        ({"change": "Answer well.", "status": "rejected"}, ConfigurationError, "it is rejected"),
        ({"change": "Answer well.", "status": "applied"}, AlreadyDecidedError, "applied already"),
        ({"change": "Answer well.", "rule_violations": ["r"]}, RefusalError, "violates the pinned rules"),
        ({"change": f"Answer. {RULES[0]}"}, RefusalError, "cannot be forced: it restates the pinned rule"),
        ({"change": "x" * 6001}, RefusalError, "cannot be forced: it is longer"),
    ],
)
async def test_force_of_what_must_not_go_live_changes_nothing(
    project: Project, engine: Engine, queue: Any, statuses: Any, audited: Any, item: Any, error: Any, words: str
) -> None:
    await queue(**item)
    prompts = project.prompts_file.read_bytes()
    with pytest.raises(error, match=words):
        await force(engine)
    assert (await statuses(), await audited()) == ({"F-0": "escalated", "item": "open"}, [])
    assert project.prompts_file.read_bytes() == prompts


async def test_force_of_a_stale_change_leaves_the_item_open(
    project: Project, engine: Engine, queue: Any, statuses: Any, audited: Any
) -> None:
    await queue(change="Answer well.")
    project.write_prompts({"shop": "Mine."})
    with pytest.raises(StaleBaseError, match="made for version 1 of shop, the active one is 2"):
        await force(engine)
    assert (await statuses(), await audited()) == ({"F-0": "escalated", "item": "open"}, [])
    assert json.loads(project.prompts_file.read_text()) == {"shop": "Mine."}


async def test_force_that_a_person_overtakes_leaves_the_item_open(
    project: Project, engine: Engine, queue: Any, statuses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await queue(change="Answer well.")
    begin = versions.Versions._begin_apply

    def then_edited(*arguments: Any) -> None:
        begin(*arguments)
        project.write_prompts({"shop": "Mine."})

    monkeypatch.setattr(versions.Versions, "_begin_apply", then_edited)
    with pytest.raises(StaleBaseError, match="edited while version 2 was being applied"):
        await force(engine)
    assert await statuses() == {"F-0": "escalated", "item": "open"}
    monkeypatch.undo()
    assert (await resolve_item(engine, "C-1", "dismiss")).status == "dismissed"


async def test_force_that_a_crash_interrupts_is_completed(
    project: Project,
    engine: Engine,
    open_engine: OpenEngine,
    queue: Any,
    statuses: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await queue(change="Answer well.")

    def crash(*arguments: Any, **options: Any) -> None:
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(versions, "write_whole", crash)
        with pytest.raises(SystemError):
            await force(engine)
    assert await statuses() == {"F-0": "escalated", "item": "forced"}
    later = await open_engine()
    with pytest.raises(AlreadyDecidedError, match="C-1 is forced already"):
        await force(later)
    assert json.loads(project.prompts_file.read_text()) == {"shop": {"prompt": "Answer well."}}
    assert await statuses() == {"F-0": "fixed", "item": "forced"}
    assert (await find_item(later, "C-1")).cycle["document"]["version"] == 2
    assert [row["action"] for row in await later.audit.rows()].count("force") == 1


async def test_forces_that_a_crash_interrupted_are_completed_without_another_answer(
    project: Project,
    engine: Engine,
    open_engine: OpenEngine,
    queue: Any,
    statuses: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await queue(change="Answer well.")

    async def crash(*arguments: Any, **options: Any) -> None:
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr("ratchet.live.apply.note_applied", crash)
        with pytest.raises(SystemError):
            await force(engine)
    assert await statuses() == {"F-0": "escalated", "item": "forced"}
    later = await open_engine()
    for _ in range(2):
        await complete_all_forced(later, "shop")
    assert await statuses() == {"F-0": "fixed", "item": "forced"}
    assert (await find_item(later, "C-1")).cycle["status"] == "applied"
    assert [row["number"] for row in await later.versions.history("shop")] == [1, 2]
