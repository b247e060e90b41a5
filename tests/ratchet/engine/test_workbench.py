from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ratchet.engine import Workbench
from ratchet.prompting import Rules
from ratchet.sources import SolvedCases
from ratchet.tasks import Case, Task

CASES = [
    Case(id="c1", input="Who?", split="train"),
    Case(id="c2", input="Where?", split="holdout"),
    Case(id="c3", input="When?", split="train"),
]


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    criterion = {"name": "short", "kind": "max_words", "limit": 5}
    task = Task(name="shop", folder=tmp_path, description="d", components=["shop"], criteria=[criterion])
    return Workbench(task, CASES, Rules(rules=(), hash="h"), {}, SolvedCases(CASES), {}, version=1)


def test_each_case_is_for_training_or_held_out(bench: Workbench) -> None:
    assert ([case.id for case in bench.train], [case.id for case in bench.holdout]) == (["c1", "c3"], ["c2"])


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("case:c1", "Who?", True),
        ("case:c1", "When?", False),
        ("case:c1", "who ?\n", True),
        ("case:c1", "Who\uff1f", True),
        ("case:c1", "", False),
        ("c1", "Who?", False),
        ("case:c2", "Where?", False),
        ("case:c9", "Who?", False),
        ("", "", False),
    ],
)
def test_a_training_case_has_its_source_and_its_input(bench: Workbench, source: str, text: str, expected: bool) -> None:
    assert bench.is_training_case(source, text) is expected


@pytest.mark.parametrize(
    ("known", "given", "same"),
    [
        ("9:40", "9:40", True),
        (["9:40", "20 to ten"], "9:40", True),
        (["9:40"], ["9:40"], True),
        ("9:40", "9:40 or later", False),
        ("9:40", ["9:40", "never"], False),
        ("9:40", None, False),
        (None, None, True),
        (None, "9:40", False),
        ("9:40", [], False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
    ],
)
def test_a_run_asks_as_a_training_case_where_it_takes_nothing_else_as_right(
    bench: Workbench, known: Any, given: Any, same: bool
) -> None:
    cases = [Case(id="c1", input="When?", expected=known, split="train"), Case(id="c2", input="Who?", split="holdout")]
    bench = replace(bench, cases=cases)
    assert bench.asks_as_training_case("When?", given) is same
    assert not bench.asks_as_training_case("When not?", given)
    assert not bench.asks_as_training_case("Who?", None)  # held out
