"""What a person edits between the proof of a change and its approval."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cycle_states import Reach

PATTERN = {"rule": "Never name prices.", "must_not_match": "coins", "probe": "What is the price of item001?"}


def rules(*given: Any) -> Callable[[Path], None]:
    return lambda folder: (folder / "behavior_rules.json").write_text(json.dumps({"rules": [*given]})) and None


def task(before: str, after: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        file = folder / "tasks/desk/task.toml"
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after) if before else text + after)

    return edit


OVERTAKEN = {
    "source renamed": (task('name = "handbook"', 'name = "manual"'), "fetches from 'handbook', which is no source"),
    "source removed": (
        task('[[context_sources]]\nname = "handbook"\nkind = "documents"\npath = "documents"\n', ""),
        "fetches from 'handbook', which is no source",
    ),
    "rule with a pattern": (rules("Be polite.", PATTERN), "the pinned rules have changed since"),
    "rule in words": (rules("Be polite.", "Be brief."), "the pinned rules have changed since"),
    "criterion": (
        task("", '\n[[criteria]]\nname = "short"\nkind = "max_words"\nlimit = 1\n'),
        "the criteria or the threshold of desk have changed since",
    ),
    "threshold": (task("description", "threshold = 0.9\ndescription"), "the criteria or the threshold of desk"),
    "tokens": (task("", "\n[limits]\ntokens = 1\n"), "is above a limit that was set since"),
}


@pytest.mark.parametrize("case", OVERTAKEN)
def test_change_is_stale_where_it_was_proven_under_other_conditions(case: str, reach: Reach) -> None:
    cycle_id = reach("awaiting_approval")
    desk = reach.desk
    edit, said = OVERTAKEN[case]
    before = (desk.folder / "task_prompts.json").read_bytes()
    edit(desk.folder)

    done = desk.ratchet("approve", cycle_id, "--reviewer", "ada", "--json")

    assert (done.code, done.json["status"]) == (1, "stale"), done.err
    assert said in done.json["message"]
    assert "`ratchet improve desk`" in done.json["message"]
    assert (desk.folder / "task_prompts.json").read_bytes() == before
    assert desk.store("SELECT status FROM cycles") == [("stale",)]
    assert desk.store("SELECT DISTINCT status FROM failures") == [("open",)]
    assert desk.ratchet("eval", "desk").code == 0


@pytest.mark.parametrize(
    "edit",
    [
        task("Tells prices", "Tells what things cost"),
        task("", "\n[limits]\ntokens_factor = 50\n"),
        task("", '\n[[context_sources]]\nname = "more"\nkind = "documents"\npath = "documents"\n'),
    ],
)
def test_what_a_proof_does_not_rest_on_may_change(edit: Callable[[Path], None], reach: Reach) -> None:
    cycle_id = reach("awaiting_approval")
    edit(reach.desk.folder)
    assert reach.desk.ratchet("approve", cycle_id, "--reviewer", "ada").code == 0


BROKEN = {
    "component renamed": task('components = ["desk"]', 'components = ["counter"]'),
    "task with a wrong key": task("description", "descripton = 1\ndescription"),
    "rules that are no JSON": lambda folder: (folder / "behavior_rules.json").write_text("{") and None,
    "no cases": lambda folder: (folder / "tasks/desk/cases.jsonl").unlink(),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("answer", ["approve", "edit"])
def test_change_that_cannot_be_applied_takes_no_decision(case: str, answer: str, reach: Reach) -> None:
    cycle_id = reach("awaiting_approval")
    desk = reach.desk
    BROKEN[case](desk.folder)
    (desk.folder / "mine.txt").write_text("Answer the customer with the price.")
    own = ["--prompt-file", "mine.txt"] if answer == "edit" else []

    done = desk.ratchet("approve", cycle_id, "--reviewer", "ada", *own)

    assert done.code == 2
    assert "cannot be applied as the files are now" in done.err
    assert "The request still waits" in done.err
    assert desk.store("SELECT status FROM cycles") == [("awaiting_approval",)]
    assert desk.ratchet("reject", cycle_id, "--reviewer", "bob").code == 0
    assert desk.store("SELECT status FROM cycles") == [("rejected",)]


def test_change_that_waited_out_a_mistake_is_applied(reach: Reach) -> None:
    cycle_id = reach("awaiting_approval")
    file = reach.desk.folder / "tasks/desk/task.toml"
    right = file.read_text()
    BROKEN["component renamed"](reach.desk.folder)
    assert reach.desk.ratchet("approve", cycle_id).code == 2
    file.write_text(right)
    assert reach.desk.ratchet("approve", cycle_id, "--json").json["status"] == "applied"


def test_change_that_was_not_proven_is_not_forced_under_other_rules(reach: Reach) -> None:
    cycle_id = reach("inconclusive")
    rules("Be brief.")(reach.desk.folder)
    done = reach.desk.ratchet("resolve", cycle_id, "force", "--reason", "all we have")
    assert done.code == 1
    assert "the pinned rules have changed since" in done.err
