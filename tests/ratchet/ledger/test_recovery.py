import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ratchet.errors import AlreadyDecidedError, ConfigurationError, RatchetError
from ratchet.ledger import Audit, Change, Versions
from ratchet.ledger import versions as ledger
from ratchet.ledger.prompt_file import write_whole
from ratchet.tasks import Task

pytestmark = pytest.mark.anyio
MakeChange = Callable[..., Change]


class CrashError(BaseException):
    """The process ends here."""


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the next application end before or after the file is written."""

    def arm(*, after_writing: bool) -> None:
        def dying(file: Path, text: str, **options: Any) -> None:
            monkeypatch.setattr(ledger, "write_whole", write_whole)
            if after_writing:
                write_whole(file, text, **options)
            raise CrashError

        monkeypatch.setattr(ledger, "write_whole", dying)

    return arm


@pytest.fixture
async def crashed(versions: Versions, shop: Task, change: MakeChange, crash: Any) -> Callable[..., Any]:
    async def run(*, after_writing: bool) -> None:
        await versions.active(shop)
        crash(after_writing=after_writing)
        with pytest.raises(CrashError):
            await versions.apply(shop, change())

    return run


async def statuses(versions: Versions) -> list[str]:
    return [row["status"] for row in await versions.history("shop")]


@pytest.mark.parametrize("after_writing", [False, True])
async def test_recover_finishes_an_interrupted_application(
    versions: Versions, shop: Task, crashed: Any, prompt_in_file: Any, audit: Audit, after_writing: bool
) -> None:
    await crashed(after_writing=after_writing)
    assert await statuses(versions) == ["active", "applying"]
    assert "version 2 was being applied when the process ended; it is active now" in str(await versions.recover(shop))
    assert await statuses(versions) == ["superseded", "active"]
    assert prompt_in_file() == "Second."
    assert (await versions.active(shop)).number == 2
    assert [row["action"] for row in await audit.rows()] == ["observe", "apply"]
    assert await versions.recover(shop) is None


@pytest.mark.parametrize("after_writing", [False, True])
async def test_apply_again_finishes_an_interrupted_application(
    versions: Versions, shop: Task, change: MakeChange, crashed: Any, prompt_in_file: Any, after_writing: bool
) -> None:
    await crashed(after_writing=after_writing)
    await versions.active(shop)
    assert (await versions.apply(shop, change()))["status"] == "active"
    assert await statuses(versions) == ["superseded", "active"]
    assert prompt_in_file() == "Second."


@pytest.mark.parametrize("after_writing", [False, True])
async def test_active_makes_no_version_of_a_half_applied_change(
    versions: Versions, shop: Task, crashed: Any, after_writing: bool
) -> None:
    await crashed(after_writing=after_writing)
    assert (await versions.active(shop)).number == 1
    assert await statuses(versions) == ["active", "applying"]


async def test_recover_undoes_when_a_person_edited_the_file(
    versions: Versions, shop: Task, change: MakeChange, crashed: Any, prompts_file: Path, prompt_in_file: Any
) -> None:
    await crashed(after_writing=False)
    prompts_file.write_text('{"other": "Keep me.", "shop": "Mine."}')
    assert "task_prompts.json was edited while version 2 was being applied" in str(await versions.recover(shop))
    assert await statuses(versions) == ["active", "undone"]
    assert prompt_in_file() == "Mine."
    assert (await versions.active(shop)).number == 3
    with pytest.raises(AlreadyDecidedError):
        await versions.apply(shop, change())


async def test_apply_again_does_not_overwrite_a_persons_edit(
    versions: Versions, shop: Task, change: MakeChange, crashed: Any, prompts_file: Path, prompt_in_file: Any
) -> None:
    await crashed(after_writing=False)
    prompts_file.write_text('{"other": "Keep me.", "shop": "Mine."}')
    with pytest.raises(RatchetError):
        await versions.apply(shop, change())
    assert prompt_in_file() == "Mine."


async def test_recover_keeps_what_another_task_applied_meanwhile(
    versions: Versions, shop: Task, other: Task, change: MakeChange, crashed: Any, prompt_in_file: Any
) -> None:
    await versions.active(other)
    await crashed(after_writing=False)
    await versions.apply(other, change("New other.", proposal="P-2", component="other"))
    await versions.recover(shop)
    assert (prompt_in_file("shop"), prompt_in_file("other")) == ("Second.", "New other.")


async def test_recover_leaves_a_file_that_cannot_be_read_and_goes_on_when_it_is_whole(
    versions: Versions, shop: Task, crashed: Any, prompts_file: Path, prompt_in_file: Any
) -> None:
    await crashed(after_writing=False)
    before = prompts_file.read_bytes()
    prompts_file.write_bytes(b"{")
    with pytest.raises(ConfigurationError, match=r"not JSON, line 1 column 2.*; version 2 of shop waits"):
        await versions.recover(shop)
    assert (prompts_file.read_bytes(), (await versions.active(shop)).number) == (b"{", 1)
    prompts_file.write_bytes(before)
    await versions.recover(shop)
    assert (prompt_in_file(), prompt_in_file("other")) == ("Second.", "Keep me.")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
async def test_recover_finishes_what_a_crash_left_half_written_in_place(
    versions: Versions, shop: Task, crashed: Any, prompts_file: Path, prompt_in_file: Any, share: float
) -> None:
    await crashed(after_writing=False)
    (_, row) = await versions.history("shop")
    new, old = row["file_text"].encode(), prompts_file.read_bytes()
    written = int(share * len(new))
    prompts_file.write_bytes(new[:written] + old[written:])
    await versions.recover(shop)
    assert (prompt_in_file(), prompt_in_file("other")) == ("Second.", "Keep me.")


async def test_recover_without_anything_to_do_says_nothing(versions: Versions, shop: Task) -> None:
    assert await versions.recover(shop) is None
    await versions.active(shop)
    assert await versions.recover(shop) is None


BROKEN = {"empty": b"", "cut off": b'{"shop": "Fir', "not UTF-8": b'{"shop": "\xff"}', "spaces": b"  \n"}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
async def test_file_that_cannot_be_read_is_left_alone_and_told_until_it_is_whole(
    versions: Versions,
    shop: Task,
    prompts_file: Path,
    audit: Audit,
    change: MakeChange,
    content: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await versions.active(shop)
    before = prompts_file.read_bytes()
    prompts_file.write_bytes(content)
    for _ in range(2):
        active = await versions.active(shop)
        assert (active.number, active.prompts["shop"].prompt) == (1, "First é.")
        assert "are served until it is whole: mend it, or delete it" in str(active.problem)
    assert await versions.problem() == active.problem
    assert caplog.text.count("are served until it is whole") == 1
    for attempt in (versions.apply(shop, change()), versions.rollback(shop, 1, "ada", "")):
        with pytest.raises(ConfigurationError, match=r"nothing was changed\. Mend the file"):
            await attempt
    assert (prompts_file.read_bytes(), os.listdir(prompts_file.parent).count("task_prompts.json")) == (content, 1)
    assert list(prompts_file.parent.glob("*.broken-*")) == []
    assert [row["action"] for row in await audit.rows()] == ["observe"]

    prompts_file.write_bytes(b"\xef\xbb\xbf" + before.replace(b"First", b"Mine").replace(b"\n", b"\r\n"))
    active = await versions.active(shop)
    assert (active.number, active.prompts["shop"].prompt, active.problem) == (2, "Mine é.", None)
    assert await versions.problem() is None


async def test_missing_file_is_rebuilt(versions: Versions, shop: Task, prompts_file: Path) -> None:
    await versions.active(shop)
    before = prompts_file.read_bytes()
    prompts_file.unlink()
    assert (await versions.active(shop)).number == 1
    assert prompts_file.read_bytes() == before
    assert list(prompts_file.parent.glob("*.broken-*")) == []


async def test_folder_in_place_of_the_file_is_moved_aside(versions: Versions, shop: Task, prompts_file: Path) -> None:
    await versions.active(shop)
    before = prompts_file.read_bytes()
    prompts_file.unlink()
    prompts_file.mkdir()
    (prompts_file / "note.txt").write_text("keep")
    await versions.active(shop)
    assert prompts_file.read_bytes() == before
    (kept,) = prompts_file.parent.glob("task_prompts.json.broken-*")
    assert (kept / "note.txt").read_text() == "keep"


async def test_rebuilt_file_holds_what_every_task_applied_last(
    versions: Versions, shop: Task, other: Task, change: MakeChange, prompts_file: Path, prompt_in_file: Any
) -> None:
    await versions.active(shop)
    await versions.active(other)
    await versions.apply(other, change("New other.", proposal="P-2", component="other"))
    prompts_file.unlink()
    await versions.active(shop)
    assert (prompt_in_file("shop"), prompt_in_file("other")) == ("First é.", "New other.")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
async def test_broken_file_without_a_version_is_refused_and_untouched(
    versions: Versions, shop: Task, prompts_file: Path, content: bytes
) -> None:
    prompts_file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"task_prompts\.json: not"):
        await versions.active(shop)
    assert prompts_file.read_bytes() == content


@pytest.mark.parametrize(
    "data",
    [[], {}, {"shop": 1}, {"shop": {"prompt": ""}}, {"shop": {"prompt": "x", "colour": 1}}, {"other": "x"}, None],
)
async def test_readable_file_of_wrong_shape_is_refused_and_untouched(
    versions: Versions, shop: Task, prompts_file: Path, data: Any
) -> None:
    await versions.active(shop)
    prompts_file.write_text(json.dumps(data))
    with pytest.raises(ConfigurationError, match=r"task_prompts\.json"):
        await versions.active(shop)
    assert prompts_file.read_text() == json.dumps(data)
    assert list(prompts_file.parent.glob("*.broken-*")) == []


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_write_whole_keeps_the_mode(prompts_file: Path, mode: int) -> None:
    prompts_file.chmod(mode)
    write_whole(prompts_file, "new é")
    assert prompts_file.read_bytes() == "new é".encode()
    assert stat.S_IMODE(prompts_file.stat().st_mode) == mode


async def test_file_keeps_its_mode_when_a_version_is_brought_back(
    versions: Versions, shop: Task, prompts_file: Path
) -> None:
    prompts_file.chmod(0o664)
    await versions.active(shop)
    prompts_file.write_text('{"other": "Keep me.", "shop": "Mine."}')
    await versions.active(shop)
    await versions.rollback(shop, 1, "ada", "")
    assert stat.S_IMODE(prompts_file.stat().st_mode) == 0o664


def test_write_whole_makes_a_new_file_with_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_whole(tmp_path / "new.json", "{}")
    assert (tmp_path / "new.json").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_write_whole_follows_a_link(prompts_file: Path) -> None:
    link = prompts_file.with_name("link.json")
    link.symlink_to(prompts_file)
    write_whole(link, "new")
    assert link.is_symlink()
    assert prompts_file.read_text() == "new"


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_write_whole_leaves_nothing_behind_on_failure(
    prompts_file: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "no space left")

    before, names = prompts_file.read_bytes(), sorted(prompts_file.parent.iterdir())
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(ConfigurationError, match="cannot be written: no space left"):
        write_whole(prompts_file, "new")
    assert prompts_file.read_bytes() == before
    assert sorted(prompts_file.parent.iterdir()) == names
