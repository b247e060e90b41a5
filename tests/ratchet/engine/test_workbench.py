from pathlib import Path

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
