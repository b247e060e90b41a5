"""`ratchet history`, `rollback` and `audit`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command import Done
from cycle_states import Reach

Ratchet = Callable[..., Done]


def test_improve_approve_and_rollback_change_what_is_measured(project: Path, ratchet: Ratchet) -> None:
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


def test_history_shows_who_changed_what_and_by_which_numbers(reach: Reach, ratchet: Ratchet) -> None:
    reach("applied")
    first, second = ratchet("history", "desk", "--json").json["versions"]
    assert (first["version"], first["by"], first["numbers"], first["drift"]) == (1, "file", {}, 0)
    assert (second["version"], second["by"], second["status"]) == (2, "ada", "active")
    assert (second["numbers"]["before"], second["numbers"]["after"]) == (0, 1)
    assert second["components"]["desk"]["context"][0]["source"] == "handbook"
    shown = ratchet("history", "desk").out
    assert ("0.0 % ->" in shown, "drift: share of words" in shown) == (True, True)


def test_rollback_goes_back_to_the_version_asked_for(reach: Reach, ratchet: Ratchet) -> None:
    reach("edited_meanwhile")
    prompts = reach.desk.folder / "task_prompts.json"
    ratchet("history", "desk")
    prompts.write_text('{"desk":   "A third one."}\n')
    assert ratchet("rollback", "desk", "1", "--json").json["version"] == 4
    assert prompts.read_text() == '{"desk": "Answer the customer."}\n'
    assert ratchet("rollback", "desk", "3", "--reviewer", "eve", "--reason", "on second thought").code == 0
    assert prompts.read_text() == '{"desk":   "A third one."}\n'
    row = ratchet("audit", "--json").json["rows"][-1]
    assert (row["action"], row["actor"], row["detail"]["reason"]) == ("rollback", "eve", "on second thought")


def test_rollback_says_what_is_active_now(reach: Reach, ratchet: Ratchet) -> None:
    reach("applied")
    assert ratchet("rollback", "desk").out == "desk: version 3 is active, with the content of version 1\n"


def test_audit_tells_of_one_task_only(reach: Reach, ratchet: Ratchet) -> None:
    reach("applied")
    assert {row["task"] for row in ratchet("audit", "--json").json["rows"]} == {"", "desk"}
    assert {row["task"] for row in ratchet("audit", "desk", "--json").json["rows"]} == {"desk"}
    assert "no task 'nothing'" in ratchet("audit", "nothing", "--json").err


def test_audit_counts_its_actions(reach: Reach, ratchet: Ratchet) -> None:
    reach("rolled_back")
    *_, last = ratchet("audit").out.strip().splitlines()
    assert last.strip() == "1 rules, 1 observe, 1 apply, 1 rollback"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET actor = 'eve' WHERE action = 'apply'",
        "UPDATE audit SET detail = '{}' WHERE action = 'apply'",
        "DELETE FROM audit WHERE action = 'observe'",
    ],
)
def test_audit_verify_finds_a_row_that_was_changed_or_removed(reach: Reach, ratchet: Ratchet, sql: str) -> None:
    reach("applied")
    assert ratchet("audit", "--verify").out == "the audit log is whole\n"
    reach.desk.store(sql)
    done = ratchet("audit", "--verify")
    assert done.code == 1
    assert "problem" in done.out.splitlines()[-1]
    found = ratchet("audit", "--verify", "--json")
    assert (found.code, found.json["whole"]) == (1, False)
    assert found.json["problems"]
    assert ratchet("audit", "--json").code == 0
