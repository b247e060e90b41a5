import asyncio
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ratchet.errors import ConfigurationError, RatchetError, StaleBaseError
from ratchet.ledger import Audit, Change, Versions
from ratchet.store import Database
from ratchet.tasks import Task

pytestmark = pytest.mark.anyio
MakeChange = Callable[..., Change]


async def statuses(versions: Versions) -> list[tuple[int, str, str]]:
    return [(row["number"], row["status"], row["by"]) for row in await versions.history("shop")]


async def test_active_notes_what_stands_in_the_file_first_as_version_one(versions: Versions, shop: Task) -> None:
    for _ in range(2):
        active = await versions.active(shop)
        assert (active.number, active.prompts["shop"].prompt) == (1, "First é.")
    assert await statuses(versions) == [(1, "active", "file")]


async def test_active_notes_a_persons_edit_as_a_new_version(
    versions: Versions, shop: Task, prompts_file: Path, audit: Audit
) -> None:
    await versions.active(shop)
    prompts_file.write_text('{"other": "Keep me.", "shop": "Mine."}')
    active = await versions.active(shop)
    assert (active.number, active.prompts["shop"].prompt) == (2, "Mine.")
    assert await statuses(versions) == [(1, "superseded", "file"), (2, "active", "file")]
    assert [row["detail"]["reason"] for row in await audit.rows()] == [
        "as first found in the file",
        "edited in the file",
    ]


async def test_active_takes_no_notice_of_layout_and_other_tasks(
    versions: Versions, shop: Task, prompts_file: Path
) -> None:
    await versions.active(shop)
    prompts_file.write_text('{"shop": "First é.", "other": "Changed."}')
    assert (await versions.active(shop)).number == 1


async def test_active_refuses_a_file_without_the_component(versions: Versions, shop: Task, prompts_file: Path) -> None:
    prompts_file.write_text('{"other": "x"}')
    with pytest.raises(ConfigurationError, match="no prompt for 'shop', a component of the task shop"):
        await versions.active(shop)


async def test_apply_changes_the_file_and_nothing_else(
    versions: Versions, shop: Task, change: MakeChange, prompt_in_file: Any, audit: Audit
) -> None:
    await versions.active(shop)
    row = await versions.apply(shop, change())
    assert (row["number"], row["status"], row["base_number"]) == (2, "active", 1)
    assert [prompt_in_file(name) for name in ("shop", "other", "extra")] == ["Second.", "Keep me.", "x"]
    assert await statuses(versions) == [(1, "superseded", "file"), (2, "active", "ada")]
    assert (await versions.active(shop)).number == 2
    (entry,) = [entry for entry in await audit.rows() if entry["action"] == "apply"]
    assert (entry["actor"], entry["subject"], entry["detail"]["numbers"]) == (
        "ada",
        "version 2",
        {"before": 0.5, "after": 0.75},
    )


async def test_apply_again_changes_nothing(
    versions: Versions, shop: Task, change: MakeChange, prompts_file: Path, audit: Audit
) -> None:
    await versions.active(shop)
    first = await versions.apply(shop, change())
    stamp, entries = prompts_file.stat().st_ino, await audit.rows()
    again = await versions.apply(shop, change("Another text."))
    assert (again["number"], again["components"]) == (first["number"], first["components"])
    assert prompts_file.stat().st_ino == stamp
    assert await audit.rows() == entries


def in_two_threads(*actions: Callable[[], Any]) -> list[Any]:
    barrier = threading.Barrier(len(actions))

    def one(action: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return asyncio.run(action())
        except RatchetError as error:
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(one, actions))


@pytest.mark.parametrize("attempt", range(2))
def test_apply_from_two_threads_happens_once(
    versions: Versions, shop: Task, change: MakeChange, audit: Audit, attempt: int
) -> None:
    asyncio.run(versions.active(shop))
    rows = in_two_threads(*[lambda: versions.apply(shop, change())] * 2)
    assert [row["number"] for row in rows] == [2, 2]
    assert asyncio.run(statuses(versions)) == [(1, "superseded", "file"), (2, "active", "ada")]
    assert [entry["action"] for entry in asyncio.run(audit.rows())] == ["observe", "apply"]


@pytest.mark.parametrize("attempt", range(2))
def test_apply_of_two_tasks_at_once_keeps_both(
    versions: Versions, shop: Task, other: Task, change: MakeChange, prompt_in_file: Any, attempt: int
) -> None:
    for task in (shop, other):
        asyncio.run(versions.active(task))
    in_two_threads(
        lambda: versions.apply(shop, change("New shop.")),
        lambda: versions.apply(other, change("New other.", proposal="P-2", component="other")),
    )
    assert (prompt_in_file("shop"), prompt_in_file("other")) == ("New shop.", "New other.")


async def test_apply_refuses_a_stale_base(
    versions: Versions, shop: Task, change: MakeChange, prompt_in_file: Any
) -> None:
    await versions.active(shop)
    await versions.apply(shop, change())
    with pytest.raises(StaleBaseError, match="made for version 1 of shop, the active one is 2; run `ratchet improve"):
        await versions.apply(shop, change("Third.", proposal="P-2"))
    assert prompt_in_file() == "Second."


async def test_apply_refuses_where_nothing_is_active(versions: Versions, shop: Task, change: MakeChange) -> None:
    with pytest.raises(StaleBaseError, match="the active one is none"):
        await versions.apply(shop, change())


async def test_apply_refuses_a_file_that_was_edited_meanwhile(
    versions: Versions, shop: Task, change: MakeChange, prompts_file: Path, prompt_in_file: Any
) -> None:
    await versions.active(shop)
    prompts_file.write_text('{"shop": "Mine."}')
    with pytest.raises(StaleBaseError, match="was edited since the proposal was made"):
        await versions.apply(shop, change())
    assert prompt_in_file() == "Mine."


async def test_rollback_is_byte_identical(
    versions: Versions, shop: Task, change: MakeChange, prompts_file: Path, audit: Audit
) -> None:
    before = hashlib.sha256(prompts_file.read_bytes()).hexdigest()
    await versions.active(shop)
    await versions.apply(shop, change())
    row = await versions.rollback(shop, None, "bob", "it got worse")
    assert hashlib.sha256(prompts_file.read_bytes()).hexdigest() == before
    assert (row["number"], row["base_number"]) == (3, None)
    assert await statuses(versions) == [(1, "superseded", "file"), (2, "rolled_back", "ada"), (3, "active", "bob")]
    assert (await versions.active(shop)).number == 3
    assert (await audit.rows())[-1]["action"] == "rollback"


async def test_rollback_to_a_number_and_forward_again(
    versions: Versions, shop: Task, change: MakeChange, prompts_file: Path, prompt_in_file: Any
) -> None:
    await versions.active(shop)
    for base, text in ((1, "Second."), (2, "Third.")):
        await versions.apply(shop, change(text, proposal=f"P-{base}", base=base))
    third = prompts_file.read_bytes()
    await versions.rollback(shop, 1, "bob", "")
    assert prompt_in_file() == "First é."
    await versions.rollback(shop, 3, "bob", "")
    assert prompts_file.read_bytes() == third


async def test_rollback_keeps_changes_of_other_tasks(
    versions: Versions, shop: Task, other: Task, change: MakeChange, prompt_in_file: Any
) -> None:
    await versions.active(shop)
    await versions.active(other)
    await versions.apply(shop, change())
    await versions.apply(other, change("New other.", proposal="P-2", component="other"))
    await versions.rollback(shop, None, "bob", "")
    assert [prompt_in_file(name) for name in ("shop", "other", "extra")] == ["First é.", "New other.", "x"]


@pytest.mark.parametrize("to", [None, 0, 2, 99])
async def test_rollback_to_nothing_is_refused(
    versions: Versions, shop: Task, prompts_file: Path, to: int | None
) -> None:
    await versions.active(shop)
    content = prompts_file.read_bytes()
    with pytest.raises(ConfigurationError, match="to go back to; see `ratchet history shop`"):
        await versions.rollback(shop, to, "bob", "")
    assert prompts_file.read_bytes() == content
    assert await statuses(versions) == [(1, "active", "file")]


async def test_proposal_that_was_rolled_back_is_not_applied_again(
    versions: Versions, shop: Task, change: MakeChange, prompt_in_file: Any
) -> None:
    await versions.active(shop)
    await versions.apply(shop, change())
    await versions.rollback(shop, None, "bob", "")
    await versions.apply(shop, change())
    assert prompt_in_file() == "First é."


async def test_ledger_is_shared_by_processes(
    database: Database, prompts_file: Path, versions: Versions, shop: Task, change: MakeChange
) -> None:
    await versions.active(shop)
    await Versions(database, prompts_file).apply(shop, change())
    assert (await versions.active(shop)).number == 2
