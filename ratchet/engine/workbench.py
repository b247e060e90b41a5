"""One task ready to be run."""

from dataclasses import dataclass, replace
from functools import cached_property

from ratchet.prompting import Rules, TaskPrompts
from ratchet.sources import SolvedCases, Source
from ratchet.tasks import Case, Expected, Task, as_answers, of_split


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

    def asks_as_training_case(self, text: str, expected: Expected) -> bool:
        """Whether a training case asks `text` and takes as right whatever `expected` takes."""
        answers = as_answers(expected)
        own = [as_answers(case.expected) for case in self.train if case.input == text]
        return any(answers == known or (answers and all(one in known for one in answers)) for known in own)

    @cached_property
    def _training_inputs(self) -> dict[str, str]:
        return {case.source: case.input for case in self.train}
