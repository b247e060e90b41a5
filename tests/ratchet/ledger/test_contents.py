import json
import os
import threading
import time
from pathlib import Path

import pytest

from ratchet.errors import ConfigurationError
from ratchet.ledger import contents
from ratchet.tasks import Task

WHOLE = [b'{"shop": "p"}', b'\xef\xbb\xbf{"shop": "p"}', b'{"shop": "p"}\r\n', b"[]"]


def write(file: Path, **prompts: object) -> str:
    text = json.dumps(prompts)
    file.write_text(text, encoding="utf-8")
    return text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"[" * 100_000, "no JSON that can be read"),
        (b'{"shop": ' + b"1" * 5000 + b"}", "no JSON that can be read"),
        (b"  \n", "empty"),
        (b"{", "not JSON, line 1 column 2"),
        (b'{"shop":\r\n "half', "not JSON, line 2 column 2"),
        (b'{"shop":\n "\xff"}', "not UTF-8 text, line 2 "),
        ('{"shop": "p"}'.encode("utf-16"), "not UTF-8 text, line 1 (byte 0); it looks like UTF-16"),
        (b"not json", "not JSON, line 1 column 1"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(prompts_file: Path, content: bytes, words: str) -> None:
    prompts_file.write_bytes(content)
    assert words in str(contents.problem_of(prompts_file))
    assert not contents.is_gone(prompts_file)


@pytest.mark.parametrize("content", WHOLE)
def test_a_file_of_wrong_shape_is_an_error_of_its_own(prompts_file: Path, content: bytes) -> None:
    prompts_file.write_bytes(content)
    assert contents.problem_of(prompts_file) is None


def test_a_file_that_is_missing_or_a_folder_is_gone(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "none.json")
    for place in (tmp_path / "none.json", tmp_path / "dangling", tmp_path):
        assert contents.is_gone(place)
        assert contents.problem_of(place)


@pytest.mark.timeout(20)
def test_a_pipe_in_the_files_place_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "prompts.json")
    assert contents.lasting_problem(tmp_path / "prompts.json")
    assert not contents.is_gone(tmp_path / "prompts.json")


def test_a_file_that_cannot_be_read_just_now_is_not_gone(prompts_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "cannot be read (Permission denied)" in str(contents.problem_of(prompts_file))
    assert not contents.is_gone(prompts_file)


def test_a_file_that_an_editor_is_saving_has_no_lasting_problem(
    prompts_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prompts_file.read_bytes()
    prompts_file.write_bytes(whole[:10])

    def save(seconds: float) -> None:
        assert seconds == contents.SAVING_SECONDS
        prompts_file.write_bytes(whole)

    monkeypatch.setattr(time, "sleep", save)
    assert contents.lasting_problem(prompts_file) is None


def test_a_broken_file_is_given_time_once(prompts_file: Path) -> None:
    prompts_file.write_text("{")
    started = time.monotonic()
    assert contents.lasting_problem(prompts_file)
    assert time.monotonic() - started >= contents.SAVING_SECONDS


OLD, NEW = '{"a": "old text, longer"}', '{"a": "new é"}'


@pytest.mark.parametrize(
    ("data", "torn"),
    [
        (NEW.encode()[:9] + OLD.encode()[9:], True),
        (NEW.encode() + OLD.encode()[len(NEW.encode()) :], True),
        (NEW.encode()[:9], False),
        (NEW.encode(), False),
        (OLD.encode(), False),
        (b"", False),
        (OLD.encode()[:-2], False),
        (NEW.encode()[:9] + b" and mine", False),
    ],
)
def test_only_what_a_crash_leaves_is_torn(data: bytes, torn: bool) -> None:
    assert contents.is_torn(data, NEW, ['{"b": 1, "c": "something else"}', OLD]) is torn


def test_a_whole_file_is_not_waited_for(prompts_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("waited for a file that is whole"))
    assert contents.lasting_problem(prompts_file) is None


def test_own_components_are_those_of_the_task_in_one_form(prompts_file: Path, shop: Task) -> None:
    text = prompts_file.read_text(encoding="utf-8")
    assert contents.own_components(text, shop, prompts_file) == {"shop": {"prompt": "First é."}}
    assert contents.components_or_none(prompts_file, shop) == {"shop": {"prompt": "First é."}}


@pytest.mark.parametrize("text", ['{"other": "x"}', '{"shop": 5}', "[]", "{"])
def test_components_that_cannot_be_read_are_none_or_an_error_with_the_files_name(
    prompts_file: Path, shop: Task, text: str
) -> None:
    prompts_file.write_text(text)
    assert contents.components_or_none(prompts_file, shop) is None
    with pytest.raises(ConfigurationError, match=r"task_prompts\.json"):
        contents.own_components(text, shop, prompts_file)


def test_merge_gives_the_wanted_text_to_the_byte_where_others_are_the_same(prompts_file: Path) -> None:
    write(prompts_file, shop="First.", other="Keep me.")
    wanted = '{"other":"Keep me.",   "shop":"Second."}\n\n'
    assert contents.merge_components(wanted, {"shop": {"prompt": "Second."}}, prompts_file) == wanted


def test_merge_keeps_what_a_person_changed_in_other_components(prompts_file: Path) -> None:
    wanted = write(prompts_file, shop="Second.", other="Keep me.")
    write(prompts_file, shop="First.", other="Mine, of today.", third="New.")
    merged = json.loads(contents.merge_components(wanted, {"shop": {"prompt": "Second."}}, prompts_file))
    assert merged == {"shop": {"prompt": "Second."}, "other": "Mine, of today.", "third": "New."}


@pytest.mark.parametrize("today", ["", "{", '{"other": 5}'])
def test_merge_into_a_file_that_cannot_be_read_gives_the_wanted_text(prompts_file: Path, today: str) -> None:
    prompts_file.write_text(today)
    wanted = '{"shop": "Second."}'
    assert contents.merge_components(wanted, {"shop": {"prompt": "Second."}}, prompts_file) == wanted


def test_patch_leaves_the_text_alone_where_nothing_differs(prompts_file: Path, shop: Task) -> None:
    text = prompts_file.read_text(encoding="utf-8")
    assert contents.patch(text, contents.own_components(text, shop, prompts_file)) == text


@pytest.mark.parametrize("written", [5, None, {"prompt": 5}, {"prompts": "misspelt"}, "Other."])
def test_patch_replaces_what_differs_or_is_of_wrong_shape(written: object) -> None:
    text = json.dumps({"shop": written, "other": "Keep me."})
    assert json.loads(contents.patch(text, {"shop": {"prompt": "Second."}})) == {
        "shop": {"prompt": "Second."},
        "other": "Keep me.",
    }


def test_a_reader_beside_a_save_sees_it_broken_or_whole_and_never_raises(prompts_file: Path, shop: Task) -> None:
    whole = prompts_file.read_bytes()
    done = threading.Event()

    def save_again_and_again() -> None:
        while not done.is_set():
            prompts_file.write_bytes(whole)

    writer = threading.Thread(target=save_again_and_again)
    writer.start()
    try:
        seen = [contents.components_or_none(prompts_file, shop) for _ in range(200)]
    finally:
        done.set()
        writer.join()
    assert all(components in (None, {"shop": {"prompt": "First é."}}) for components in seen)
