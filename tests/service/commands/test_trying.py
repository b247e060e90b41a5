"""`ratchet try`: an edit of the prompts file before it is merged."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Done

from service.exit_codes import ExitCode

Ratchet = Callable[..., Done]
BETTER = {"desk": {"prompt": "Answer the customer.", "context": [{"source": "handbook", "top_k": 1}]}}


@pytest.fixture
def write_file(project: Path) -> Callable[[str, object], str]:
    def write(name: str, prompts: object) -> str:
        (project / name).write_text(json.dumps(prompts))
        return name

    return write


def test_edit_that_helps_is_0_and_shows_change_and_numbers(ratchet: Ratchet, write_file: Callable[..., str]) -> None:
    done = ratchet("try", "desk", write_file("edit.json", BETTER))
    assert (done.code, done.err) == (ExitCode.DONE, "")
    for words in ("+[context] handbook", "12 won", "0.0 % [0-24]", "proven: nothing was applied", "count of tries"):
        assert words in " ".join(done.out.split()), done.out
    assert [row["version"] for row in ratchet("history", "desk", "--json").json["versions"]] == [1]


def test_edit_that_harms_is_1_beside_the_file_it_is_compared_with(
    ratchet: Ratchet, write_file: Callable[..., str]
) -> None:
    better, worse = write_file("better.json", BETTER), write_file("worse.json", {"desk": "Answer the customer."})
    done = ratchet("try", "desk", worse, "--against", better, "--json")
    assert (done.code, done.json["status"], done.json["components"]) == (ExitCode.NO, "worse", ["desk"])


def test_edit_without_an_effect_is_5_and_no_edit_4(ratchet: Ratchet, write_file: Callable[..., str]) -> None:
    assert ratchet("try", "desk", write_file("edit.json", {"desk": "Please answer."})).code == ExitCode.NOT_PROVEN
    same = ratchet("try", "desk", "task_prompts.json")
    assert (same.code, "unchanged: no held-out case was looked at" in same.out) == (ExitCode.NOTHING_TO_DO, True)


@pytest.mark.parametrize("prompts", [{}, {"other": "x"}, {"desk": ""}, {"desk": {"promt": "x"}}, "text"])
def test_file_that_is_no_prompts_file_of_the_task_is_2(
    ratchet: Ratchet, write_file: Callable[..., str], prompts: object
) -> None:
    done = ratchet("try", "desk", write_file("edit.json", prompts))
    assert (done.code, done.out, len(done.err.splitlines())) == (ExitCode.WRONG_USE, "", 1)
    assert "edit.json" in done.err


def test_tries_leave_the_level_of_the_next_cycle_as_it_is(
    ratchet: Ratchet, write_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATCHET_MIN_SOURCES", "1")
    for number in range(3):
        ratchet("try", "desk", write_file("edit.json", {"desk": f"Answer {number}."}))
    ratchet("run", "desk", "What is the price of item001?", "--expected", "101 coins")
    cycle_id = ratchet("improve", "desk", "--json").json["cycle_id"]
    assert ratchet("show", cycle_id, "--json").json["document"]["validation"]["needed"] == pytest.approx(52.2, abs=0.1)
