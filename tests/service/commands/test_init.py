"""`ratchet init`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command import Done

from service.commands.init import TEMPLATE

Ratchet = Callable[..., Done]


def test_init_writes_a_project_that_works_and_overwrites_nothing(
    tmp_path: Path, ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "new"

    done = ratchet("init", str(target), "--json")

    assert "tasks/greeter/task.toml" in done.json["files"]
    monkeypatch.chdir(target)
    findings = {row["name"]: row["state"] for row in ratchet("doctor", "--json").json["findings"]}
    assert (findings["rules"], findings["task greeter"], findings["agent model"]) == ("ok", "ok", "ok")
    (target / "task_prompts.json").write_text("mine")
    assert ratchet("init", str(target)).code == 2
    assert (target / "task_prompts.json").read_text() == "mine"


def test_init_says_what_to_do_next_and_that_works(
    tmp_path: Path, ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = ratchet("init", "sub/new")
    assert done.out.splitlines()[-1] == "next: cd sub/new && ratchet doctor && ratchet improve greeter"
    monkeypatch.chdir(tmp_path / "sub" / "new")
    cycle = ratchet("improve", "greeter", "--json").json
    assert (cycle["status"], cycle["category"]) == ("escalated", "capability")  # the script knows no answer


def test_init_beside_files_of_its_own_keeps_them(tmp_path: Path, ratchet: Ratchet) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert ratchet("init", "mine").code == 0
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"


def test_init_over_a_file_writes_nothing(tmp_path: Path, ratchet: Ratchet) -> None:
    (tmp_path / "taken").write_text("a file")
    done = ratchet("init", "taken")
    assert (done.code, done.out, done.err) == (2, "", "error: taken is no folder; nothing was written\n")


def test_init_over_one_of_its_files_writes_none_of_the_others(tmp_path: Path, ratchet: Ratchet) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "task_prompts.json").write_text("mine")
    done = ratchet("init", "half")
    assert (done.code, "task_prompts.json exists already" in done.err) == (2, True)
    assert [file.name for file in (tmp_path / "half").iterdir()] == ["task_prompts.json"]


def test_example_project_is_whole_and_its_files_are_those_of_the_package(tmp_path: Path, ratchet: Ratchet) -> None:
    names = ratchet("init", "new", "--json").json["files"]
    for name in names:
        assert (tmp_path / "new" / name).read_bytes() == (TEMPLATE / name).read_bytes()
    assert {Path(name).parts[0] for name in names} == {path.name for path in TEMPLATE.iterdir()}
