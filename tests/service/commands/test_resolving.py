"""`ratchet resolve`, and what `inbox` and `show` say of an item before and after its answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Done

from service.exit_codes import ExitCode

Ratchet = Callable[..., Done]
QUESTION = "What is the price of the repair?"
HINT = "say what repairs cost"


@pytest.fixture
def escalated(ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch) -> str:
    """The cycle of a failure that nothing helped, on an input that is no case."""
    monkeypatch.setenv("RATCHET_MIN_SOURCES", "1")
    ratchet("run", "desk", QUESTION, "--expected", "free of charge")
    cycle = ratchet("improve", "desk", "--json").json
    assert cycle["status"] == "escalated"
    return str(cycle["cycle_id"])


def test_item_is_shown_whole_with_what_can_be_answered(ratchet: Ratchet, escalated: str) -> None:
    shown = ratchet("show", escalated, "--json").json
    assert shown["review"] == {
        "id": f"V-{escalated}", "kind": "capability", "status": "open", "answer": None, "answers": [],
    }  # fmt: skip
    (failure,) = shown["failures"]
    assert (failure["status"], failure["bundle"]["input"]) == ("escalated", QUESTION)
    assert failure["bundle"]["prompts"]["desk"]["prompt"] == "Answer the customer."
    document = shown["document"]
    assert all(experiment["outputs"] for experiment in document["diagnosis"]["evidence"])
    assert {"proposal", "validation", "refused", "proposed"} <= document.keys()
    page = ratchet("show", f"V-{escalated}").out
    for answer in ("dismiss", "correct", "retry"):
        assert f"ratchet resolve {escalated} {answer}" in page
    assert "no change that can be forced" in page
    assert "repair?" in page


def test_dismissed_item_leaves_the_inbox_and_says_who_and_why(ratchet: Ratchet, escalated: str) -> None:
    done = ratchet("resolve", escalated, "dismiss", "--reason", "we repair nothing", "--reviewer", "ada", "--json")
    assert (done.code, done.json["status"], done.json["cycle"]) == (0, "dismissed", None)
    assert ratchet("inbox", "--json").json["items"] == []
    review = ratchet("show", escalated, "--json").json["review"]
    assert (review["status"], review["answer"]["reason"]) == ("dismissed", "we repair nothing")
    assert "dismissed by ada: we repair nothing" in ratchet("show", escalated).out
    again = ratchet("resolve", escalated, "retry")
    assert (again.code, again.out) == (1, "")
    assert f"review {escalated} is dismissed already" in again.err
    assert ratchet("failures", "desk", "--status", "dismissed", "--json").json["n"] == 1


def test_corrected_item_is_a_training_case(ratchet: Ratchet, escalated: str) -> None:
    done = ratchet("resolve", escalated, "correct", "--expected-json", '["8 coins", "eight"]', "--json")
    assert (done.code, done.json["status"], done.json["left"]) == (0, "corrected", [])
    (case,) = [case for case in ratchet("cases", "list", "desk", "--json").json["cases"] if case["origin"]]
    assert (case["input"], case["expected"], case["split"]) == (QUESTION, ["8 coins", "eight"], "train")
    assert done.json["case"]["id"] == case["id"]


def test_retry_runs_a_cycle_with_the_hint(ratchet: Ratchet, escalated: str, write_script: Any) -> None:
    write_script([{"match": HINT, "reply": "Repairs are free."}])
    done = ratchet("resolve", escalated, "retry", "--hint", HINT, "--exit-code", "--json")
    cycle = done.json["cycle"]
    assert (done.code, done.json["status"]) == (ExitCode.NOT_PROVEN, "retried")
    assert cycle["cycle_id"] != escalated
    assert cycle["status"] == "inconclusive"  # the agent's script heeds no prompt
    shown = ratchet("show", cycle["cycle_id"], "--json").json
    assert shown["document"]["hint"] == HINT
    assert [row["id"] for row in ratchet("inbox", "--json").json["items"]] == [cycle["cycle_id"]]
    assert "Repairs are free." in str(shown["document"]["proposed"])


def test_retry_shows_the_new_cycle_whole(ratchet: Ratchet, escalated: str, write_script: Any) -> None:
    write_script([{"match": HINT, "reply": "Repairs are free."}])
    done = ratchet("resolve", escalated, "retry", "--hint", HINT, "--exit-code")
    (item,) = ratchet("inbox", "--json").json["items"]
    assert done.code == ExitCode.NOT_PROVEN
    assert done.out.startswith("retried: ")
    for words in ("Cause: capability", "Candidates", "Spent: ", f"next: ratchet show {item['id']}"):
        assert words in done.out


def test_force_applies_an_unproven_change_once(project: Path, ratchet: Ratchet) -> None:
    task = project / "tasks" / "desk" / "cases.jsonl"
    lines = task.read_text().splitlines()
    train = [line for line in lines if '"train"' in line]
    task.write_text("\n".join(train + [line for line in lines if '"holdout"' in line][:1]) + "\n")
    cycle = ratchet("improve", "desk", "--json").json
    assert cycle["status"] == "inconclusive"
    page = ratchet("show", cycle["cycle_id"]).out
    assert f"ratchet resolve {cycle['cycle_id']} force" in page
    assert ratchet("resolve", cycle["cycle_id"], "force").code == 2
    done = ratchet("resolve", cycle["cycle_id"], "force", "--reason", "one case is all we have", "--json")
    assert (done.code, done.json["status"], done.json["version"]) == (0, "forced", 2)
    assert "handbook" in (project / "task_prompts.json").read_text()
    again = ratchet("resolve", cycle["cycle_id"], "force", "--reason", "again")
    assert (again.code, "is forced already" in again.err) == (1, True)
    assert ratchet("inbox", "--json").json["items"] == []
    reasons = {row["action"]: row["detail"]["reason"] for row in ratchet("audit", "--json").json["rows"]}
    assert (reasons["force"], reasons["apply"]) == ("one case is all we have", "forced: one case is all we have")


def test_force_of_a_stale_change_is_refused(project: Path, ratchet: Ratchet) -> None:
    task = project / "tasks" / "desk" / "cases.jsonl"
    lines = task.read_text().splitlines()
    task.write_text("\n".join(line for line in lines if '"train"' in line or '"c0"' in line) + "\n")
    cycle = ratchet("improve", "desk", "--json").json
    (project / "task_prompts.json").write_text('{"desk": "Mine."}')
    done = ratchet("resolve", cycle["cycle_id"], "force", "--reason", "r")
    assert (done.code, done.out) == (1, "")
    assert "made for version 1" in done.err
    assert (project / "task_prompts.json").read_text() == '{"desk": "Mine."}'
    assert ratchet("show", cycle["cycle_id"], "--json").json["review"]["status"] == "open"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("C-0", "dismiss"), "no review item 'C-0'"),
        (("C-0", "nod"), "nod"),
        (("C-0", "correct", "--expected", "a", "--expected-json", "[]"), "exclude each other"),
        (("C-0", "correct", "--expected-json", "{"), "--expected-json"),
        (("C-0", "correct", "--expected-json", "7"), "an object, a list or a string"),
        (("C-0", "dismiss", "--hint", "x"), "a hint goes with retry"),
    ],
)
def test_wrong_use_is_told(ratchet: Ratchet, arguments: tuple[str, ...], words: str) -> None:
    done = ratchet("resolve", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_open_approval_is_approved_and_not_resolved(ratchet: Ratchet) -> None:
    cycle = ratchet("improve", "desk", "--json").json
    assert cycle["status"] == "awaiting_approval"
    done = ratchet("resolve", cycle["cycle_id"], "force", "--reason", "r")
    assert (done.code, "waits for its approval" in done.err) == (2, True)
    assert f"ratchet approve {cycle['cycle_id']}" in ratchet("show", cycle["cycle_id"]).out
