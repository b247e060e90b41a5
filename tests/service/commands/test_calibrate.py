"""`ratchet calibrate`, in process, with the scripted model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Done

JUDGE = '\n[[criteria]]\nname = "good"\nkind = "judge"\nquestion = "Is it right?"\nweight = 0.1\n'
REPLIES = [
    {"match": "You check one answer[\\s\\S]*Its answer:\\n.*\\nright", "reply": {"reason": "r", "verdict": True}},
    {"match": "You check one answer", "reply": {"reason": "r", "verdict": False}},
    {"match": "An automated agent failed", "reply": {"category": "prompt", "missing": "", "explanation": "e"}},
]
VERDICTS = [
    {"input": f"question {number}", "output": "right" if number % 2 else "wrong", "verdict": number > 0}
    for number in range(4)
]
CAUSES = [
    {"input": f"What is the price of item{number:03d}?", "expected": f"{number + 100} coins", "label": label}
    for number, label in enumerate(["context", "context", "capability", None])
]


@pytest.fixture
def labelled(project: Path, write_script: Callable[..., None]) -> Callable[..., str]:
    """Writes labels for the task `desk`, which gets a judge; returns the file's name."""

    def write(*lines: Any) -> str:
        with (project / "tasks/desk/task.toml").open("a") as file:
            file.write(JUDGE)
        write_script(REPLIES)
        (project / "labels.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return "labels.jsonl"

    return write


def test_calibrate_measures_the_judge(ratchet: Callable[..., Done], labelled: Callable[..., str]) -> None:
    done = ratchet("calibrate", "desk", labelled(*VERDICTS), "--json")

    assert done.code == 0
    assert done.json["triage"] is None
    (judge,) = done.json["judges"]
    assert (judge["criterion"], judge["n"], judge["accuracy"]["passed"]) == ("good", 4, 3)
    assert (judge["false_pass"]["passed"], judge["false_fail"]["passed"], judge["errors"]["passed"]) == (0, 1, 0)
    assert (judge["traps"]["order"]["n"], judge["traps"]["verbosity"]["n"]) == (0, 1)
    assert any("labels are too few" in line for line in done.json["advice"])


def test_calibrate_measures_triage(ratchet: Callable[..., Done], labelled: Callable[..., str]) -> None:
    done = ratchet("calibrate", "desk", labelled(*CAUSES), "--json")

    assert (done.code, done.json["judges"], done.json["skipped"]) == (0, [], 1)
    triage = done.json["triage"]
    assert triage["confusion"] == {"capability": {"context": 1}, "context": {"context": 2}}
    assert (triage["accuracy"]["passed"], triage["analyst"]["passed"], triage["n"]) == (2, 0, 3)
    assert triage["calls"] > 0
    assert triage["calls_per_failure"] > triage["analyst_calls_per_failure"] == 1
    assert ratchet("failures", "desk", "--json").json["failures"] == []


def test_calibrate_is_paid_for_once(ratchet: Callable[..., Done], labelled: Callable[..., str]) -> None:
    file = labelled(*VERDICTS, *CAUSES)
    first, again = (ratchet("calibrate", "desk", file, "--json").json for _ in range(2))
    assert [found["calls"] for found in (*again["judges"], again["triage"])] == [0, 0]
    assert first["advice"] == again["advice"]


def test_calibrate_prints_tables_and_advice(ratchet: Callable[..., Done], labelled: Callable[..., str]) -> None:
    done = ratchet("calibrate", "desk", labelled(*VERDICTS, *CAUSES), "--traps", "1")

    assert done.code == 0
    for title in ("Judge of good", "Led astray", "Triage: 3 labelled failures", "Triage by experiments", "Advice"):
        assert title in done.out
    assert "Lines without a label, skipped: 1" in done.out


def test_calibrate_without_traps_sets_none(ratchet: Callable[..., Done], labelled: Callable[..., str]) -> None:
    done = ratchet("calibrate", "desk", labelled(*VERDICTS), "--traps", "0", "--limit", "2", "--json")
    (judge,) = done.json["judges"]
    assert (judge["n"], judge["traps"], judge["calls"]) == (2, None, 2)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([*CAUSES, {"input": "q", "label": "weather"}], "labels.jsonl:5: label 'weather' is no category; use prompt,"),
        ([*VERDICTS, {**VERDICTS[0], "criterion": "correct"}], "labels.jsonl:5: task desk has no judge criterion"),
        ([], "labels.jsonl: no labels"),
    ],
)
def test_calibrate_refuses_bad_labels_before_anything_is_run(
    ratchet: Callable[..., Done], labelled: Callable[..., str], lines: list[Any], said: str
) -> None:
    done = ratchet("calibrate", "desk", labelled(*lines), "--json")
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.split())


def test_calibrate_of_an_unknown_task_is_refused(ratchet: Callable[..., Done], labelled: Callable[..., str]) -> None:
    assert ratchet("calibrate", "nope", labelled(*VERDICTS)).code == 2
