"""What a reviewer reads of the gate's finding."""

from typing import Any

from rich.console import Console, Group

from ratchet.gate import measure
from ratchet.records import CaseDifference, Cost, Repeats, Validation
from service.report import finding


def shown(**more: Any) -> str:
    given: dict[str, Any] = {
        "verdict": "better", "proven": True, "e_value": 60.0, "needed": 50.0, "level": 0.02, "criteria": {},
        "before": measure(2, 20), "after": measure(18, 20), "wins": [], "losses": [], "vetoes": [], "fixed": 1,
        "triggering": 1, "reason": "r",
    } | more  # fmt: skip
    console = Console(width=100)
    with console.capture() as captured:
        console.print(Group(*finding(Validation(**given))))
    return captured.get()


def test_finding_shows_what_the_change_costs() -> None:
    text = shown(cost_before=Cost(tokens=41.4, seconds=0.31), cost_after=Cost(tokens=320, seconds=0.52))
    tokens, seconds = (line for line in text.splitlines() if "per case" in line)
    assert ("41" in tokens, "320" in tokens) == (True, True)
    assert ("0.31" in seconds, "0.52" in seconds) == (True, True)


def test_finding_shows_no_seconds_that_were_not_measured() -> None:
    text = shown(cost_before=Cost(tokens=41, seconds=None), cost_after=Cost(tokens=320, seconds=0.5))
    assert "tokens per case" in text
    assert "seconds per case" not in text
    assert "per case" not in shown()


def test_finding_says_how_many_cases_came_from_production() -> None:
    (line,) = (line for line in shown(production=7).splitlines() if "from production" in line)
    assert "7" in line.split()
    assert "from production" not in shown()


def test_finding_prints_an_output_that_looks_like_markup_as_it_is() -> None:
    assert "said '[/red] [bold]'" in " ".join(shown(reason="said '[/red] [bold]'").split())


def test_finding_says_how_often_each_case_was_run_and_shows_its_means() -> None:
    case = {"case_id": "c1", "input": "i", "expected": "e", "before": "b", "after": "a"}
    won = CaseDifference.model_validate(case | {"before_rate": 1 / 3, "after_rate": 1.0})
    plain = CaseDifference.model_validate(case | {"case_id": "c2", "before_rate": 0.0, "after_rate": 1.0})
    often = Repeats(count=3, why="as 2 of 9 failures passed when repeated")
    text = " ".join(shown(repeats=often, wins=[won, plain]).split())
    assert "each case was run 3 times, as 2 of 9 failures passed when repeated" in text
    assert "c1 (33.3 % -> 100.0 %)" in text
    assert "c2 (" not in text
    assert "each case was run" not in shown()


def test_finding_without_a_case_is_one_line_and_no_table() -> None:
    text = " ".join(shown(before=measure(0, 0), after=measure(0, 0), reason="the budget is used up").split())
    assert text == "Held-out cases: none was looked at; the budget is used up"
