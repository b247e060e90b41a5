"""Cases: inputs with the output that is expected. Read from ``tasks/NAME/cases.jsonl``."""

import hashlib
import json
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from ratchet.config.files import StrictModel, parse_json, read_text, validate
from ratchet.errors import ConfigurationError
from ratchet.tasks.expected import Expected, problem_of_expected
from ratchet.tasks.task import Task
from ratchet.text import normal_form

Split = Literal["train", "holdout"]
CASE_SOURCE = "case:"
"""What the source of a run begins with that says it is a known case; the case's id follows."""


_EXAMPLE = '{"input": "...", "expected": "..."}'


class CaseLine(StrictModel):
    """One line of cases.jsonl."""

    id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    input: Annotated[str, Field(min_length=1)]
    expected: Expected = None
    split: Split | None = None
    tags: list[str] = []


class Case(StrictModel):
    """A case with its id and split settled."""

    id: str
    input: str
    expected: Expected = None
    split: Split
    tags: list[str] = []

    @cached_property
    def form(self) -> str:
        """The input in normal form, by which cases, runs and failures are compared."""
        return normal_form(self.input)

    @property
    def source(self) -> str:
        """What a run of this case says of where it came from; so may any caller's."""
        return f"{CASE_SOURCE}{self.id}"

    def solution(self) -> str | None:
        """The expected output as an assistant would say it, None where the case has none."""
        return solution_text(self.expected)


def solution_text(expected: Expected) -> str | None:
    """`expected` as the text of a right answer; of a list (any is right) the first."""
    first = expected[0] if isinstance(expected, list) and expected else expected
    if first is None or first == []:
        return None
    if isinstance(first, str):
        return first
    return json.dumps(first, ensure_ascii=False)


def names_case(source: str) -> bool:
    """Whether the source of a run says that it is a known case."""
    return source.startswith(CASE_SOURCE)


def stable_split(text: str) -> Split:
    """Half train, half holdout, by a hash of the input's normal form: the same on every machine and in every run."""
    return "train" if hashlib.sha256(normal_form(text).encode()).digest()[0] % 2 == 0 else "holdout"


def case_id(text: str) -> str:
    """The id of a case that was given none."""
    return "case-" + hashlib.sha256(text.encode()).hexdigest()[:12]


def load_cases(task: Task) -> list[Case]:
    """All cases of a task in file order.

    Raises:
        ConfigurationError: the file is missing or empty, a line is wrong, or an id stands there twice.
    """
    file = task.folder / "cases.jsonl"
    cases: list[Case] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        if not line.lstrip().startswith("{"):  # a list over several lines, CSV, or anything else
            raise ConfigurationError(f"{where}: no JSON object; each line is one, such as {_EXAMPLE}")
        given = validate(CaseLine, parse_json(line, where), where)
        case = _settle(given)
        problem = problem_of_expected(case.expected)
        if problem:
            raise ConfigurationError(f"{where}: {problem}")
        if case.id in seen:
            what = f"the id {case.id!r} stands" if given.id else "the same input without an id stands"
            raise ConfigurationError(f"{where}: {what} on line {seen[case.id]} too")
        seen[case.id] = number
        cases.append(case)
    if not cases:
        raise ConfigurationError(f"{file}: no cases; each line is one, such as {_EXAMPLE}")
    return cases


def _settle(line: CaseLine) -> Case:
    return Case(
        id=line.id or case_id(line.input),
        input=line.input,
        expected=line.expected,
        split=line.split or stable_split(line.input),
        tags=line.tags,
    )


def of_split(cases: list[Case], split: Split) -> list[Case]:
    """The cases of one split."""
    return [case for case in cases if case.split == split]


def merge_cases(written: list[Case], approved: list[Case]) -> list[Case]:
    """The cases of a task's file, then those `approved` cases that it does not hold.

    Where the file has an input in the other split both are there: `ratchet.tasks.overlaps` says which one is used.
    """
    forms, splits = {case.id: case.form for case in written}, {(case.form, case.split) for case in written}
    new = [case for case in approved if forms.get(case.id, case.form) == case.form]
    return [*written, *(case for case in new if (case.form, case.split) not in splits)]
