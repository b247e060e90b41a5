"""`ratchet approve` and `reject`."""

import json
from collections.abc import Callable

import pytest
from command import Done
from cycle_states import Reach

from service.exit_codes import ExitCode

Ratchet = Callable[..., Done]


def test_reject_ends_the_cycle_and_leaves_the_prompts_alone(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    done = ratchet("reject", cycle_id, "--reason", "not now", "--reviewer", "bob", "--json")
    assert (done.code, done.json["status"]) == (0, "rejected")
    assert json.loads((reach.desk.folder / "task_prompts.json").read_text()) == {"desk": "Answer the customer."}
    assert ratchet("inbox", "--json").json["items"] == []
    (row,) = [row for row in ratchet("audit", "--json").json["rows"] if row["action"] == "reject"]
    assert (row["actor"], row["detail"]["reason"]) == ("bob", "not now")
    assert ratchet("failures", "desk", "--json").json["n"] == 1


def test_reject_with_feedback_makes_another_proposal_that_heeds_it(
    reach: Reach, ratchet: Ratchet, write_script: Callable[..., None]
) -> None:
    cycle_id = reach("awaiting_approval")
    knows = {"match": r"Look it up\.[\s\S]*price of item0", "anywhere": True, "reply": "I looked."}
    write_script([knows, {"match": "say to look it up", "reply": "Look it up."}])
    done = ratchet("reject", cycle_id, "--feedback", "say to look it up", "--exit-code")
    assert done.code == ExitCode.NOT_PROVEN
    document = ratchet("show", cycle_id, "--json").json["document"]
    assert "Look it up." in str(document["proposed"])


def test_reject_with_feedback_that_leads_nowhere_is_left_to_review(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    done = ratchet("reject", cycle_id, "--feedback", "be brief", "--exit-code", "--json")
    assert (done.code, done.json["status"], done.json["cycle_id"]) == (ExitCode.NOT_PROVEN, "inconclusive", cycle_id)
    assert [item["what"] for item in ratchet("inbox", "--json").json["items"]] == ["review"]


def test_approve_says_which_version_is_active(reach: Reach, ratchet: Ratchet) -> None:
    done = ratchet("approve", reach("awaiting_approval"), "--reviewer", "ada", "--reason", "the numbers are clear")
    assert done.code == 0
    assert "applied: version 2 of desk is active" in done.out
    row = ratchet("history", "desk", "--json").json["versions"][-1]
    assert (row["by"], row["reason"]) == ("ada", "the numbers are clear")


def test_reviewer_is_the_user_where_none_is_named(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    reach.desk.environment.setenv("USER", "grace")
    reach.desk.done("approve", cycle_id)
    assert ratchet("history", "desk", "--json").json["versions"][-1]["by"] == "grace"


def test_approve_of_a_change_that_is_out_of_date_says_so_and_is_no(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("edited_meanwhile")
    done = ratchet("approve", cycle_id)
    assert done.code == 1
    assert "was made for version 1 of desk, the active one is 2" in " ".join(done.out.split())
    assert (reach.desk.folder / "task_prompts.json").read_text() == '{"desk": "Mine."}\n'
    assert ratchet("failures", "desk", "--json").json["n"] == 1


@pytest.mark.parametrize("wrong", ['{"prompt": "Answer.", "exmples": []}', '{"prompt": ', "[]"])
def test_approve_with_a_wrong_prompt_file_keeps_the_request(reach: Reach, ratchet: Ratchet, wrong: str) -> None:
    cycle_id = reach("awaiting_approval")
    (reach.desk.folder / "own.json").write_text(wrong)
    done = ratchet("approve", cycle_id, "--prompt-file", "own.json")
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert ratchet("inbox", "--json").json["items"][0]["id"] == cycle_id
    assert ratchet("approve", cycle_id, "--json").json["status"] == "applied"


def test_approve_with_a_prompt_file_that_is_not_there_is_one_line(reach: Reach, ratchet: Ratchet) -> None:
    done = ratchet("approve", reach("awaiting_approval"), "--prompt-file", "own.txt")
    assert (done.code, done.out, "own.txt: no such file" in done.err) == (2, "", True)


def test_own_version_that_is_proven_goes_live_as_it_was_written(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    own = {"prompt": "Tell the price.", "context": [{"source": "handbook", "top_k": 1}]}
    (reach.desk.folder / "own.json").write_text(json.dumps(own))
    assert ratchet("approve", cycle_id, "--prompt-file", "own.json", "--json").json["status"] == "applied"
    assert json.loads((reach.desk.folder / "task_prompts.json").read_text()) == {"desk": own}


def test_own_text_takes_the_place_of_the_prompt_alone(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    (reach.desk.folder / "own.txt").write_text("\nTell the price.\n\n")
    assert ratchet("approve", cycle_id, "--prompt-file", "own.txt").code == 0
    live = json.loads((reach.desk.folder / "task_prompts.json").read_text())["desk"]
    assert (live["prompt"], live["context"][0]["source"]) == ("Tell the price.", "handbook")


def test_own_version_that_is_not_proven_leaves_the_request_waiting(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    (reach.desk.folder / "own.json").write_text('{"prompt": "Tell the price."}')
    done = ratchet("approve", cycle_id, "--prompt-file", "own.json")
    assert (done.code, done.out) == (2, "")
    assert "the edited version was not proven" in done.err
    assert "The request still waits" in done.err
    assert [item["id"] for item in ratchet("inbox", "--json").json["items"]] == [cycle_id]
