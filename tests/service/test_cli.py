"""The command line, in process, with the scripted model."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Done


def test_run_scores_and_stores_a_failure(ratchet: Callable[..., Done]) -> None:
    done = ratchet("run", "desk", "What is the price of item001?", "--expected", "101 coins", "--json")

    assert done.code == 0
    assert done.json["passed"] is False
    assert done.json["criteria"][0]["outcome"] == "failed"
    listed = ratchet("failures", "desk", "--json").json
    assert [row["id"] for row in listed["failures"]] == [done.json["failure_id"]]


def test_failures_are_shown_by_group_and_exported_once(project: Path, ratchet: Callable[..., Done]) -> None:
    for number in (1, 3):
        ratchet("run", "desk", f"What is the price of item00{number}?", "--expected", "nothing else")

    (group,) = ratchet("failures", "desk", "--json").json["groups"]
    assert (group["title"], group["key"], len(group["ids"])) == ("correct", "desk: correct", 2)
    assert sum(day["failures"] for day in group["trend"]) == 2
    assert set(group["representatives"]) <= set(group["ids"])
    assert "last 7 days" in ratchet("failures", "desk").out

    assert ratchet("failures", "desk", "--export", "labels.jsonl").code == 0
    assert len((project / "labels.jsonl").read_text().splitlines()) == 2
    again = ratchet("failures", "desk", "--export", "labels.jsonl")
    assert again.code == 2
    assert "exists already" in again.err


def test_run_without_expected_output_is_neither_passed_nor_failed(ratchet: Callable[..., Done]) -> None:
    done = ratchet("run", "desk", "What is the price of item001?", "--json")

    assert done.json["passed"] is None
    assert done.json["failure_id"] is None


def test_improve_approve_and_rollback_change_what_is_measured(project: Path, ratchet: Callable[..., Done]) -> None:
    original = (project / "task_prompts.json").read_bytes()
    assert ratchet("eval", "desk", "--json").json["success_rate"] == 0

    cycle = ratchet("improve", "desk", "--json").json
    assert (cycle["status"], cycle["category"], cycle["verdict"]) == ("awaiting_approval", "context", "better")
    assert cycle["calls"] > 0
    again = ratchet("improve", "desk", "--json").json
    assert (again["status"], again["cycle_id"]) == ("awaiting_approval", cycle["cycle_id"])
    item = ratchet("inbox", "--json").json["items"][0]
    assert (item["id"], item["before"], item["after"]) == (cycle["cycle_id"], 0, 1)
    assert "+[context] handbook" in ratchet("show", cycle["cycle_id"]).out
    assert original == (project / "task_prompts.json").read_bytes()

    approved = ratchet("approve", cycle["cycle_id"], "--reviewer", "ada", "--json")
    assert (approved.code, approved.json["status"], approved.json["version"]) == (0, "applied", 2)
    measured = ratchet("eval", "desk", "--json").json
    assert (measured["success_rate"], measured["n"]) == (1, 20)
    assert measured["low"] < 1 <= measured["high"]
    second = ratchet("approve", cycle["cycle_id"])
    assert second.code == 1
    assert "applied" in second.err

    assert ratchet("improve", "desk", "--json").json["status"] == "nothing_to_do"
    assert ratchet("rollback", "desk", "--reviewer", "ada", "--json").json["version"] == 3
    assert original == (project / "task_prompts.json").read_bytes()
    versions = ratchet("history", "desk", "--json").json["versions"]
    assert [row["status"] for row in versions] == ["superseded", "rolled_back", "active"]
    assert versions[0]["hash"] == versions[2]["hash"]
    assert [row["drift"] > 0 for row in versions] == [False, True, False]
    audit = ratchet("audit", "--verify", "--json")
    assert audit.code == 0
    assert [row["action"] for row in audit.json["rows"]] == ["rules", "observe", "apply", "rollback"]


def test_reject_ends_the_cycle_and_leaves_the_prompts_alone(project: Path, ratchet: Callable[..., Done]) -> None:
    cycle = ratchet("improve", "desk", "--json").json

    done = ratchet("reject", cycle["cycle_id"], "--reason", "not now", "--json")

    assert (done.code, done.json["status"]) == (0, "rejected")
    assert json.loads((project / "task_prompts.json").read_text()) == {"desk": "Answer the customer."}
    assert ratchet("inbox", "--json").json["items"] == []


def test_approve_with_a_wrong_prompt_file_keeps_the_request(project: Path, ratchet: Callable[..., Done]) -> None:
    cycle = ratchet("improve", "desk", "--json").json
    own = project / "own.json"
    own.write_text('{"prompt": "Answer.", "exmples": []}')

    done = ratchet("approve", cycle["cycle_id"], "--prompt-file", str(own))

    assert done.code == 2
    assert "exmples" in done.err
    assert ratchet("inbox", "--json").json["items"][0]["id"] == cycle["cycle_id"]
    assert ratchet("approve", cycle["cycle_id"], "--json").json["status"] == "applied"


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


def test_endpoint_that_is_down_is_told_and_the_cycle_goes_on_later(
    project: Path, ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    ratchet("run", "desk", "What is the price of item001?", "--expected", "101 coins")
    monkeypatch.setenv("RATCHET_AGENT_MODEL", "openai:x")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RATCHET_RETRIES", "0")

    down = ratchet("improve", "desk")

    assert down.code == 2
    assert "does not answer" in down.err
    monkeypatch.setenv("RATCHET_AGENT_MODEL", environment["RATCHET_AGENT_MODEL"])
    assert ratchet("improve", "desk", "--json").json["status"] == "awaiting_approval"


def test_budget_of_zero_escalates_and_says_so(ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    ratchet("run", "desk", "What is the price of item001?", "--expected", "101 coins")
    monkeypatch.setenv("RATCHET_MAX_CALLS", "0")

    done = ratchet("improve", "desk", "--json")

    assert (done.json["status"], done.json["calls"]) == ("escalated", 0)
    assert "RATCHET_MAX_CALLS" in done.json["message"]


def test_init_writes_a_project_that_works_and_overwrites_nothing(
    tmp_path: Path, ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
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
