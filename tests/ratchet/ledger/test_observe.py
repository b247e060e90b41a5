"""A reader beside changes, crashes and a person's edits: it notes what somebody wrote, and nothing else."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ratchet.ledger import Audit, Change, Versions
from ratchet.ledger.prompt_file import write_whole
from ratchet.store import Database
from ratchet.tasks import Task

pytestmark = pytest.mark.anyio
MakeChange = Callable[..., Change]
MINE = '{"other": "Keep me.", "shop": "Mine."}'


async def history(versions: Versions) -> list[tuple[int, str, str]]:
    return [(row["number"], row["status"], row["by"]) for row in await versions.history("shop")]


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch, prompts_file: Path) -> Callable[..., None]:
    """Once the prompts file has been read for the `n`-th time from now, something happens before the reader goes on."""

    def arm(action: Callable[[], Any], n: int = 1) -> None:
        read, left = Path.read_bytes, n

        def reading(file: Path) -> bytes:
            nonlocal left
            content = read(file)
            left -= file == prompts_file
            if file == prompts_file and left == 0:
                action()
            return content

        monkeypatch.setattr(Path, "read_bytes", reading)

    return arm


@pytest.fixture
def before_the_lock(monkeypatch: pytest.MonkeyPatch, database: Database) -> Callable[..., None]:
    """Just before the next write transaction begins, something happens."""

    def arm(action: Callable[[], Any]) -> None:
        write = database.write

        @contextmanager
        def writing() -> Iterator[Any]:
            monkeypatch.setattr(database, "write", write)
            action()
            with write() as connection:
                yield connection

        monkeypatch.setattr(database, "write", writing)

    return arm


@pytest.fixture
def apply(versions: Versions, shop: Task, change: MakeChange) -> Callable[..., Any]:
    """Applies a change at once, in the thread that calls it."""

    def now(number: int = 1) -> Any:
        made = change(f"Number {number + 1}.", proposal=f"P-{number}", base=number)
        return Versions.apply.__wrapped__(versions, shop, made)  # type: ignore[attr-defined]

    return now


async def test_a_reader_of_the_old_text_makes_no_version_of_it(
    versions: Versions, shop: Task, apply: Any, then: Any, audit: Audit
) -> None:
    await versions.active(shop)
    then(apply)
    active = await versions.active(shop)
    assert (active.number, active.prompts["shop"].prompt) == (2, "Number 2.")
    assert await history(versions) == [(1, "superseded", "file"), (2, "active", "ada")]
    assert [row["action"] for row in await audit.rows()] == ["observe", "apply"]


async def test_a_reader_beside_a_rollback_makes_no_version(
    versions: Versions, shop: Task, apply: Any, then: Any
) -> None:
    await versions.active(shop)
    apply()
    then(lambda: Versions.rollback.__wrapped__(versions, shop, None, "bob", ""))  # type: ignore[attr-defined]
    assert (await versions.active(shop)).prompts["shop"].prompt == "First é."
    assert await history(versions) == [(1, "superseded", "file"), (2, "rolled_back", "ada"), (3, "active", "bob")]


async def test_a_reader_that_was_overtaken_twice_serves_what_is_active_while_the_second_change_is_half_applied(
    versions: Versions, shop: Task, apply: Any, then: Any, before_the_lock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_applied() -> None:
        def dying(file: Path, text: str, **options: Any) -> None:
            write_whole(file, text, **options)
            raise KeyboardInterrupt

        monkeypatch.setattr("ratchet.ledger.versions.write_whole", dying)
        with pytest.raises(KeyboardInterrupt):
            apply(2)

    def overtaken() -> None:
        apply()
        before_the_lock(half_applied)

    await versions.active(shop)
    then(overtaken)
    assert (await versions.active(shop)).prompts["shop"].prompt == "Number 2."
    assert await history(versions) == [(1, "superseded", "file"), (2, "active", "ada"), (3, "applying", "ada")]


async def test_an_edit_that_was_taken_back_before_it_was_noted_is_no_version(
    versions: Versions, shop: Task, prompts_file: Path, then: Any
) -> None:
    await versions.active(shop)
    before = prompts_file.read_bytes()
    prompts_file.write_text(MINE)
    then(lambda: prompts_file.write_bytes(before))
    assert (await versions.active(shop)).prompts["shop"].prompt == "First é."
    assert await history(versions) == [(1, "active", "file")]


async def test_an_edit_is_noted_as_it_stands_when_it_is_noted(
    versions: Versions, shop: Task, prompts_file: Path, then: Any
) -> None:
    await versions.active(shop)
    prompts_file.write_text(MINE)
    then(lambda: prompts_file.write_text(MINE.replace("Mine", "Mine, and better")))
    assert (await versions.active(shop)).prompts["shop"].prompt == "Mine, and better."
    (_, row) = await versions.history("shop")
    assert row["file_text"] == prompts_file.read_text()


async def test_two_readers_of_an_edit_make_one_version_of_it(
    versions: Versions, shop: Task, prompts_file: Path, then: Any
) -> None:
    await versions.active(shop)
    prompts_file.write_text(MINE)
    then(lambda: Versions.active.__wrapped__(versions, shop))  # type: ignore[attr-defined]
    assert (await versions.active(shop)).number == 2
    assert await history(versions) == [(1, "superseded", "file"), (2, "active", "file")]


async def test_a_save_that_is_under_way_is_waited_for(versions: Versions, shop: Task, prompts_file: Path) -> None:
    await versions.active(shop)
    with prompts_file.open("w") as stream:  # now it is empty
        saving = threading.Timer(0.03, lambda: (stream.write(MINE), stream.flush()))
        saving.start()
        active = await versions.active(shop)
        saving.join()
    assert (active.number, active.prompts["shop"].prompt) == (2, "Mine.")
    assert list(prompts_file.parent.glob("*.broken-*")) == []


async def test_a_missing_file_behind_a_link_is_written_where_it_was(
    database: Database, shop: Task, prompts_file: Path
) -> None:
    link = prompts_file.with_name("link.json")
    link.symlink_to(prompts_file)
    versions = Versions(database, link)
    await versions.active(shop)
    before = prompts_file.read_bytes()
    prompts_file.unlink()
    await versions.active(shop)
    assert (link.is_symlink(), prompts_file.read_bytes()) == (True, before)


READER = """
import asyncio, random, sys, threading, time
from pathlib import Path
from ratchet.ledger import Versions
from ratchet.store import Database
from ratchet.tasks import Task

read = Path.read_bytes

def slowly(file):
    content = read(file)
    time.sleep(random.random() / 50)
    return content

Path.read_bytes = slowly
url, file = sys.argv[1], Path(sys.argv[2])
criterion = {"name": "short", "kind": "max_words", "limit": 5}
shop = Task(name="shop", folder=file.parent, description="d", components=["shop"], criteria=[criterion])
versions = Versions(Database(url), file)
stop = threading.Event()

async def reader():
    while not stop.is_set():
        active = await versions.active(shop)
        print(f"{active.number} {active.prompts['shop'].prompt}", flush=True)

async def main():
    waiting = asyncio.to_thread(lambda: (sys.stdin.read(), stop.set()))
    await asyncio.gather(waiting, *[reader() for _ in range(4)])

asyncio.run(main())
"""


@pytest.fixture
def reader(database_url: str, prompts_file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that reads four times at once, from a slow disk, until its input ends; it prints what it is served."""
    command = [sys.executable, "-c", READER, database_url, str(prompts_file)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        yield process
        process.kill()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().rstrip() for _ in range(count)]


async def test_reads_of_another_process_beside_many_changes_leave_the_versions_that_were_applied(
    versions: Versions, shop: Task, prompts_file: Path, change: MakeChange, reader: Any, audit: Audit
) -> None:
    await versions.active(shop)
    served = set()
    for number in range(1, 21):
        served |= set(lines(reader, 5))
        await versions.apply(shop, change(f"Number {number + 1}.", proposal=f"P-{number}", base=number))
    served |= set(reader.communicate()[0].splitlines())

    applied = [(number, "superseded", "ada") for number in range(2, 21)]
    assert await history(versions) == [(1, "superseded", "file"), *applied, (21, "active", "ada")]
    assert [row["action"] for row in await audit.rows()] == ["observe"] + ["apply"] * 20
    assert served <= {"1 First é."} | {f"{number} Number {number}." for number in range(2, 22)}

    prompts_file.write_text(MINE)
    assert (await versions.active(shop)).number == 22
