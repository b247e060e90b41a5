"""Changes of one task that overlap, and what a person writes between the two steps of one."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ratchet.errors import AlreadyDecidedError, ConfigurationError, StaleBaseError
from ratchet.ledger import Audit, Change, Versions
from ratchet.store import Database
from ratchet.tasks import Task

pytestmark = pytest.mark.anyio
MakeChange = Callable[..., Change]


@pytest.fixture
def between_the_steps(monkeypatch: pytest.MonkeyPatch, database: Database) -> Callable[..., None]:
    """After a change has begun (its first write transaction) and before it is finished, something happens."""

    def arm(action: Callable[[], Any]) -> None:
        write, begun = database.write, 0

        @contextmanager
        def writing() -> Iterator[Any]:
            nonlocal begun
            begun += 1
            if begun == 2:
                monkeypatch.setattr(database, "write", write)
                action()
            with write() as connection:
                yield connection

        monkeypatch.setattr(database, "write", writing)

    return arm


@pytest.fixture
def at_once(versions: Versions, shop: Task) -> Callable[..., Callable[[], Any]]:
    """A method of the ledger, called in the thread that it is called from."""

    def call(method: str, *args: Any) -> Callable[[], Any]:
        return lambda: getattr(Versions, method).__wrapped__(versions, shop, *args)

    return call


async def history(versions: Versions) -> list[tuple[int, str]]:
    return [(row["number"], row["status"]) for row in await versions.history("shop")]


async def test_of_two_changes_for_one_version_the_one_that_is_finished_first_stays(
    versions: Versions, shop: Task, change: MakeChange, between_the_steps: Any, at_once: Any, prompt_in_file: Any
) -> None:
    await versions.active(shop)
    between_the_steps(at_once("apply", change("Fast.", proposal="P-2")))
    with pytest.raises(StaleBaseError, match="version 3 of shop became active while version 2 was being applied"):
        await versions.apply(shop, change("Slow.", proposal="P-1"))
    assert prompt_in_file() == "Fast."
    assert await history(versions) == [(1, "superseded"), (2, "undone"), (3, "active")]
    with pytest.raises(AlreadyDecidedError, match="P-1 was undone, `ratchet audit` says why"):
        await versions.apply(shop, change("Slow.", proposal="P-1"))


async def test_a_rollback_that_a_change_overtakes_does_not_take_that_one_back(
    versions: Versions, shop: Task, change: MakeChange, between_the_steps: Any, at_once: Any, prompt_in_file: Any
) -> None:
    await versions.active(shop)
    await versions.apply(shop, change())
    between_the_steps(at_once("apply", change("Third.", proposal="P-2", base=2)))
    with pytest.raises(StaleBaseError, match="version 4 of shop became active"):
        await versions.rollback(shop, None, "watch", "worse", 2)
    assert prompt_in_file() == "Third."
    assert await history(versions) == [(1, "superseded"), (2, "superseded"), (3, "undone"), (4, "active")]


async def test_a_change_that_a_rollback_overtakes_is_not_applied(
    versions: Versions, shop: Task, change: MakeChange, between_the_steps: Any, at_once: Any, prompt_in_file: Any
) -> None:
    await versions.active(shop)
    await versions.apply(shop, change())
    between_the_steps(at_once("rollback", None, "bob", "no"))
    with pytest.raises(StaleBaseError):
        await versions.apply(shop, change("Third.", proposal="P-2", base=2))
    assert prompt_in_file() == "First é."
    assert (await versions.active(shop)).number == 4


async def test_recover_settles_every_change_that_was_interrupted(
    versions: Versions, shop: Task, change: MakeChange, between_the_steps: Any, at_once: Any, audit: Audit,
    prompts_file: Path,
) -> None:  # fmt: skip
    def ends() -> None:
        raise KeyboardInterrupt

    await versions.active(shop)
    for number in (1, 2):
        between_the_steps(ends)
        with pytest.raises(KeyboardInterrupt):
            await versions.apply(shop, change(f"By {number}.", proposal=f"P-{number}"))
    assert await history(versions) == [(1, "active"), (2, "applying"), (3, "applying")]
    said = str(await versions.recover(shop))
    assert "version 2 was being applied when the process ended; it is active now" in said
    assert "version 3 was undone: version 2 of shop became active" in said
    assert [row["action"] for row in await audit.rows()] == ["observe", "apply", "undo"]
    prompts_file.write_text('{"shop": "Mine."}')
    assert (await versions.active(shop)).number == 4


@pytest.mark.parametrize("written", ['{"shop": "Mine."}', '{"shop": {"prompt": "Mine.", "colour": 1}}', "[]"])
async def test_what_a_person_writes_meanwhile_stays_whatever_its_shape(
    versions: Versions, shop: Task, change: MakeChange, between_the_steps: Any, prompts_file: Path, written: str
) -> None:
    await versions.active(shop)
    between_the_steps(lambda: prompts_file.write_text(written))
    with pytest.raises(StaleBaseError, match="was edited while version 2 was being applied; start a new cycle"):
        await versions.apply(shop, change())
    assert prompts_file.read_text() == written
    assert await history(versions) == [(1, "active"), (2, "undone")]


async def test_a_change_waits_for_a_file_that_is_half_written_meanwhile(
    versions: Versions, shop: Task, change: MakeChange, between_the_steps: Any, prompts_file: Path
) -> None:
    await versions.active(shop)
    before = prompts_file.read_bytes()
    prompts_file.chmod(0o640)
    between_the_steps(lambda: prompts_file.write_text('{"shop": "Mi'))
    with pytest.raises(ConfigurationError, match="version 2 of shop waits until the file is whole"):
        await versions.apply(shop, change())
    assert prompts_file.read_text() == '{"shop": "Mi'
    assert (await versions.active(shop)).prompts["shop"].prompt == "First é."
    prompts_file.write_bytes(before)
    await versions.recover(shop)
    assert json.loads(prompts_file.read_text())["shop"] == {"prompt": "Second."}
    assert prompts_file.stat().st_mode & 0o777 == 0o640
