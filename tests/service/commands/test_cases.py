"""`ratchet cases`."""

from collections.abc import Callable
from typing import Any

import pytest
from command import Done

from ratchet.tasks import stable_split

Ratchet = Callable[..., Done]
QUESTION = "What is the price of the repair?"


@pytest.fixture
def failure(ratchet: Ratchet) -> str:
    return str(ratchet("run", "desk", QUESTION, "--expected", "9 coins", "--json").json["failure_id"])


def listed(ratchet: Ratchet, *options: str) -> list[dict[str, Any]]:
    return ratchet("cases", "list", "desk", *options, "--json").json["cases"]  # type: ignore[no-any-return]


def test_list_names_the_cases_of_the_file_by_split(ratchet: Ratchet) -> None:
    assert len(listed(ratchet)) == 40
    assert {case["split"] for case in listed(ratchet, "--split", "holdout")} == {"holdout"}
    first = listed(ratchet)[0]
    assert (first["id"], first["expected"], first["origin"], first["approved_by"]) == ("c0", "100 coins", None, None)


def test_list_says_how_worn_held_out_cases_are(ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_MIN_SOURCES", "1")
    assert {case["decisions"] for case in listed(ratchet, "--split", "holdout")} == {0}
    assert ratchet("improve", "desk", "--json").json["verdict"] == "better"
    looked_at = [case for case in listed(ratchet, "--split", "holdout") if case["decisions"] == 1]
    assert 0 < len(looked_at) < 20
    assert {case["decisions"] for case in listed(ratchet, "--split", "train")} == {None}
    assert "decisions" in ratchet("cases", "list", "desk").out


def test_list_shows_which_held_out_cases_come_from_production(
    ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATCHET_MIN_SOURCES", "1")
    texts = [text for text in (f"Price {number}?" for number in range(20)) if stable_split(text) == "holdout"][:3]
    runs = [ratchet("run", "desk", text, "--expected", "1 coin", "--json").json["run_id"] for text in texts]
    found = [case for case in listed(ratchet) if case["production"]]
    assert [(case["input"], case["origin"], case["split"], case["decisions"]) for case in found] == [
        (text, run, "holdout", 0) for text, run in reversed(list(zip(texts, runs, strict=True)))
    ]
    assert found == [case for case in listed(ratchet, "--split", "holdout") if case["production"]]
    assert not any(case["production"] for case in listed(ratchet, "--split", "train"))
    assert "production" in ratchet("cases", "list", "desk").out


def test_add_makes_a_failure_a_case_that_counts(ratchet: Ratchet, failure: str) -> None:
    added = ratchet(
        "cases", "add", "desk", "--from", failure, "--expected", "8 coins", "--split", "holdout", "--tag", "prod",
        "--reviewer", "ada", "--json",
    )  # fmt: skip
    assert (added.code, added.json["corrected"], added.json["as_it_was"]) == (0, failure, False)
    case = listed(ratchet)[-1]
    assert (case["input"], case["expected"], case["origin"], case["tags"]) == (QUESTION, "8 coins", failure, ["prod"])
    assert ratchet("eval", "desk", "--json").json["n"] == 21
    assert ratchet("failures", "desk", "--status", "corrected", "--json").json["n"] == 1
    assert "ada" in ratchet("cases", "list", "desk").out


def test_add_without_an_expected_output_approves_what_the_failure_has(ratchet: Ratchet, failure: str) -> None:
    done = ratchet("cases", "add", "desk", "--from", failure)
    assert "approved as it is" in done.out
    assert listed(ratchet)[-1]["expected"] == "9 coins"
    assert ratchet("failures", "desk", "--json").json["n"] == 1


def test_add_takes_an_input_of_ones_own(ratchet: Ratchet) -> None:
    done = ratchet("cases", "add", "desk", "--input", "Hi?", "--expected-json", '{"a": 1}', "--json")
    assert (done.code, done.json["case"]["expected"], done.json["case"]["origin"]) == (0, {"a": 1}, None)


def test_add_of_what_a_cycle_worked_on_is_never_held_out(
    ratchet: Ratchet, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATCHET_MIN_SOURCES", "1")
    cycle = ratchet("improve", "desk", "--json").json["cycle_id"]
    done = ratchet("cases", "add", "desk", "--from", cycle, "--split", "holdout")
    assert (done.code, "can only become a training case" in done.err) == (1, True)
    assert ratchet("cases", "add", "desk", "--from", cycle, "--json").json["case"]["split"] == "train"


def test_remove_takes_back_what_was_added(ratchet: Ratchet) -> None:
    added = ratchet("cases", "add", "desk", "--input", "Hi?", "--expected", "Hello", "--json").json["case"]
    done = ratchet("cases", "remove", "desk", added["id"], "--reason", "a test", "--reviewer", "ada", "--json")
    assert (done.code, done.json) == (0, {"case": added})
    assert len(listed(ratchet)) == 40
    row = ratchet("audit", "--json").json["rows"][-1]
    assert (row["actor"], row["action"], row["subject"], row["detail"]["reason"]) == (
        "ada", "remove_case", added["id"], "a test",
    )  # fmt: skip
    assert f"no approved case '{added['id']}'" in ratchet("cases", "remove", "desk", added["id"]).err
    ratchet("cases", "add", "desk", "--input", "Hi?", "--expected", "Hello")
    assert "is no case of desk any more; its input was: Hi?" in ratchet("cases", "remove", "desk", added["id"]).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "nope"), "no task 'nope'"),
        (("list", "desk", "--split", "both"), "both"),
        (("add", "desk", "--from", "F-0"), "no failure 'F-0' of desk"),
        (("add", "desk", "--input", "x"), "no expected output is known"),
        (("add", "desk", "--input", "What is the price of item001?", "--expected", "x"), "the case 'c1' already"),
        (("add", "desk"), "either from a failure or from an input"),
        (("remove", "desk", "c1"), "take its line out there"),
        (("remove", "desk", "nope"), "no approved case 'nope'"),
        (("remove", "nope", "c1"), "no task 'nope'"),
        (("add", "nope", "--input", "x", "--expected", "y"), "no task 'nope'"),
    ],
)
def test_wrong_use_is_one_clear_line(ratchet: Ratchet, arguments: tuple[str, ...], words: str) -> None:
    done = ratchet("cases", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert "Traceback" not in done.err
