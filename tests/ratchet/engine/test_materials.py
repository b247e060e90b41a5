"""What is kept of a task's files: never older than the files when somebody asked."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shop import TASK, Project, shop_items

from ratchet.engine import Engine
from ratchet.engine import materials as module
from ratchet.errors import ConfigurationError, UnknownTaskError
from ratchet.store import now
from ratchet.store.cases import insert_case
from ratchet.store.schema import cases

pytestmark = pytest.mark.anyio
ASIDE = 'path = "../../aside"\n'


@pytest.fixture
def folder(project: Project) -> Path:
    return project.folder / "tasks" / "shop"


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tasks whose sources were indexed, in order."""
    loaded: list[str] = []
    open_sources = module.open_sources
    monkeypatch.setattr(
        module, "open_sources", lambda task, *rest: (loaded.append(task.name), open_sources(task, *rest))[1]
    )
    return loaded


@pytest.fixture
def after_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Once a file has been read for the `n`-th time from now, something happens before the reader goes on."""

    def arm(wanted: Path, n: int, action: Callable[[], Any]) -> None:
        read, left = Path.read_bytes, n

        def reading(file: Path) -> bytes:
            nonlocal left
            content = read(file)
            left -= file == wanted
            if file == wanted and left == 0:
                action()
            return content

        monkeypatch.setattr(Path, "read_bytes", reading)

    return arm


async def found(engine: Engine, text: str, **options: Any) -> list[str]:
    """What the handbook has on `text`."""
    bench = await engine.workbench("shop", **options)
    return [document.text for document in await bench.sources["handbook"].fetch(text, 1)]


async def test_files_that_stay_the_same_are_read_once(engine: Engine, loads: list[str]) -> None:
    for _ in range(3):
        await engine.workbench("shop")
    assert loads == ["shop"]


@pytest.mark.parametrize("n", [1, 2])
async def test_a_save_while_the_task_is_loaded_is_seen_the_next_time(
    engine: Engine, folder: Path, after_reading: Any, n: int
) -> None:
    after_reading(folder / "task.toml", n, lambda: (folder / "task.toml").write_text("threshold = 0.25\n" + TASK))
    await engine.workbench("shop")
    assert (await engine.workbench("shop")).task.threshold == 0.25


async def test_a_case_that_is_written_while_the_task_is_loaded_is_seen_the_next_time(
    engine: Engine, folder: Path, after_reading: Any
) -> None:
    after_reading(folder / "cases.jsonl", 1, lambda: (folder / "cases.jsonl").write_text('{"input": "x"}\n'))
    await engine.workbench("shop")
    assert len((await engine.workbench("shop")).cases) == 1


async def test_an_approved_case_that_arrives_while_the_task_is_loaded_is_known_as_long_as_it_is_there(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"task": "shop", "id": "case-1", "input": "x", "expected": "y", "split": "train", "tags": [], "origin": None}
    read = engine.store.cases.of_task

    async def late(task: str) -> Any:
        with engine.store.database.write() as connection:
            insert_case(connection, row | {"approved_by": "ada", "created_at": now()})
        return await read(task)

    with monkeypatch.context() as arriving:
        arriving.setattr(engine.store.cases, "of_task", late)
        assert len((await engine.workbench("shop")).cases) == 41
    with engine.store.database.write() as connection:
        connection.execute(cases.delete())
    assert len((await engine.workbench("shop")).cases) == 40


@pytest.mark.parametrize("file", ["a.md", "deep/b.md"])
async def test_a_document_that_is_added_edited_or_removed_is_seen(engine: Engine, folder: Path, file: str) -> None:
    document = folder / "documents" / file
    await engine.workbench("shop")
    document.parent.mkdir(exist_ok=True)
    document.write_text("The zebra is in zoo1.")
    assert await found(engine, "zebra") == ["The zebra is in zoo1."]
    before = document.stat()
    document.write_text("The zebra is in zoo2.")
    os.utime(document, ns=(before.st_atime_ns, before.st_mtime_ns))  # size and time of change are the same
    assert await found(engine, "zebra") == ["The zebra is in zoo2."]
    document.unlink()
    assert await found(engine, "zebra") == []


async def test_documents_outside_the_tasks_folder_are_looked_at_too(project: Project, engine: Engine) -> None:
    aside = project.folder / "aside"
    aside.mkdir()
    (aside / "a.md").write_text("The zebra is in the zoo.")
    project.write_task(toml=TASK.replace('path = "documents"\n', ASIDE), cases=shop_items())
    assert await found(engine, "zebra") == ["The zebra is in the zoo."]
    (aside / "a.md").write_text("The zebra is in a van.")
    assert await found(engine, "zebra") == ["The zebra is in a van."]


async def test_documents_behind_a_link_are_looked_at_too(project: Project, engine: Engine, folder: Path) -> None:
    (folder / "documents").rename(project.folder / "aside")
    (folder / "documents").symlink_to(project.folder / "aside")
    assert await found(engine, "zebra") == []
    (project.folder / "aside" / "z.md").write_text("The zebra is in the zoo.")
    assert await found(engine, "zebra") == ["The zebra is in the zoo."]


async def test_a_link_to_nothing_is_no_file(engine: Engine, folder: Path, loads: list[str]) -> None:
    (folder / ".#task.toml").symlink_to("ada@desk.1234")  # an editor's lock
    for _ in range(2):
        await engine.workbench("shop")
    assert loads == ["shop"]


async def test_a_step_of_the_same_run_does_without_another_look(engine: Engine, folder: Path) -> None:
    document = folder / "documents" / "z.md"
    await engine.workbench("shop")
    document.write_text("The zebra is in the zoo.")
    assert await found(engine, "zebra", within=60) == []
    assert await found(engine, "zebra") == ["The zebra is in the zoo."]
    document.write_text("The zebra is in a van.")
    await asyncio.sleep(0.02)
    assert await found(engine, "zebra", within=0.01) == ["The zebra is in a van."]


async def test_many_that_ask_at_once_share_one_load(
    engine: Engine, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    signature = module.signature

    def counting(task: Any) -> Any:
        nonlocal looks
        looks += 1
        return signature(task)

    monkeypatch.setattr(module, "signature", counting)
    await asyncio.gather(*[engine.workbench("shop") for _ in range(16)])
    assert loads == ["shop"]
    assert looks <= 3


async def test_a_wrong_file_is_told_until_it_is_mended(engine: Engine, folder: Path) -> None:
    await engine.workbench("shop")
    good = (folder / "task.toml").read_text()
    (folder / "task.toml").write_text("threshold = 2\n" + good)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="threshold"):
            await engine.workbench("shop")
    (folder / "task.toml").write_text(good)
    assert (await engine.workbench("shop")).task.threshold == 0.7


async def test_a_task_that_was_removed_is_unknown(engine: Engine, folder: Path) -> None:
    await engine.workbench("shop")
    folder.rename(folder.with_name("shop.old"))
    with pytest.raises(UnknownTaskError, match="no task 'shop'"):
        await engine.workbench("shop")


@pytest.mark.parametrize("name", ["..", "../tasks/shop", "", "nope"])
async def test_no_folder_is_walked_for_a_name_of_no_task(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def walk(*_: Any) -> Any:
        raise AssertionError("a folder is walked")

    monkeypatch.setattr(os, "walk", walk)
    with pytest.raises(UnknownTaskError):
        await engine.workbench(name)
