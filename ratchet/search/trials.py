"""What a race runs, cut into blocks."""

from collections.abc import Sequence
from typing import NamedTuple

from ratchet.engine import Trial
from ratchet.text import normal_form


class RaceTrials(NamedTuple):
    """What is to be run: `failures` are what a candidate has to mend, `cases` what it must not break. The spare ones
    are for extra time; they may be among the `cases`."""

    failures: list[Trial]
    cases: list[Trial]
    spare_failures: Sequence[Trial] = ()
    spare_cases: Sequence[Trial] = ()

    def failure_blocks(self, first: int) -> list[list[Trial]]:
        """The failures: so many in the first block, the others in a second one."""
        return [block for block in (self.failures[:first], self.failures[first:]) if block]

    def with_spare_failures(self, count: int) -> "RaceTrials":
        """The same with so many of the spare failures, which are no training cases any more."""
        added = list(self.spare_failures[:count])
        known = {normal_form(trial.input) for trial in added}
        cases = [trial for trial in self.cases if normal_form(trial.input) not in known]
        spare = [trial for trial in self.spare_cases if normal_form(trial.input) not in known]
        return RaceTrials([*self.failures, *added], cases, spare_cases=spare)

    def without_spare_failures(self) -> "RaceTrials":
        """The same once something is mended, or all failures are used."""
        return self._replace(spare_failures=())

    def with_cases(self, cases: Sequence[Trial]) -> "RaceTrials":
        """The same with further training cases."""
        return self._replace(cases=[*self.cases, *cases])


def in_blocks(cases: Sequence[Trial], size: int) -> list[list[Trial]]:
    """The cases, cut into blocks of that size."""
    return [list(cases[start : start + size]) for start in range(0, len(cases), size)]
