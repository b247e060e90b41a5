"""`ratchet failures`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Done
from cycle_states import Reach
from failing import Said, as_row, failing

from ratchet.errors import ConfigurationError
from ratchet.grouping import DayCount, form_groups
from service.commands.failures import Found, _categories, _export, _table, failures, sparkline


def stored() -> dict[str, Any]:
    row = as_row(3, Said("Where is the lamp?", "I do not know.", ["correct: is not 'bin'"]), source="ada")
    row["bundle"] |= {"task": "desk", "component": "desk", "version": 2, "source": "ada", "created_at": "2031-05-01"}
    return row


def test_sparkline_has_a_bar_for_each_day() -> None:
    assert sparkline([DayCount("a", 0), DayCount("b", 1), DayCount("c", 4), DayCount("d", 8)]) == "·▁▄█"
    assert sparkline([DayCount("a", 0)]) == "·"


def test_table_shows_each_group_with_an_example() -> None:
    rows = [item.row for item in failing("criterion", 0, 8)]

    table = _table(Found("desk", rows, form_groups(rows), {}))

    assert table.row_count == 4
    assert [str(column.header) for column in table.columns][:3] == ["group", "failures", "sources"]


def test_category_is_what_the_newest_finished_cycle_found() -> None:
    def cycle(category: str, finished_at: str | None, **causes: str) -> dict[str, Any]:
        diagnosis = {"category": category, "failures": ["F-1", "F-2"], "causes": causes}
        return {"document": {"diagnosis": diagnosis}, "finished_at": finished_at}

    newest_first = [
        cycle("prompt", None),
        {"document": {}, "finished_at": "2031"},
        cycle("context", "2031", **{"F-1": "unstable"}),
        cycle("capability", "2030"),
    ]

    assert _categories(newest_first) == {"F-1": "unstable", "F-2": "context"}


@pytest.mark.parametrize("category", ["context", None])
def test_export_writes_one_line_for_a_person_to_label(tmp_path: Path, category: str | None) -> None:
    file = tmp_path / "failures.jsonl"

    _export(file, Found("desk", [stored()], [], {"F-00003": category} if category else {}))

    (line,) = file.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "id": "F-00003", "task": "desk", "component": "desk", "input": "Where is the lamp?",
        "output": "I do not know.", "expected": None, "failed": ["correct"], "problems": ["correct: is not 'bin'"],
        "version": 2, "source": "ada", "created_at": "2031-05-01", "category": category, "label": None,
    }  # fmt: skip


def test_export_leaves_an_existing_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text("labelled", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"exists already and may hold labels; give --export another name"):
        _export(file, Found("desk", [stored()], [], {}))

    assert file.read_text(encoding="utf-8") == "labelled"


def test_status_that_there_is_not_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"--status: 'opne' is none; expected one of open, in_cycle, .* for all"
    ):
        failures("desk", status="opne")


def test_export_into_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        _export(tmp_path / "missing" / "failures.jsonl", Found("desk", [stored()], [], {}))


def test_failures_are_shown_by_group_and_exported_once(project: Path, ratchet: Callable[..., Done]) -> None:
    for number in (1, 3):
        ratchet("run", "desk", f"What is the price of item00{number}?", "--expected", "nothing else")

    (group,) = ratchet("failures", "desk", "--json").json["groups"]
    assert (group["title"], group["key"], len(group["ids"])) == ("correct", "desk: correct", 2)
    assert sum(day["failures"] for day in group["trend"]) == 2
    assert set(group["representatives"]) <= set(group["ids"])
    assert "last 7 days" in ratchet("failures", "desk").out

    assert ratchet("failures", "desk", "--export", "labels.jsonl").code == 0
    assert len((project / "labels.jsonl").read_text().splitlines()) == 2
    again = ratchet("failures", "desk", "--export", "labels.jsonl")
    assert again.code == 2
    assert "exists already" in again.err


def test_only_failures_of_the_status_asked_for_are_shown(reach: Reach, ratchet: Callable[..., Done]) -> None:
    reach("applied")
    reach.desk.fail("What is the price of the repair?", "free of charge")

    found = {
        status: [row["status"] for row in ratchet("failures", "desk", f"--status={status}", "--json").json["failures"]]
        for status in ("open", "fixed", "in_cycle", "")
    }

    assert found == {"open": ["open"], "fixed": ["fixed"], "in_cycle": [], "": ["fixed", "open"]}


def test_status_that_there_is_not_is_refused_with_those_there_are(reach: Reach, ratchet: Callable[..., Done]) -> None:
    reach("failures_open")
    done = ratchet("failures", "desk", "--status", "opened")
    assert (done.code, done.out) == (2, "")
    assert "in_cycle" in done.err


def test_exported_failure_has_what_a_person_needs_to_label_it(reach: Reach, ratchet: Callable[..., Done]) -> None:
    reach("capability")
    done = ratchet("failures", "desk", "--status=", "--export", "labels.jsonl", "--json")
    assert (done.json["n"], done.json["exported"]) == (1, "labels.jsonl")
    (line,) = (reach.desk.folder / "labels.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert (row["input"], row["expected"], row["label"]) == ("What is the price of the repair?", "free of charge", None)
    assert (row["failed"], row["category"], row["version"]) == (["correct"], "capability", 1)
    assert row["problems"] == ["correct: does not contain 'free of charge'"]


def test_exported_failures_can_be_calibrated_with_once_they_are_labelled(
    reach: Reach, ratchet: Callable[..., Done]
) -> None:
    reach("capability")
    ratchet("failures", "desk", "--status=", "--export", "labels.jsonl")
    file = reach.desk.folder / "labels.jsonl"
    file.write_text(file.read_text().replace('"label": null', '"label": "capability"'))
    triage = ratchet("calibrate", "desk", "labels.jsonl", "--json").json["triage"]
    assert (triage["n"], triage["accuracy"]["passed"]) == (1, 1)
