"""The tables of a calibration."""

import re
from typing import Any

import pytest
from rich.console import Console, Group

from ratchet.calibration import JudgeAgreement, TriageAgreement
from ratchet.calibration.judge_agreement import Traps
from ratchet.gate import measure
from service.calibration_report import PROBLEMS_SHOWN, calibration_tables


def judge(**more: Any) -> JudgeAgreement:
    given: dict[str, Any] = {
        "criterion": "good", "model": "openai:judge", "repeats": 1, "n": 40, "accuracy": measure(30, 40),
        "agreement": measure(30, 36), "false_pass": measure(2, 20), "false_fail": measure(0, 0),
        "errors": measure(4, 40), "traps": None, "calls": 7, "reused": 33,
    } | more  # fmt: skip
    return JudgeAgreement(**given)


def triage(**more: Any) -> TriageAgreement:
    given: dict[str, Any] = {
        "n": 4, "accuracy": measure(3, 4), "analyst": measure(1, 4), "analyst_model": "openai:analyst",
        "confusion": {"context": {"context": 2}, "prompt": {"prompt": 1, "none": 1}},
        "analyst_confusion": {"context": {"capability": 2}, "prompt": {"prompt": 2}}, "did_not_fail": [],
        "problems": [], "calls": 1, "reused": 0, "calls_per_failure": 4.25, "analyst_calls_per_failure": 1.0,
    } | more  # fmt: skip
    return TriageAgreement(**given)


def shown(*judges: JudgeAgreement, of: TriageAgreement | None = None, skipped: int = 0, advice: Any = ()) -> str:
    console = Console(width=160, markup=False)
    with console.capture() as captured:
        console.print(Group(*calibration_tables(judges, of, skipped, advice)))
    return captured.get()


def row(text: str, name: str) -> list[str]:
    """The cells of the row of that name."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name}  ")]
    return [cell.strip() for cell in re.split(r"\s{2,}", line.strip())]


def test_judge_is_shown_with_shares_intervals_and_of_how_many() -> None:
    text = shown(judge())
    assert "Judge of good: openai:judge, 40 labelled outputs" in text
    assert "7 model calls paid, 33 reused" in text
    assert row(text, "accuracy")[:4] == ["accuracy", "75.0 %", "60-86", "40"]
    assert row(text, "agreement")[1:4:2] == ["83.3 %", "36"]
    assert row(text, "errors")[1] == "10.0 %"


def test_share_of_nothing_is_no_zero() -> None:
    assert row(shown(judge()), "false fails")[1:4] == ["-", "-", "0"]


def test_judge_that_votes_says_how_often_it_asks() -> None:
    assert ", 3 asks each, 1 labelled output\n" in shown(judge(repeats=3, n=1)).replace(" \n", "\n").replace("  ", "")


def test_traps_are_shown_where_they_were_set() -> None:
    traps = Traps(order=measure(5, 20), verbosity=measure(0, 10), repeats=measure(1, 20))
    text = shown(judge(traps=traps))
    assert [row(text, name)[1] for name in ("order", "verbosity", "repeats")] == ["25.0 %", "0.0 %", "5.0 %"]
    assert "Led astray" not in shown(judge())


def test_triage_is_shown_beside_the_analyst_alone_with_what_both_cost() -> None:
    text = shown(of=triage())
    assert "Triage: 4 labelled failures, analyst openai:analyst" in text
    assert row(text, "experiments")[1] == "75.0 %"
    assert "4.25 model calls a failure" in row(text, "experiments")[-1]
    assert row(text, "analyst alone")[1:4:2] == ["25.0 %", "4"]


def test_confusion_has_a_column_for_all_that_was_named_or_meant() -> None:
    experiments, alone = shown(of=triage()).split("The analyst model alone")
    header = next(line for line in experiments.splitlines() if "people say" in line)
    assert [name for name in ("prompt", "context", "capability", "none") if name in header] == [
        "prompt", "context", "none",
    ]  # fmt: skip
    assert row(experiments.split("Triage by experiments")[1], "prompt") == ["prompt", "1", "0", "1"]
    assert row(alone, "context") == ["context", "0", "0", "2"]


def test_triage_of_runs_that_all_passed_has_no_table() -> None:
    empty = triage(n=0, accuracy=measure(0, 0), analyst=measure(0, 0), confusion={}, did_not_fail=["a:1", "a:2"])
    text = shown(of=empty)
    assert "Triage: " not in text
    assert "Did not fail when served, left out: 2" in text
    assert ("a:1" in text, "a:2" in text) == (True, True)


@pytest.mark.parametrize(("count", "more"), [(PROBLEMS_SHOWN, ""), (PROBLEMS_SHOWN + 3, "and 3 more")])
def test_problems_are_listed_up_to_a_few(count: int, more: str) -> None:
    text = shown(of=triage(problems=[f"a:{n}: no answer" for n in range(count)]))
    assert f"Could not be triaged: {count}" in text
    assert text.count("no answer") == PROBLEMS_SHOWN
    assert ("more" in text.split("Could not be triaged")[1]) == bool(more)
    assert more in text


def test_lines_without_a_label_are_counted() -> None:
    assert "Lines without a label, skipped: 2" in shown(skipped=2)
    assert "skipped" not in shown()


def test_all_advice_is_shown_as_it_is() -> None:
    advice = [f"set RATCHET_{n} [/red]" for n in range(PROBLEMS_SHOWN + 2)]
    text = shown(advice=advice)
    assert all(line in text for line in advice)
