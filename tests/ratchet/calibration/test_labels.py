import json
from pathlib import Path
from typing import Any

import pytest

from ratchet.calibration import JudgeLabel, Labels, TriageLabel, load_labels
from ratchet.errors import ConfigurationError

JUDGE = {"input": "q", "output": "a", "verdict": True}
PUBLIC = {
    "input": {"question": "q", "answer": "a"},
    "expected": False,
    "metadata": {"reference": "r", "model": "m", "row": 7},
}
EXPORTED = {
    "id": "F-1", "input": "q", "output": "a", "expected": "e", "label": "context", "component": "shop",
    "failed": ["correct"], "problems": ["no"], "version": 1, "source": "s", "created_at": "now", "task": "shop",
    "category": "prompt",
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.jsonl"


def read(file: Path, *lines: Any) -> Labels:
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return load_labels(file)


def refusal(file: Path, *lines: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(file, *lines)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_load_labels_reads_verdicts_in_both_forms(file: Path) -> None:
    labels = read(file, JUDGE, "", {**JUDGE, "expected": ["r"], "criterion": "good"}, PUBLIC)
    assert labels == Labels(
        [
            JudgeLabel(f"{file}:1", "q", "a", True),
            JudgeLabel(f"{file}:3", "q", "a", True, ["r"], "good"),
            JudgeLabel(f"{file}:4", "q", "a", False, "r"),
        ],
        [],
        0,
    )


def test_load_labels_reads_causes_as_they_are_exported_or_written_by_hand(file: Path) -> None:
    labels = read(file, EXPORTED, {"input": "q", "category": "unstable"}, {"input": "q", "label": "capability"})
    assert labels.triage == [
        TriageLabel(f"{file}:1", "q", "context", "e", "F-1"),
        TriageLabel(f"{file}:2", "q", "unstable"),
        TriageLabel(f"{file}:3", "q", "capability"),
    ]


def test_load_labels_counts_lines_that_nobody_has_labelled(file: Path) -> None:
    labels = read(file, {**EXPORTED, "label": None}, JUDGE, {"input": "q", "category": None})
    assert (len(labels.judge), labels.triage, labels.skipped) == (1, [], 2)


def test_load_labels_refuses_an_unknown_category_with_the_names_there_are(file: Path) -> None:
    message = refusal(file, JUDGE, {**EXPORTED, "label": "weather"})
    names = "prompt, context, capability, unstable, cut_off, refused, filtered, tool_call"
    assert message == f"{file}:2: label 'weather' is no category; use {names}"
    assert refusal(file, {"input": "q", "category": "Prompt"}).startswith(f"{file}:1: category 'Prompt' is no category")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "no label; a line is such as"),
        ('"x"', "no label"),
        ({"input": "q", "expected": "a"}, "no label"),
        ({**JUDGE, "verdict": "true"}, "verdict: Input should be a valid boolean"),
        ({**JUDGE, "verdict": 1}, "verdict: Input should be a valid boolean"),
        ({**JUDGE, "verdict": None}, "verdict"),
        ({**JUDGE, "colour": 1}, "unknown key colour"),
        ({"input": "q", "verdict": True}, "output is missing"),
        ({**JUDGE, "input": ""}, "input: String should have at least 1 character"),
        ({**PUBLIC, "expected": "yes"}, "expected: Input should be a valid boolean"),
        ({**PUBLIC, "input": {"question": "q"}}, "input.answer is missing"),
        ({**PUBLIC, "colour": 1}, "unknown key colour"),
        ({**EXPORTED, "label": 3}, "label: Input should be a valid string"),
        ({**EXPORTED, "colour": 1}, "unknown key colour"),
        ({"label": "prompt"}, "input is missing"),
        ('{"input": "q", "label": "prompt", "label": "context"}', "the key 'label' stands there twice"),
    ],
)
def test_load_labels_names_the_line_and_the_key(file: Path, line: Any, said: str) -> None:
    message = refusal(file, JUDGE, line, JUDGE)
    assert message.startswith(f"{file}:2: ")
    assert said in message


@pytest.mark.parametrize(
    ("lines", "said"), [([], "no labels;"), ([{**EXPORTED, "label": None}], "(lines whose label is null: 1)")]
)
def test_load_labels_refuses_a_file_without_labels(file: Path, lines: list[Any], said: str) -> None:
    assert said in refusal(file, *lines)


def test_load_labels_refuses_a_missing_file(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        load_labels(file)
