"""Files that no editor writes: each command ends with one line that says what is wrong, and hangs nowhere."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Done
from cycle_states import Reach

pytestmark = pytest.mark.timeout(120)
DIGITS = "3" * 4400
DEEP = "[" * 60_000
SOURCE = 'path = "documents"'


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def text(name: str, content: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_text(content)


def more(name: str, content: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_text((folder / name).read_text() + content)


def other(name: str, before: str, after: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_text((folder / name).read_text().replace(before, after))


def loop(name: str) -> Callable[[Path], Any]:
    def put(folder: Path) -> None:
        remove(folder / name)
        (folder / name).symlink_to(Path(name).name)

    return put


def pipe(name: str) -> Callable[[Path], Any]:
    def put(folder: Path) -> None:
        remove(folder / name)
        os.mkfifo(folder / name)

    return put


CASES, TASK, PROMPTS, RULES = (
    "tasks/desk/cases.jsonl",
    "tasks/desk/task.toml",
    "task_prompts.json",
    "behavior_rules.json",
)
REFUSED = {
    "number in cases": (more(CASES, f'{{"input": "a", "expected": {DIGITS}}}\n'), "more than 4300 digits"),
    "number in the task": (other(TASK, "components", f"threshold = {DIGITS}\ncomponents"), "more than 4300 digits"),
    "number in the rules": (text(RULES, f'{{"rules": [{DIGITS}]}}'), "more than 4300 digits"),
    "number in the script": (text("script.json", f'[{{"match": "", "reply": {DIGITS}}}]'), "more than 4300 digits"),
    "number in the prompts": (text(PROMPTS, f'{{"desk": "a", "other": {DIGITS}}}'), "more than 4300 digits"),
    "depth in the prompts": (text(PROMPTS, DEEP), "nested too deeply"),
    "half a pair in the prompts": (text(PROMPTS, '{"desk": "a", "\\ud800": "b"}'), "half of a surrogate pair"),
    "half a pair in cases": (more(CASES, '{"input": "a", "expected": ["\\udc00"]}\n'), "half of a surrogate pair"),
    "cases are a loop": (loop(CASES), "cannot be read (Too many levels"),
    "cases are a pipe": (pipe(CASES), "is a pipe or a device"),
    "prompts are a pipe": (pipe(PROMPTS), "is a pipe or a device"),
    "prompts are a loop": (loop(PROMPTS), "cannot be read (Too many levels"),
    "rules are a pipe": (pipe(RULES), "is a pipe or a device"),
    "documents are a loop": (loop("tasks/desk/documents"), "cannot be followed"),
    "source is no path": (other(TASK, SOURCE, 'path = "a\\u0000b"'), "cannot be followed"),
    "source is too long": (other(TASK, SOURCE, f'path = "{"x" * 5000}"'), "cannot be followed"),
    "tasks are a loop": (loop("tasks"), "cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_odd_file_is_named_in_one_line(case: str, project: Path, ratchet: Callable[..., Done]) -> None:
    put, said = REFUSED[case]
    put(project)
    done = ratchet("run", "desk", "What is the price of item001?")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert len(done.err) < 400
    assert ratchet("doctor").code == 1


@pytest.mark.parametrize("name", ["tasks/desk/unused", "tasks/desk/documents/loop.md", "tasks/desk/documents/more"])
def test_loop_that_nothing_needs_keeps_nobody_from_being_served(
    name: str, project: Path, ratchet: Callable[..., Done]
) -> None:
    loop(name)(project)
    assert ratchet("run", "desk", "hello").code == 0


@pytest.mark.parametrize("put", [text(PROMPTS, DEEP), text(PROMPTS, f'{{"desk": {DIGITS}}}'), pipe(PROMPTS)])
def test_odd_prompts_file_is_left_alone_and_the_active_version_is_served(
    put: Callable[[Path], Any], project: Path, ratchet: Callable[..., Done], caplog: pytest.LogCaptureFixture
) -> None:
    assert ratchet("run", "desk", "hello").code == 0
    put(project)
    before = (project / PROMPTS).lstat()
    done = ratchet("run", "desk", "hello")
    assert (done.code, f"{PROMPTS}: " in caplog.text) == (0, True)
    assert (project / PROMPTS).lstat().st_mtime_ns == before.st_mtime_ns
    assert [file.name for file in project.iterdir() if PROMPTS in file.name] == [PROMPTS]


def test_request_waits_out_a_prompts_file_with_half_a_pair(reach: Reach) -> None:
    cycle_id = reach("awaiting_approval")
    folder = reach.desk.folder
    text(PROMPTS, '{"desk": "Answer the customer.", "\\ud800": "x"}')(folder)
    for _ in range(2):
        done = reach.desk.ratchet("approve", cycle_id)
        assert (done.code, "half of a surrogate pair" in done.err) == (2, True)
    text(PROMPTS, '{"desk": "Answer the customer."}')(folder)
    assert reach.desk.ratchet("approve", cycle_id).code == 0
