"""Labels: what people said about outputs and failures. Read from JSONL, one label a line."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args

from pydantic import ConfigDict, Field, StrictBool

from ratchet.config.files import StrictModel, parse_json, read_text, validate
from ratchet.errors import ConfigurationError
from ratchet.records import Category
from ratchet.tasks import Expected, problem_of_expected

CATEGORIES: tuple[Category, ...] = get_args(Category)
Text = Annotated[str, Field(min_length=1)]


class JudgeLine(StrictModel):
    """A person's verdict on an output."""

    input: Text
    output: str
    verdict: StrictBool
    expected: Expected = None
    criterion: str | None = None


class _Exchange(StrictModel):
    question: Text
    answer: str


class _Metadata(StrictModel):
    model_config = ConfigDict(extra="ignore")
    reference: Expected = None


class PublicLine(StrictModel):
    """The same in the form that public sets of graded answers have: `expected` is the verdict."""

    input: _Exchange
    expected: StrictBool
    metadata: _Metadata = _Metadata()


class TriageLine(StrictModel):
    """A person's opinion why a run failed; the further keys are those that exported failures have."""

    input: Text
    label: str | None = None
    category: str | None = None
    """Taken for the label where there is no key `label`."""
    id: str | None = None
    output: str | None = None
    expected: Expected = None
    component: Any = None
    failed: Any = None
    problems: Any = None
    version: Any = None
    source: Any = None
    created_at: Any = None
    task: Any = None


class JudgeLabel(NamedTuple):
    """A person's verdict on an output, and where it stands (``FILE:LINE``)."""

    where: str
    input: str
    output: str
    verdict: bool
    expected: Expected = None
    criterion: str | None = None


class TriageLabel(NamedTuple):
    """A person's opinion why a run failed, and where it stands (``FILE:LINE``)."""

    where: str
    input: str
    category: Category
    expected: Expected = None
    failure_id: str | None = None


class Labels(NamedTuple):
    """The labels of a file, by kind; `skipped` counts the lines that nobody has labelled yet."""

    judge: list[JudgeLabel]
    triage: list[TriageLabel]
    skipped: int


def load_labels(file: Path) -> Labels:
    """All labels of a file.

    Raises:
        ConfigurationError: the file is missing or has no labels, or a line is wrong; names the line.
    """
    labels = Labels([], [], 0)
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        data = parse_json(line, where)
        problem = problem_of_expected(data.get("expected")) if isinstance(data, dict) else None
        if problem:
            raise ConfigurationError(f"{where}: {problem}")
        match _label(data, where):
            case JudgeLabel() as label:
                labels.judge.append(label)
            case TriageLabel() as label:
                labels.triage.append(label)
            case None:
                labels = labels._replace(skipped=labels.skipped + 1)
    if not labels.judge and not labels.triage:
        skipped = f" (lines whose label is null: {labels.skipped})" if labels.skipped else ""
        raise ConfigurationError(f"{file}: no labels{skipped}; each line is one, such as {_EXAMPLE}")
    return labels


_EXAMPLE = '{"input": "...", "output": "...", "verdict": true} or {"input": "...", "label": "context"}'


def _label(data: Any, where: str) -> JudgeLabel | TriageLabel | None:
    if isinstance(data, dict) and "verdict" in data:
        line = validate(JudgeLine, data, where)
        return JudgeLabel(where, line.input, line.output, line.verdict, line.expected, line.criterion)
    if isinstance(data, dict) and isinstance(data.get("input"), dict):
        public = validate(PublicLine, data, where)
        return JudgeLabel(where, public.input.question, public.input.answer, public.expected, public.metadata.reference)
    if isinstance(data, dict) and ("label" in data or "category" in data):
        return _triage_label(validate(TriageLine, data, where), "label" if "label" in data else "category", where)
    raise ConfigurationError(f"{where}: no label; a line is such as {_EXAMPLE}")


def _triage_label(line: TriageLine, key: str, where: str) -> TriageLabel | None:
    said = line.label if key == "label" else line.category
    if said is None:
        return None
    for category in CATEGORIES:
        if category == said:
            return TriageLabel(where, line.input, category, line.expected, line.id)
    raise ConfigurationError(f"{where}: {key} {said[:40]!r} is no category; use {', '.join(CATEGORIES)}")
