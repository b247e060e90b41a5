"""The demo on its own task, with a scripted model that reads what is put before it."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Done

from ratchet.approval import load_policy
from ratchet.proposers import CONTEXT, WORDING
from service.commands.demo import POLICY

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The shop's task; the model copies an answer from the handbook where the right document is in its context, except
    for every fourth question, which it never understands."""
    shutil.copytree(REPOSITORY / "tasks" / "support_faq", tmp_path / "tasks" / "support_faq")
    (tmp_path / "behavior_rules.json").write_text('{"rules": ["Be polite."]}\n')
    (tmp_path / "task_prompts.json").write_text('{"support_faq": "A prompt that is nobody\'s business."}\n')
    script = []
    lines = (tmp_path / "tasks" / "support_faq" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    for case in (json.loads(line) for n, line in enumerate(lines) if n % 4):
        answers = "|".join(re.escape(answer) for answer in case["expected"])
        match = f"in this text:[\\s\\S]*({answers})[\\s\\S]*{re.escape(case['input'])}"
        script.append({"match": match, "anywhere": True, "reply": case["expected"][0]})
    (tmp_path / "script.json").write_text(json.dumps([*script, {"match": "", "reply": "I do not know."}]))
    return tmp_path


def test_the_demo_improves_its_own_copy_and_can_be_repeated(project: Path, ratchet: Callable[..., Done]) -> None:
    before = {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}

    for _ in range(2):
        done = ratchet("demo", "--json")
        assert done.code == 0
        (cycle,) = done.json["cycles"]
        assert (done.json["before"], cycle["status"], cycle["version"]) == (0, "applied", 2)
        assert done.json["after"] > 0.5
        assert done.json["calls"] > done.json["n"]
        assert {file: file.read_bytes() for file in before} == before


def test_the_demo_goes_on_until_a_cycle_changes_nothing(ratchet: Callable[..., Done]) -> None:
    done = ratchet("demo", "--cycles", "4", "--json")

    statuses = [cycle["status"] for cycle in done.json["cycles"]]
    assert (statuses[0], len(statuses)) == ("applied", 2)
    assert statuses[1] != "applied"
    assert done.json["after"] == done.json["cycles"][0]["held_out"]["rate"]


def test_the_demo_shows_a_table_and_how_to_see_more(ratchet: Callable[..., Done]) -> None:
    shown = ratchet("demo").out

    assert "the naive prompt" in shown
    assert "held-out cases" in shown
    assert "--cycles 3" in shown


@pytest.mark.parametrize("cycles", ["0", "-1", "many"])
def test_a_wrong_number_of_cycles_is_one_line(ratchet: Callable[..., Done], cycles: str) -> None:
    done = ratchet("demo", "--cycles", cycles)

    assert done.code == 2
    assert "cycles" in done.err


def test_the_policy_lists_every_strategy_that_a_cycle_may_try() -> None:
    policy = load_policy(POLICY)

    assert {proposer.name for proposer in (*WORDING, *CONTEXT)} <= set(policy.strategies)
