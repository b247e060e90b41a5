"""`ratchet run` and `ratchet eval`."""

import io
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_server import completion
from command import Done
from cycle_states import PRICE

Ratchet = Callable[..., Done]


def test_run_scores_and_stores_a_failure(ratchet: Ratchet) -> None:
    done = ratchet("run", "desk", "What is the price of item001?", "--expected", "101 coins", "--json")

    assert done.code == 0
    assert done.json["passed"] is False
    assert done.json["criteria"][0]["outcome"] == "failed"
    listed = ratchet("failures", "desk", "--json").json
    assert [row["id"] for row in listed["failures"]] == [done.json["failure_id"]]


def test_run_without_expected_output_is_neither_passed_nor_failed(ratchet: Ratchet) -> None:
    done = ratchet("run", "desk", "What is the price of item001?", "--json")

    assert done.json["passed"] is None
    assert done.json["failure_id"] is None


def test_run_prints_the_output_and_what_each_criterion_says(ratchet: Ratchet) -> None:
    done = ratchet("run", "desk", PRICE, "--expected", "101 coins")
    first, second, *table = done.out.splitlines()
    assert (first, second.split(",")[0]) == ("I do not know.", "failed")
    assert "stored as F-" in second
    assert any("does not contain '101 coins'" in line for line in table)


def test_run_that_passes_stores_no_failure(ratchet: Ratchet) -> None:
    done = ratchet("run", "desk", PRICE, "--expected", "not know", "--json")
    assert (done.json["passed"], done.json["score"], done.json["failure_id"]) == (True, 1, None)
    assert ratchet("failures", "desk", "--status=", "--json").json["n"] == 0


def test_run_keeps_who_it_comes_from(ratchet: Ratchet) -> None:
    ratchet("run", "desk", PRICE, "--expected", "101 coins", "--source", "ada")
    (failure,) = ratchet("failures", "desk", "--json").json["failures"]
    assert (failure["source"], failure["bundle"]["source"]) == ("ada", "ada")


def test_run_reads_a_long_input_from_stdin(ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\n{PRICE}\n\n"))
    ratchet("run", "desk", "-", "--expected", "101 coins")
    (failure,) = ratchet("failures", "desk", "--json").json["failures"]
    assert failure["bundle"]["input"] == PRICE


@pytest.mark.parametrize("text", ["", "-"])
def test_run_without_an_input_is_refused(ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(" \n"))
    done = ratchet("run", "desk", text)
    assert (done.code, done.out, done.err) == (2, "", "error: the input is empty\n")


def test_eval_measures_the_held_out_cases_and_pays_for_equal_runs_once(ratchet: Ratchet) -> None:
    first, again = (ratchet("eval", "desk", "--json").json for _ in range(2))
    assert (first["split"], first["version"], first["n"], first["success_rate"]) == ("holdout", 1, 20, 0)
    assert (first["calls"], first["reused"]) == (20, 0)
    assert (again["calls"], again["reused"]) == (0, 20)
    assert first["low"] == 0 < first["high"] < 0.2


@pytest.mark.parametrize(("split", "n"), [("train", 20), ("all", 40)])
def test_eval_measures_the_split_asked_for(ratchet: Ratchet, split: str, n: int) -> None:
    done = ratchet("eval", "desk", "--split", split)
    assert (f"{n} cases" if split == "all" else f"{n} {split} cases") in " ".join(done.out.split())
    assert ratchet("eval", "desk", "--split", split, "--json").json["n"] == n


def test_eval_tells_each_criterion_and_each_rule_that_is_checked(project: Path, ratchet: Ratchet) -> None:
    rules = {"rules": ["Be polite.", {"rule": "Never say know.", "must_not_match": "know"}]}
    (project / "behavior_rules.json").write_text(json.dumps(rules))
    with (project / "tasks/desk/task.toml").open("a") as file:
        file.write('\n[[criteria]]\nname = "short"\nkind = "max_words"\nlimit = 9\n')
    rates = ratchet("eval", "desk", "--json").json["criteria"]
    assert rates.pop("correct") == 0
    assert rates.pop("short") == 1
    ((rule, rate),) = rates.items()
    assert (rule.startswith("rule"), rate) == (True, 0)


def test_eval_of_a_criterion_that_never_decides_is_not_zero(project: Path, ratchet: Ratchet) -> None:
    with (project / "tasks/desk/task.toml").open("a") as file:
        file.write('\n[[criteria]]\nname = "erring"\nkind = "python"\nuse = "erring:erring"\nweight = 0.1\n')
    (project / "erring.py").write_text("def erring(inputs, outputs, reference_outputs):\n    raise ValueError('no')\n")
    rates = ratchet("eval", "desk", "--json").json["criteria"]
    assert rates == {"correct": 0, "erring": None}
    assert "-" in next(line for line in ratchet("eval", "desk").out.splitlines() if "erring" in line).split()


def test_eval_without_cases_of_the_split_says_so(project: Path, ratchet: Ratchet) -> None:
    file = project / "tasks/desk/cases.jsonl"
    file.write_text(file.read_text().replace("holdout", "train"))
    done = ratchet("eval", "desk")
    assert (done.code, done.out) == (2, "")
    assert "task desk has no holdout cases" in done.err


def test_run_whose_reply_was_cut_off_says_so(project: Path, ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch) -> None:
    body = completion("It costs", "length")
    script = f"from ratchet.llm import Fault\n\n\ndef agent(messages, request):\n    return Fault(200, body={body!r})"
    (project / "cutting.py").write_text(script)
    monkeypatch.setenv("RATCHET_AGENT_MODEL", "scripted:cutting:agent")
    asked = ("run", "desk", PRICE, "--expected", "101 coins")

    assert "reply of desk: cut off at max_tokens" in ratchet(*asked).out
    assert ratchet(*asked, "--json").json["problems"][-1] == "reply of desk: cut off at max_tokens"


FICKLE = """
import pathlib


def agent(messages, request):
    return pathlib.Path("word.txt").read_text()
"""


@pytest.fixture
def fickle(project: Path, ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with what the agent's model says to anything: another model behind the same name."""
    monkeypatch.syspath_prepend(project)
    (project / "fickle.py").write_text(FICKLE)
    monkeypatch.setenv("RATCHET_AGENT_MODEL", "scripted:fickle:agent")
    return project / "word.txt"


def test_eval_fresh_asks_a_model_that_has_changed_behind_its_name(fickle: Path, ratchet: Ratchet) -> None:
    fickle.write_text("100 coins or 102 coins")
    before = ratchet("eval", "desk", "--json").json
    fickle.write_text("nothing")
    kept, fresh, after = (ratchet("eval", "desk", *more, "--json").json for more in ((), ("--fresh",), ()))

    assert before["passed"] == kept["passed"] > 0
    assert (kept["calls"], kept["reused"]) == (0, 20)
    assert (fresh["passed"], fresh["calls"], fresh["reused"], fresh["oldest_reused"]) == (0, 20, 0, None)
    assert (after["passed"], after["reused"]) == (0, 20)
    assert kept["oldest_reused"] < after["oldest_reused"]


def test_eval_says_how_old_the_oldest_kept_reply_is(fickle: Path, ratchet: Ratchet, project: Path) -> None:
    fickle.write_text("nothing")
    assert "20 model calls paid, 0 reused" in " ".join(ratchet("eval", "desk").out.split())
    with sqlite3.connect(project / ".ratchet" / "ratchet.sqlite") as connection:
        day = "(SELECT min(key) FROM replies)"
        connection.execute(f"UPDATE replies SET created_at = '2020-01-01T00:00:00+00:00' WHERE key = {day}")
    said = " ".join(ratchet("eval", "desk").out.split())
    assert re.search(r"0 model calls paid, 20 reused, the oldest kept [\d,]{5,} days ago; --fresh asks anew", said)
    assert ratchet("eval", "desk", "--json").json["oldest_reused"] == "2020-01-01T00:00:00+00:00"


ERRING = """
def never(inputs, outputs, reference_outputs):
    raise ValueError("no key")


def sometimes(inputs, outputs, reference_outputs):
    if "item000" in inputs or "item002" in inputs:
        raise ValueError("no key")
    return {"score": "item004" in inputs}


def nan(inputs, outputs, reference_outputs):
    return {"score": float("nan")}
"""


def erring(project: Path, name: str) -> None:
    (project / "deciding.py").write_text(ERRING)
    task = project / "tasks/desk/task.toml"
    task.write_text(f"""{task.read_text().split("[[criteria]]")[0]}
[[criteria]]
name = "erring"
kind = "python"
use = "deciding:{name}"
""")


@pytest.mark.parametrize("name", ["never", "nan"])
def test_eval_of_what_could_not_be_scored_is_no_rate_and_no_success(project: Path, ratchet: Ratchet, name: str) -> None:
    erring(project, name)
    done = ratchet("eval", "desk", "--json")
    assert (done.code, done.json["success_rate"], done.json["criteria"]) == (1, None, {"erring": None})
    assert (done.json["n"], done.json["passed"], done.json["failed"], done.json["unscored"]) == (20, 0, 0, 20)
    assert len(done.json["problems"]) == 1
    assert done.json["problems"][0].startswith(f"erring: deciding:{name} r")
    table = ratchet("eval", "desk")
    assert table.code == 1
    assert "0 passed, 0 failed, 20 not scored" in " ".join(table.out.split())
    assert "0.0 %" not in table.out


def test_eval_leaves_what_was_not_scored_out_of_the_rate(project: Path, ratchet: Ratchet) -> None:
    erring(project, "sometimes")
    done = ratchet("eval", "desk", "--json")
    assert (done.code, done.json["passed"], done.json["failed"], done.json["unscored"]) == (0, 1, 17, 2)
    assert done.json["success_rate"] == done.json["criteria"]["erring"] == pytest.approx(1 / 18)
    assert done.json["problems"] == ["erring: deciding:sometimes raised ValueError: no key (2 cases)"]
