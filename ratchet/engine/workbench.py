"""One task ready to be run, and the files that it is made from."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ratchet.prompting import Rules, TaskPrompts
from ratchet.sources import SolvedCases, Source, open_sources
from ratchet.store.rows import CaseRow
from ratchet.tasks import Case, Task, load_cases, merge_cases, of_split


@dataclass(frozen=True)
class Workbench:
    """One task ready to be run: its definition, cases, rules, sources, and the prompts in force."""

    task: Task
    cases: list[Case]
    rules: Rules
    sources: dict[str, Source]
    solved: SolvedCases
    prompts: TaskPrompts
    version: int

    @property
    def train(self) -> list[Case]:
        """The training cases."""
        return of_split(self.cases, "train")

    @property
    def holdout(self) -> list[Case]:
        """The held-out cases. Never part of a proposing or diagnosing call, see `for_training`."""
        return of_split(self.cases, "holdout")

    def for_training(self) -> "Workbench":
        """The same without held-out cases: for whoever proposes, and for the search."""
        return replace(self, cases=self.train)

    def is_training_case(self, source: str, text: str) -> bool:
        """Whether a run is that of a training case. A caller names its source as it likes, so a case's name alone is
        not believed: the input has to be the case's too."""
        return self._training_inputs.get(source) == text

    @cached_property
    def _training_inputs(self) -> dict[str, str]:
        return {case.source: case.input for case in self.train}


@dataclass(frozen=True)
class Material:
    """What is made from a task's files and approved cases, and kept as long as these stay the same."""

    task: Task
    cases: list[Case]
    sources: dict[str, Source]
    solved: SolvedCases


def load_material(task: Task, approved: list[CaseRow]) -> Material:
    """Read cases and sources. Blocks.

    Raises:
        ConfigurationError: a file is wrong.
    """
    cases = merge_cases(load_cases(task), [_case(row) for row in approved])
    return Material(task, cases, open_sources(task), SolvedCases(cases))


def _case(row: CaseRow) -> Case:
    return Case(id=row["id"], input=row["input"], expected=row["expected"], split=row["split"], tags=row["tags"])


def signature(folder: Path) -> object:
    """Another signature means that a file of the folder was changed, added or removed. Blocks."""
    return tuple(
        (str(file), stat.st_mtime_ns, stat.st_size)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and (stat := file.stat())
    )
