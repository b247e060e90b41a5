"""A run with its trace, and a failure, as a person reads them."""

import json
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType

from ratchet.counting import quantity
from ratchet.records import Step
from ratchet.store.documents import CriterionDocument, EvaluationDocument
from ratchet.store.rows import FailureRow, RunRow
from service.console import Grid, cell, entry, whole, wide, words

_VERDICTS = {True: "passed", False: "failed", None: "not scored"}


def run_report(run: RunRow, failure: FailureRow | None) -> RenderableType:
    """A run whole: each step of its trace with what went in and came out, then input, output and its evaluation."""
    document, evaluation = run["document"], run["document"]["evaluation"]
    parts: list[RenderableType] = [words((run["id"], "bold"), f"  {run['task']}  {_verdict(evaluation)}")]
    parts += [_step(number, step) for number, step in enumerate(document["trace"], 1)]
    told: list[tuple[str, Any]] = [
        ("at", run["created_at"]),
        ("source", run["source"]),
        ("version", run["version"]),
        ("model", document["model"]),
        ("input", document["input"]),
        ("expected", _text(document["expected"])),
        ("output", document["output"]),
        ("problem", document["problem"] and document["problem"]["message"]),
    ]
    parts.append(entry(words(("Run", "bold")), [(name, text) for name, text in told if text not in (None, "")]))
    if evaluation:
        parts.append(criteria_table(evaluation["criteria"], _verdict(evaluation)))
        parts += [cell(problem) for problem in further_problems(evaluation)]
    if failure:
        cycle = f"; ratchet show {failure['cycle_id']}" if failure["cycle_id"] else ""
        parts.append(cell(f"stored as failure {failure['id']}, {failure['status']}{cycle}"))
    return Group(*parts)


def _verdict(evaluation: EvaluationDocument | None) -> str:
    return _VERDICTS[evaluation["passed"] if evaluation else None]


def _step(number: int, kept: dict[str, Any]) -> RenderableType:
    step = Step.model_validate(kept)
    reused = ", reused" if step.reused else ""
    tokens = f", {quantity(step.input_tokens, 'token')} in and {step.output_tokens} out" if step.kind == "model" else ""
    head = words((f"Step {number}: {step.kind}", "bold"), f" of {step.component}, {step.seconds:.2f} s{tokens}{reused}")
    return entry(head, [*_sides("in", step.input), *_sides("out", step.output)])


def _sides(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """What went in or came out; of messages and documents each by itself."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and item.keys() >= {"role", "content"}:
            yield str(item["role"]), _text(item["content"])
        else:
            yield name, _text(item)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def criteria_table(criteria: list[CriterionDocument], title: str) -> Grid:
    """What each criterion says of an output."""
    table = Grid(wide("criterion"), whole(""), wide("why"), title=title)
    for criterion in criteria:
        table.add_row(cell(criterion["name"]), criterion["outcome"], cell(criterion["comment"]))
    return table


def further_problems(evaluation: EvaluationDocument) -> list[str]:
    """Problems that no criterion tells of: of the run itself, and of the model's replies."""
    told = tuple(f"{criterion['name']}: " for criterion in evaluation["criteria"])
    return [problem for problem in evaluation["problems"] if not problem.startswith(told)]
