from ratchet.engine import Scored
from ratchet.prompting import TaskPrompt
from ratchet.records import Candidate, Evaluation
from ratchet.search import Entry, RaceResult, RaceTrials
from ratchet.search.standings import not_tried, standings


def candidate(name: str) -> Candidate:
    return Candidate(strategy=name, rationale=f"does {name}", prompt=TaskPrompt(prompt=name))


def entry(name: str, passed: str, out: str = "") -> Entry:
    """An entry with a run for each letter; 1 for one that passed."""
    runs = {
        str(number): Scored("o", Evaluation(criteria=[], score=0.0, passed=letter == "1", problems=[]), 1, None)
        for number, letter in enumerate(passed)
    }
    return Entry(candidate(name), runs, out)


INCUMBENT = entry("nothing", "0001")


def test_each_entry_has_a_row_with_its_reason() -> None:
    best, close, dropped = entry("one", "111"), entry("two", "110"), entry("three", "0", "dropped at block 1")
    rows = standings(RaceResult(best, [best, close, dropped], RaceTrials([], [])), INCUMBENT, 2)
    assert [(row.strategy, row.rationale, row.reason) for row in rows] == [
        ("one", "does one", "best of round 2: 3 of 3 pass"),
        ("two", "does two", "2 of 3 pass, does one has 3 of 3"),
        ("three", "does three", "dropped at block 1"),
    ]
    assert {(row.status, row.round) for row in rows} == {("lost", 2)}
    assert [(row.passed, row.total) for row in rows] == [(3, 3), (2, 3), (0, 1)]


def test_entry_that_is_not_ahead_of_the_incumbent_is_told_so() -> None:
    (row,) = standings(RaceResult(None, [entry("one", "0010")], RaceTrials([], [])), INCUMBENT, 1)
    assert row.reason == "1 of 4 pass, does nothing has 1 of 4: not enough to keep it"


def test_candidate_whose_race_the_budget_ended_was_not_tried() -> None:
    row = not_tried(candidate("one"), 3)
    assert (row.status, row.reason, row.round, row.total) == ("not_tried", "the budget was used up", 3, 0)
