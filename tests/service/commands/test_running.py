"""`ratchet run` and `ratchet eval`."""

import io
import json
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
