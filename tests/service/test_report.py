"""What a reviewer reads of a cycle."""

from typing import Any

import pytest
from failing import Said, as_row
from rich.console import Console, Group

from ratchet.gate import measure
from ratchet.prompting import TaskPrompt
from ratchet.records import (
    CandidateResult,
    CaseDifference,
    Cost,
    Diagnosis,
    Experiment,
    Opinion,
    Proposal,
    Repeats,
    Spent,
    Validation,
)
from ratchet.store.rows import FailureRow
from service.report import CASES_SHOWN, differences, evidence, failed_runs, finding, next_steps, review
from service.whole_cycle import WholeCycle


def shown(**more: Any) -> str:
    given: dict[str, Any] = {
        "verdict": "better", "proven": True, "e_value": 60.0, "needed": 50.0, "level": 0.02, "criteria": {},
        "before": measure(2, 20), "after": measure(18, 20), "wins": [], "losses": [], "vetoes": [], "fixed": 1,
        "triggering": 1, "reason": "r",
    } | more  # fmt: skip
    console = Console(width=100)
    with console.capture() as captured:
        found = Validation(**given)
        console.print(Group(*differences(found), finding(found)))
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


class Cycles:
    """Cycles as `whole_cycle` gives them, made up."""

    def __init__(self, **document: Any) -> None:
        self.document: dict[str, Any] = document
        self.status = "escalated"
        self.review: dict[str, Any] | None = None
        self.failures: list[FailureRow] = []

    def answered(self, status: str, **answer: Any) -> "Cycles":
        answers = [answer] if answer else []
        self.review = {
            "id": "V-C-1", "kind": "capability", "status": status, "answer": answer or None, "answers": answers,
        }  # fmt: skip
        return self

    def failed(self, *statuses: str, cycle_id: str = "C-1") -> "Cycles":
        for number, status in enumerate(statuses, len(self.failures)):
            row = as_row(number, Said("Where is it?", "I do not know.", ["correct: is not 'bin'", "short: too long"]))
            self.failures.append(row | {"status": status, "cycle_id": cycle_id})  # type: ignore[arg-type]
        return self

    def whole(self, **row: Any) -> WholeCycle:
        given = {"id": "C-1", "task": "desk", "component": "writer", "status": self.status} | row
        return WholeCycle(given, self.document, self.failures, Spent(calls=1), self.review)  # type: ignore[arg-type]


def printed(part: Any, width: int = 120) -> str:
    console = Console(width=width, markup=False)
    with console.capture() as captured:
        console.print(part)
    return captured.get()


DIAGNOSIS = Diagnosis(
    category="context", component="writer", failures=["F-1"], explanation="the handbook helps",
    evidence=[Experiment(treatment="repeat", passed=0, total=4), Experiment(treatment="handbook", passed=3, total=4)],
)  # fmt: skip


def test_review_of_a_cycle_that_has_only_begun_says_where_it_is_and_what_it_cost() -> None:
    text = printed(review(Cycles().whole(status="running")))
    assert text.splitlines() == ["C-1  desk/writer  running", "", "Spent: 1 model call, 0 tokens in and 0 out", ""]


def test_review_says_why_a_cycle_ended() -> None:
    text = printed(review(Cycles(message="the model is unable to do it").whole()))
    assert text.splitlines()[1] == "the model is unable to do it"


def test_review_ends_with_the_change_and_its_cause_behind_all_that_was_tried() -> None:
    tried = [
        CandidateResult(strategy="rewrite", rationale="says more", status="refused", reason="drops {input}", round=1),
        CandidateResult(strategy="retrieval", rationale="fetches", status="chosen", reason="best of all", round=2),
    ]
    proposal = Proposal(
        id="C-1-P1", cycle_id="C-1", task="desk", component="writer", strategy="retrieval", rationale="fetches",
        before=TaskPrompt(prompt="Answer."), after=TaskPrompt(prompt="Answer shortly."), base_version=1,
        change_hash="h", candidates=tried,
    )  # fmt: skip
    text = printed(review(Cycles(diagnosis=DIAGNOSIS.model_dump(), proposal=proposal.model_dump()).whole()))
    places = [
        text.index(words) for words in ("drops {input}", "best", "-Answer.", "+Answer shortly.", "Cause: context")
    ]
    assert places == sorted(places)


def test_review_without_a_proposal_shows_what_was_tried() -> None:
    lost = CandidateResult(strategy="rewrite", rationale="says more", status="lost", reason="mends nothing", round=1)
    assert "mends nothing" in printed(review(Cycles(candidates=[lost.model_dump()]).whole()))


def test_evidence_shows_each_experiment_and_the_models_opinion_apart() -> None:
    opinion = Opinion(category="prompt", missing="", explanation="says so")
    rows = printed(evidence(DIAGNOSIS.model_copy(update={"opinion": opinion}))).splitlines()
    assert any("handbook" in row and "3 of 4" in row for row in rows)
    assert any("the analyst model's opinion" in row and "prompt" in row for row in rows)
    assert "opinion" not in printed(evidence(DIAGNOSIS))


def test_failed_runs_are_shown_up_to_a_few_with_what_was_wrong() -> None:
    text = printed(failed_runs(Cycles().failed(*["open"] * (CASES_SHOWN + 2)).failures), width=200)
    assert f"Failures: {CASES_SHOWN + 2}, the first {CASES_SHOWN}" in text
    assert text.count("F-0") == CASES_SHOWN
    assert "correct: is not 'bin'; short: too long" in text
    assert ", the first" not in printed(failed_runs(Cycles().failed("open").failures))


def test_wins_and_losses_are_shown_up_to_a_few() -> None:
    cases = [
        CaseDifference(case_id=f"c{n}", input="i", expected="e", before="b", after="a") for n in range(CASES_SHOWN + 1)
    ]
    text = shown(wins=cases, losses=cases[:1])
    assert f"{CASES_SHOWN + 1} won, the first {CASES_SHOWN}" in text
    assert (f"c{CASES_SHOWN} " in text, "1 lost" in text) == (False, True)


def test_next_steps_of_a_waiting_change_are_its_two_answers() -> None:
    steps = next_steps(Cycles().whole(status="awaiting_approval")).plain.splitlines()
    assert steps == ["next:", "ratchet approve C-1", "ratchet reject C-1 --feedback '...'"]


@pytest.mark.parametrize("status", ["running", "applied", "rejected", "stale", "gave_way"])
def test_cycle_that_waits_for_nobody_has_no_next_step(status: str) -> None:
    assert next_steps(Cycles().whole(status=status)).plain == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"reviewer": "ada", "reason": "a test of ours"}, "dismissed by ada: a test of ours"),
        ({"reviewer": "ada", "reason": ""}, "dismissed by ada"),
        ({}, "dismissed"),
    ],
)
def test_answered_item_says_by_whom_and_why(answer: dict[str, str], said: str) -> None:
    assert next_steps(Cycles().answered("dismissed", **answer).whole()).plain == said


@pytest.mark.parametrize(
    ("cycles", "steps"),
    [
        (Cycles().failed("escalated"), ["dismiss", "correct --expected", "retry", "(no change that can be forced)"]),
        (Cycles(proposal={"id": "p"}).failed("open"), ["dismiss", "correct --expected", "retry", "force"]),
        (
            Cycles().failed("escalated", "escalated"),
            ["dismiss", "correct --failure F-00000 --expected", "retry", "(no"],
        ),
        (Cycles().failed("corrected", "open", "open"), ["dismiss", "correct --failure F-00001", "retry", "(no"]),
        (Cycles().failed("corrected", "open"), ["dismiss", "correct --expected", "retry", "(no"]),
        (Cycles().failed("fixed"), ["dismiss", "(no failure is left to it)", "(no"]),
        (Cycles().failed("escalated", cycle_id="C-2"), ["dismiss", "(no failure is left to it)", "(no"]),
    ],
)
def test_next_steps_of_an_open_item_are_those_that_can_be_followed(cycles: Cycles, steps: list[str]) -> None:
    first, *lines = next_steps(cycles.answered("open").whole()).plain.splitlines()
    assert first == "next:"
    assert len(lines) == len(steps)
    for line, step in zip(lines, steps, strict=True):
        assert line.startswith("  " + ("" if step.startswith("(") else "ratchet resolve C-1 ") + step)
