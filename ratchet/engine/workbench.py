"""One task ready to be run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ratchet.prompting import Rules, TaskPrompt, TaskPrompts
from ratchet.sources import SolvedCases, Source
from ratchet.tasks import Case, Expected, LeftOut, Task, as_answers, of_split
from ratchet.text import normal_form


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
    left_out: Sequence[LeftOut] = ()
    """Cases that have another one's input; none of `cases`."""
    problem: str | None = None
    """What is wrong with the prompts file; `prompts` are then those of the database."""

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
        return replace(self, cases=self.train, left_out=())

    def is_training_case(self, source: str, text: str) -> bool:
        """Whether a run is that of a training case. A caller names its source as it likes, so a case's name alone is
        not believed: the input has to be the case's too."""
        return source in self._training_forms and self._training_forms[source] == normal_form(text)

    def asks_as_training_case(self, text: str, expected: Expected) -> bool:
        """Whether a training case asks `text` and takes as right whatever `expected` takes."""
        answers = as_answers(expected)
        own = [as_answers(case.expected) for case in self.train if case.form == normal_form(text)]
        return any(answers == known or (answers and all(one in known for one in answers)) for known in own)

    @cached_property
    def _training_forms(self) -> dict[str, str]:
        return {case.source: case.form for case in self.train}


def shown_cases(prompts: Iterable[TaskPrompt], cases: Sequence[Case]) -> list[str]:
    """Ids of those `cases` whose input is that of an example of the prompts."""
    shown = {normal_form(example.input) for prompt in prompts for example in prompt.examples}
    return [case.id for case in cases if case.form in shown]
