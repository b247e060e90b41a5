"""How a search goes about it: its numbers, and the few decisions that they are used in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ratchet.config.objects import load_instance
from ratchet.errors import ConfigurationError
from ratchet.records import Candidate
from ratchet.search.entry import Entry
from ratchet.search.evidence import wealth
from ratchet.tasks import Task

AT_LEAST = {"training": 0, "pairs": 0, "close": 0, "cheaper": 0.0, "evidence": 0.0}
"""Smallest values of some numbers; those of all others is 1."""


@dataclass(frozen=True)
class RacePolicy:
    """What a race looks at, who goes on, and what a further round is worth.

    Another policy is one with other numbers, or a subclass with other decisions; ``[race] use`` in task.toml names it.
    It meets failures and training cases only, so that no policy changes what the gate promises.

    - Given: counts of candidates or cases, and entries with their runs so far, by input.
    - Returned: at once, as decisions are asked in the event loop, and the same for the same arguments. A search that
      was stopped is run again, and has to come to the same winner.
    - Never mutated: candidates, and entries, whose runs are shared.
    - Data: a run that is undecided neither passes nor fails, see `Entry`.
    - Raised: `ValueError` for a number that is too small. Decisions raise nothing: it would end the step.
    """

    failures: int = 6
    """Triggering failures that a race looks at."""
    least_failures: int = 3
    """Of which the first block has no fewer than this, however many candidates there are."""
    first_runs: int = 24
    """Runs that the first block may take: with many candidates it is a shorter one."""
    training: int = 8
    """Training cases after the failures, and as many more in extra time."""
    block: int = 4
    """Training cases between two looks at the standing."""
    finalists: int = 2
    """Candidates that go on to training cases; the half that goes on before that is never smaller."""
    behind: int = 3
    """Cases that a candidate may be behind the leader, of those that both have run, before it drops out."""
    close: int = 1
    """Cases that are no more than luck between two candidates, where the leader passes at least five times as many."""
    cheaper: float = 2 / 3
    """A candidate that takes no more than this share of the leader's tokens, and is close to it, is preferred: every
    later run pays for what the leader needs more."""
    pairs: int = 3
    """Pairs that are tried to be merged until one can be."""
    rounds: int = 3
    """Races in one search."""
    evidence: float = 6.0
    """E-value (see `ratchet.search.evidence`) from which on an addition to a candidate that helps already is kept: four
    cases won and none lost, or seven won and one lost."""
    candidates: int = 6
    """Candidates of a further round."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = AT_LEAST.get(name, 1)
            if value < least:
                raise ValueError(f"{name} has to be at least {least} (got {value!r})")

    def first_block(self, candidates: int) -> int:
        """Failures that so many candidates meet first, and as many again in extra time."""
        return max(self.least_failures, min(self.failures, self.first_runs // max(1, candidates)))

    def going_on(self, running: int, *, confirming: bool) -> int:
        """How many of those that are `running` go on after a block; `confirming` once all failures have been met."""
        return self.finalists if confirming else max(self.finalists, running // 2)

    def is_beaten(self, behind: float) -> bool:
        """Whether an entry that passes so many fewer cases than the leader drops out, whatever is still to come."""
        return behind >= self.behind

    def prefers(self, entry: Entry, leader: Entry) -> bool:
        """Whether `entry` is so much cheaper than the leader that a case that it is behind does not count."""
        own, best = entry.on(leader.runs), leader.on(entry.runs)
        behind = entry.behind(leader)
        return own.tokens <= self.cheaper * best.tokens and behind <= self.close and best.worth >= 5 * behind

    def keeps(self, won: int, lost: int) -> bool:
        """Whether what a further round adds is kept, by the cases that it wins and loses against what it is built on:
        they have to be evidence, not luck. The gate only asks whether all of it together helps, so whatever rides along
        has to be judged here."""
        return wealth(won, lost) >= self.evidence

    def entrants(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Who races in a further round: each strategy's first candidate, then each one's second, and so on."""
        turns: Counter[str] = Counter()
        placed = []
        for candidate in candidates:
            turns[candidate.strategy] += 1
            placed.append((turns[candidate.strategy], candidate))
        return [candidate for _, candidate in sorted(placed, key=lambda pair: pair[0])][: self.candidates]


DEFAULT_POLICY = RacePolicy()


async def race_policy(task: Task) -> RacePolicy:
    """The policy that ``[race] use`` in task.toml names, the default one where it names none.

    Raises:
        ConfigurationError: it cannot be imported, or is no `RacePolicy`.
    """
    use, where = task.race.use, f"task {task.name}: race.use"
    if use is None:
        return DEFAULT_POLICY
    policy = await load_instance(use, where)
    if not isinstance(policy, RacePolicy):
        raise ConfigurationError(f"{where}: {use!r} is no RacePolicy (got {policy!r:.80}); make it a subclass of it")
    return policy
