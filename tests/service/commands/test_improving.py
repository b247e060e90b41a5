"""`ratchet improve`: what a person is shown of a cycle."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Done

from service.exit_codes import ExitCode

Ratchet = Callable[..., Done]


@pytest.fixture(autouse=True)
def _one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_MIN_SOURCES", "1")


def test_improve_shows_the_whole_cycle_and_the_next_commands(ratchet: Ratchet) -> None:
    done = ratchet("improve", "desk", "--exit-code")

    assert (done.code, done.err) == (ExitCode.WAITS, "")
    (item,) = ratchet("inbox", "--json").json["items"]
    for words in ("Cause: context", "+[context] handbook", "Held-out cases", "Candidates", "Spent: "):
        assert words in done.out
    assert f"next: ratchet approve {item['id']}" in done.out


def test_improve_shows_a_cycle_that_waits_already_with_what_it_cost(ratchet: Ratchet) -> None:
    cycle = ratchet("improve", "desk", "--json").json

    done = ratchet("improve", "desk", "--exit-code")

    assert done.code == ExitCode.WAITS
    assert f"Spent: {cycle['calls']} model calls" in done.out
    assert "this change waits for an answer" in done.out


def test_improve_shows_why_nothing_could_be_changed(ratchet: Ratchet) -> None:
    ratchet("run", "desk", "What is the price of the repair?", "--expected", "free of charge")

    done = ratchet("improve", "desk", "--exit-code")

    assert done.code == ExitCode.NOT_PROVEN
    (item,) = ratchet("inbox", "--json").json["items"]
    assert "Cause: capability" in done.out
    assert f"next: ratchet show {item['id']}" in done.out


def test_improve_without_a_cycle_is_one_line(ratchet: Ratchet) -> None:
    done = ratchet("improve", "desk", "--no-collect", "--exit-code")

    assert done.code == ExitCode.NOTHING_TO_DO
    assert done.out.startswith("nothing_to_do: ")
    assert "Spent" not in done.out


def test_endpoint_that_is_down_is_told_and_the_cycle_goes_on_later(
    ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    ratchet("run", "desk", "What is the price of item001?", "--expected", "101 coins")
    monkeypatch.setenv("RATCHET_AGENT_MODEL", "openai:x")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RATCHET_RETRIES", "0")

    down = ratchet("improve", "desk")

    assert down.code == ExitCode.FAILED
    assert "does not answer" in down.err
    monkeypatch.setenv("RATCHET_AGENT_MODEL", environment["RATCHET_AGENT_MODEL"])
    assert ratchet("improve", "desk", "--json").json["status"] == "awaiting_approval"


def test_budget_of_zero_escalates_and_says_so(ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    ratchet("run", "desk", "What is the price of item001?", "--expected", "101 coins")
    monkeypatch.setenv("RATCHET_MAX_CALLS", "0")

    done = ratchet("improve", "desk", "--json")

    assert (done.json["status"], done.json["calls"]) == ("escalated", 0)
    assert "RATCHET_MAX_CALLS" in done.json["message"]


ROLES_OF_MODELS = """
from ratchet.llm import Fault

def refusing(messages, request):
    return Fault(400, body='{"error": {"message": "colour is not for you"}}')
"""


@pytest.mark.parametrize("role", ["analyst", "optimizer"])
@pytest.mark.parametrize("helped", [True, False])
def test_role_that_never_answers_is_named_in_the_report_and_the_inbox(
    project: Path, ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch, write_script: Any, role: str, helped: bool
) -> None:
    (project / "desk_roles.py").write_text(ROLES_OF_MODELS)
    monkeypatch.setenv(f"RATCHET_{role.upper()}_MODEL", "scripted:desk_roles:refusing")
    write_script(
        [{"match": "Say which one of these", "reply": {"category": "prompt", "missing": "", "explanation": ""}}]
    )
    if not helped:
        write_script([{"match": "^What is the price", "reply": "I do not know."}])
    cycle = ratchet("improve", "desk", "--json").json

    (item,) = ratchet("inbox", "--json").json["items"]
    asked = role == "analyst" or not helped  # where a document helps nobody asks for wording
    assert [line.split(" gave")[0] for line in item["silent_roles"]] == ([f"the {role} model"] if asked else [])
    for told in (item["message"], ratchet("show", item["id"]).out, ratchet("inbox").out):
        words = " ".join(told.split())
        assert (f"{role} model" in words and "colour is not for you" in words) == asked
    assert ("colour is not for you" in cycle["message"]) == (asked and not helped)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_finer_codes_are_for_those_who_ask(ratchet: Ratchet, more: tuple[str, ...]) -> None:
    assert ratchet("improve", "desk", "--no-collect", *more).code == ExitCode.DONE
    assert ratchet("improve", "desk", *more).code == ExitCode.DONE
    assert ratchet("improve", "desk", "--exit-code", *more).code == ExitCode.WAITS


def test_all_tasks_have_their_cycle_though_one_of_them_fails(project: Path, ratchet: Ratchet) -> None:
    shutil.copytree(project / "tasks" / "desk", project / "tasks" / "zoo")
    shutil.copytree(project / "tasks" / "desk", project / "tasks" / "broken")
    (project / "tasks" / "broken" / "task.toml").write_text("description = ")
    zoo = (project / "tasks" / "zoo" / "task.toml").read_text().replace('["desk"]', '["zoo"]')
    (project / "tasks" / "zoo" / "task.toml").write_text(zoo)
    (project / "task_prompts.json").write_text('{"desk": "Answer the customer.", "zoo": "Answer."}')

    done = ratchet("improve", "--all", "--exit-code", "--json")

    found = {one["task"]: one["status"] for one in done.json["tasks"]}
    assert found == {"broken": "failed", "desk": "awaiting_approval", "zoo": "awaiting_approval"}
    assert (done.code, len(ratchet("inbox", "--json").json["items"])) == (ExitCode.WRONG_USE, 2)
    told = ratchet("improve", "--all")
    assert "error: broken: " in told.err
    assert told.out.count("this change waits for an answer") == 2


@pytest.mark.parametrize("arguments", [(), ("desk", "--all")])
@pytest.mark.parametrize("command", [("improve",), ("eval",), ("failures",), ("history",), ("cases", "list")])
def test_either_a_task_or_all_is_named(ratchet: Ratchet, command: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    done = ratchet(*command, *arguments)
    assert (done.code, done.out) == (ExitCode.WRONG_USE, "")
    assert done.err == "error: name a task, or give --all for every task; not both\n"


@pytest.mark.parametrize("command", ["eval", "failures", "history", "cases list"])
def test_all_tasks_are_shown_each_as_it_would_be_alone(ratchet: Ratchet, command: str) -> None:
    alone = ratchet(*command.split(), "desk", "--json").json
    again, every = (ratchet(*command.split(), *which, "--json").json for which in (("desk",), ("--all",)))
    assert alone.keys() == again.keys()
    assert every == {"tasks": [again]}
    assert "desk" in ratchet(*command.split(), "--all").out
