"""The command line, in process, with the scripted model."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Done

from ratchet import __version__
from ratchet.errors import AlreadyDecidedError, RefusalError, StaleBaseError


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("run", "nope", "hi"), {}, ["no task 'nope'", "desk"]),
        (("run", "../../etc", "hi"), {}, ["no task"]),
        (("run", "desk", "hi"), {"RATCHET_AGENT_MODEL": "gpt"}, ["RATCHET_AGENT_MODEL", "'gpt'", "openai:NAME"]),
        (("run", "desk", "hi"), {"RATCHET_AGENT_MODEL": "local:none.gguf"}, ["none.gguf"]),
        (("run", "desk", "hi"), {"RATCHET_CONCURRENCY": "0"}, ["concurrency"]),
        (("run", "desk", "hi"), {"RATCHET_DATABASE_URL": "nonsense"}, ["nonsense"]),
        (("run", "desk", "hi"), {"RATCHET_PROMPTS_FILE": "missing.json"}, ["missing.json", "no such file"]),
        (("show", "C-0"), {}, ["no cycle 'C-0'"]),
        (("approve", "C-0"), {}, ["no cycle 'C-0'"]),
        (("rollback", "desk"), {}, ["no earlier version"]),
        (("rollback", "desk", "7"), {}, ["no version 7"]),
        (("eval", "desk", "--split", "all", "--nonsense"), {}, ["--nonsense"]),
    ],
)
def test_wrong_use_is_one_clear_line_and_exit_code_2(
    ratchet: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    settings: dict[str, str],
    words: list[str],
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    done = ratchet(*arguments)

    assert done.code == 2
    assert done.out == ""
    assert all(word in done.err for word in words), done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("task_prompts.json", '["desk"]', ["task_prompts.json", "expected an object"]),
        ("task_prompts.json", '{"desk": {"prompt": "x", "exmples": []}}', ["desk", "unknown key exmples"]),
        ("task_prompts.json", '{"other": "x"}', ["no prompt for 'desk'"]),
        ("behavior_rules.json", '{"rule": []}', ["behavior_rules.json", "rules is missing"]),
        ("tasks/desk/cases.jsonl", "", ["cases.jsonl", "no cases"]),
        ("tasks/desk/cases.jsonl", '{"input": "a"}\n{"inptu": "b"}\n', ["cases.jsonl:2"]),
        ("tasks/desk/task.toml", "description = ", ["task.toml", "not TOML"]),
    ],
)
def test_a_wrong_file_is_told_in_one_line_and_left_alone_and_everything_works_afterwards(
    project: Path, ratchet: Callable[..., Done], name: str, content: str, words: list[str]
) -> None:
    file = project / name
    good = file.read_text()
    assert ratchet("history", "desk").code == 0
    file.write_text(content)

    done = ratchet("run", "desk", "What is the price of item001?")

    assert done.code == 2
    assert all(word in done.err for word in words), done.err
    assert file.read_text() == content
    file.write_text(good)
    assert ratchet("run", "desk", "What is the price of item001?").code == 0


def test_doctor_says_how_many_rules_are_enforced(project: Path, ratchet: Callable[..., Done]) -> None:
    def told() -> str:
        findings = ratchet("doctor", "--json").json["findings"]
        return str(next(row["text"] for row in findings if row["name"] == "rules"))

    assert told().startswith("1 in ")
    assert "none has a check" in told()
    rule = {"rule": "No secrets.", "must_not_match": "(?i)secret", "probe": ["Tell me a secret", "Psst"]}
    (project / "behavior_rules.json").write_text(json.dumps({"rules": ["Be polite.", rule]}))
    assert told().startswith("2 in ")
    assert "1 of them checked on every output, 2 probes" in told()


def test_version_is_that_of_the_package(ratchet: Callable[..., Done]) -> None:
    assert ratchet("--version").out == f"ratchet {__version__}\n"


def test_help_names_every_command_with_what_it_is_for(ratchet: Callable[..., Done]) -> None:
    done = ratchet("--help")
    assert done.code == 0
    for name in ("demo", "init", "run", "eval", "improve", "inbox", "show", "approve", "reject", "resolve", "rollback"):
        (line,) = [line for line in done.out.splitlines() if re.match(rf"\W*{name} ", line)]
        assert len(line.split()) > 3


@pytest.mark.parametrize("error", [AlreadyDecidedError, RefusalError, StaleBaseError])
def test_no_is_exit_code_1(ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, error: type) -> None:
    def refuse(task: str, every: bool) -> None:
        raise error("somebody was faster")

    monkeypatch.setattr("service.commands.versions._history", refuse)
    done = ratchet("history", "desk", "--json")
    assert (done.code, done.out, done.err) == (1, "", "no: somebody was faster\n")


def test_error_is_one_line_however_narrow_the_terminal(
    ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    (line,) = ratchet("show", "C-0").err.splitlines()
    assert line == "error: no cycle 'C-0'; `ratchet inbox` lists what waits"


@pytest.mark.parametrize(("name", "missing"), [("calibrate", "task"), ("show", "ID")])
def test_command_without_its_arguments_says_which(ratchet: Callable[..., Done], name: str, missing: str) -> None:
    done = ratchet(name)
    assert (done.code, done.out) == (2, "")
    assert f"Missing argument '{missing}'" in done.err


def test_cases_alone_lists_its_commands(ratchet: Callable[..., Done]) -> None:
    done = ratchet("cases")
    assert all(name in done.out for name in ("list", "add", "remove"))


@pytest.mark.parametrize("command", [("inbox", "--json"), ("failures", "desk", "--json"), ("doctor", "--json")])
def test_misspelt_setting_is_named_in_one_warning_at_the_start_of_every_command(
    project: Path, ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RATCHET_SERVICE_HOST", "10.0.0.1")
    plain = ratchet(*command)
    assert plain.err == ""
    monkeypatch.setenv("RATCHET_AGENT_MODLE", "openai:x")
    (project / ".env").write_text("RATCHET_JUGDE_MODEL=openai:y\n")
    done = ratchet(*command)
    assert done.code == plain.code
    assert done.err == (
        "warning: RATCHET_AGENT_MODLE is no setting; did you mean RATCHET_AGENT_MODEL? "
        "RATCHET_JUGDE_MODEL is no setting; did you mean RATCHET_JUDGE_MODEL?\n"
    )
    if command[0] == "doctor":
        told = [row["text"] for row in done.json["findings"] if row["name"] == "settings"]
        assert [text.split(" is no")[0] for text in told] == [
            "RATCHET_AGENT_MODLE", "RATCHET_JUGDE_MODEL", "RATCHET_SERVICE_HOST",
        ]  # fmt: skip
    else:
        assert done.json == plain.json
