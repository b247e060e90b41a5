"""Files that can be replaced, that can only be written in place, and that cannot be written at all."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ratchet.errors import ConfigurationError
from ratchet.ledger import Change, Versions
from ratchet.ledger.prompt_file import check_writable, keep_aside, write_whole
from ratchet.store import Database
from ratchet.store.schema import versions as table
from ratchet.tasks import Task

pytestmark = pytest.mark.anyio
NO_RENAME = [errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EROFS]


@pytest.fixture
def no_rename(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """As with a file that is a mount of its own: it can be written, and nothing can take its place."""

    def refuse(number: int) -> None:
        def replace(self: Path, target: Path) -> Path:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(Path, "replace", replace)
        monkeypatch.setattr(Path, "rename", replace)

    return refuse


@pytest.mark.parametrize("number", NO_RENAME)
def test_file_that_cannot_be_replaced_is_written_in_place(tmp_path: Path, no_rename: Any, number: int) -> None:
    file = tmp_path / "prompts.json"
    file.write_text("old and longer than the new one")
    inode = file.stat().st_ino
    no_rename(number)
    write_whole(file, "new")
    assert (file.read_text(), file.stat().st_ino) == ("new", inode)
    assert os.listdir(tmp_path) == ["prompts.json"]


def test_link_and_mode_are_kept(tmp_path: Path) -> None:
    real = tmp_path / "shared" / "live.json"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o640)
    link = tmp_path / "prompts.json"
    link.symlink_to(real)
    write_whole(link, "new")
    assert (link.is_symlink(), real.read_text(), real.stat().st_mode & 0o777) == (True, "new", 0o640)


def test_other_fault_is_told_and_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "prompts.json"
    file.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="cannot be written: No space left on device"):
        write_whole(file, "new")
    assert (file.read_text(), os.listdir(tmp_path)) == ("old", ["prompts.json"])


def test_broken_file_that_is_a_mount_stays_where_it_is(tmp_path: Path, no_rename: Any) -> None:
    file = tmp_path / "prompts.json"
    file.write_text("{")
    no_rename(errno.EBUSY)
    assert keep_aside(file) is None
    assert file.read_text() == "{"


async def test_change_of_a_mounted_file_goes_live(
    versions: Versions, shop: Task, change: Any, prompt_in_file: Any, no_rename: Any
) -> None:
    await versions.active(shop)
    no_rename(errno.EBUSY)
    assert (await versions.apply(shop, change()))["status"] == "active"
    assert prompt_in_file() == "Second."
    await versions.rollback(shop, None, "bob", "worse")
    assert prompt_in_file() == "First é."


READ_ONLY = """
import asyncio, sys
from pathlib import Path
from ratchet.errors import ConfigurationError
from ratchet.ledger import Change, Versions
from ratchet.prompting import TaskPrompt
from ratchet.store import Database
from ratchet.tasks import Task

folder, url = Path(sys.argv[1]), sys.argv[2]
task = Task(name="shop", folder=folder, description="d", components=["shop"],
            criteria=[{"name": "short", "kind": "max_words", "limit": 5}])
versions = Versions(Database(url), folder / "task_prompts.json")
change = Change(proposal_id="P-1", component="shop", prompt=TaskPrompt(prompt="Second."), base_version=1, by="ada",
                reason="r", numbers={})

async def main():
    await versions.active(task)
    for act in (versions.apply(task, change), versions.rollback(task, 1, "bob", "r")):
        try:
            await act
        except ConfigurationError as error:
            print(error)
    print((await versions.active(task)).prompts["shop"].prompt, len(await versions.history("shop")))

asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_read_only_file_is_told_before_anything_is_noted(prompts_file: Path, database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "task_prompts.json").write_bytes(prompts_file.read_bytes())
    script = f'mount --bind "{folder}" "{folder}" && mount -o remount,bind,ro "{folder}" && exec "$@"'
    command = [sys.executable, "-c", READ_ONLY, str(folder), database_url]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *command], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mounts in here: {done.stderr.strip()[:100]}")
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stderr
    assert all("cannot be written (Read-only file system); nothing was changed" in line for line in lines[:2])
    assert lines[2] == "First é. 1"


async def test_no_row_is_written_where_the_file_cannot_be(
    versions: Versions, shop: Task, change: Callable[..., Change], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await versions.active(shop)

    def refuse(file: Path) -> None:
        raise ConfigurationError("cannot be written")

    monkeypatch.setattr("ratchet.ledger.versions.check_writable", refuse)
    with pytest.raises(ConfigurationError):
        await versions.apply(shop, change())
    with database.read() as connection:
        assert [row.status for row in connection.execute(table.select())] == ["active"]


def test_file_that_may_be_missing_or_read_only_in_a_folder_of_ones_own_is_fine(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.json")
    assert os.listdir(tmp_path) == []


async def test_missing_file_that_cannot_be_written_is_served_from_the_database(
    versions: Versions,
    shop: Task,
    prompts_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await versions.active(shop)
    prompts_file.unlink()

    def refuse(*_: Any, **__: Any) -> None:
        raise ConfigurationError("task_prompts.json cannot be written: Read-only file system")

    monkeypatch.setattr("ratchet.ledger.observe.write_whole", refuse)
    assert (await versions.active(shop)).prompts["shop"].prompt == "First é."
    assert "Read-only file system. The file is left alone, and the versions of the database are served" in caplog.text


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.EIO])
async def test_file_that_cannot_be_read_just_now_is_not_moved(
    versions: Versions, shop: Task, prompts_file: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    await versions.active(shop)
    content = prompts_file.read_bytes()

    def refuse(self: Path) -> bytes:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as only:
        only.setattr(Path, "read_bytes", refuse)
        active = await versions.active(shop)
        assert (active.number, active.prompts["shop"].prompt) == (1, "First é.")
        assert f"cannot be read ({os.strerror(number)})" in str(active.problem)
    assert prompts_file.read_bytes() == content
    assert (await versions.active(shop)).problem is None


async def test_file_with_a_utf_8_mark_is_read(versions: Versions, shop: Task, prompts_file: Path) -> None:
    prompts_file.write_bytes(b"\xef\xbb\xbf" + prompts_file.read_bytes())
    assert (await versions.active(shop)).prompts["shop"].prompt == "First é."
    assert [file for file in os.listdir(prompts_file.parent) if "broken" in file] == []


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "prompts.json"
    file.write_text("old")
    left = [".prompts.json.0123456789abcdef.tmp", ".prompts.json.ffffffffffffffff.tmp"]
    others = [
        ".other.json.0123456789abcdef.tmp",
        ".prompts.json.tmp",
        "prompts.json.0123456789abcdef.tmp",
        ".promptsxjson.0123456789abcdef.tmp",
    ]
    for name in [*left, *others]:
        (tmp_path / name).touch()
    write_whole(file, "new")
    assert file.read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "prompts.json"])
