"""A race in blocks: all candidates meet a block of cases at the same time, and those that fall behind drop out.

The first blocks are triggering failures, the others training cases, so that only one candidate ever meets the held-out
cases. This is successive halving with two more ways out after each block: what can no longer win, and what is clearly
behind the leader. Where the cases decide nothing there is extra time: further failures if nobody has mended any,
further training cases if the best one is level with the prompt to beat.
"""

import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ratchet.concurrency import gather
from ratchet.counting import quantity
from ratchet.engine import Scored, Trial
from ratchet.records import Candidate
from ratchet.search.entry import Entry
from ratchet.search.frontier import complementary

FAILURES = 6
"""Triggering failures that a race looks at."""
LEAST_FAILURES = 3
"""Of which the first block has no fewer than this, however many candidates there are."""
FIRST_RUNS = 24
"""Runs that the first block may take: with many candidates it is a shorter one."""
TRAINING = 8
"""Training cases after the failures."""
BLOCK = 4
"""Training cases between two looks at the standing."""
FINALISTS = 2
"""Candidates that go on to training cases; the half that goes on before that is never smaller."""
BEHIND = 3
"""Cases that a candidate may be behind the leader, of those that both have run, before it drops out."""
CLOSE = 1
"""Cases that are no more than luck between two candidates, where the leader passes at least five times as many."""
CHEAPER = 2 / 3
"""A candidate that takes no more than this share of the leader's tokens, and is close to it, is preferred: every later
run pays for what the leader needs more."""
PAIRS = 3
"""Pairs that are tried to be merged until one can be."""

Runner = Callable[[Candidate, Sequence[Trial]], Awaitable[list[Scored]]]
"""Runs a candidate on inputs and scores it, in their order."""
Merging = Callable[[list[Candidate]], Awaitable[list[Candidate]]]
"""Makes further candidates of two that complete each other (the better one first)."""
Report = Callable[[str], None]


class RaceTrials(NamedTuple):
    """What is to be run: `failures` are what a candidate has to mend, `cases` what it must not break. The spare ones
    are for extra time; they may be among the `cases`."""

    failures: list[Trial]
    cases: list[Trial]
    spare_failures: Sequence[Trial] = ()
    spare_cases: Sequence[Trial] = ()

    def failure_blocks(self, candidates: int) -> list[list[Trial]]:
        """The failures, cut for so many candidates."""
        first = _first_block(candidates)
        return [block for block in (self.failures[:first], self.failures[first:]) if block]

    def with_spare_failures(self, candidates: int) -> "RaceTrials":
        """The same with as many of the spare failures as the first block had."""
        added = list(self.spare_failures[: _first_block(candidates)])
        known = {trial.input for trial in added}
        cases = [trial for trial in self.cases if trial.input not in known]
        spare = [trial for trial in self.spare_cases if trial.input not in known]
        return RaceTrials([*self.failures, *added], cases, spare_cases=spare)


class RaceResult(NamedTuple):
    """The best of a race, None where nobody is ahead of what it had to beat, all entries, best first, and the trials,
    extra time included."""

    best: Entry | None
    entries: list[Entry]
    trials: RaceTrials


async def race(
    run: Runner,
    trials: RaceTrials,
    incumbent: Entry,
    candidates: Sequence[Candidate],
    *,
    merge: Merging | None = None,
    thorough: bool = False,
    report: Report = lambda _: None,
) -> RaceResult:
    """Let `candidates` race against each other and against `incumbent`, the prompt to beat.

    Ends as soon as the winner is clear, or where all that are left are without fault; then the one with the fewest
    tokens wins. Spare failures are met if nobody has mended any, spare cases as long as the best one is level with the
    incumbent. A `thorough` race leaves no case out for the latter, because the cases won are counted afterwards.
    After the first block `merge` may add candidates, which then catch up. Most passes win, unless a much cheaper
    candidate is close, then the higher score, then fewer tokens. The best one counts only if it is ahead of the
    incumbent on the cases that both have run. The incumbent's known runs are not made again.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError: of `run` and `merge`.
    """
    under_way = _Race(run, trials, incumbent, [Entry(candidate) for candidate in candidates], report, thorough)
    for number, block in enumerate(under_way.blocks(), start=1):
        if under_way.clear():
            break
        await under_way.meet(block, number)
        if number == 1 and merge:
            await under_way.add_merged(merge, block)
        under_way.drop(f"block {number}")
        if under_way.only_promising():
            break  # there is nothing yet that training cases could confirm
    best = under_way.best()
    entries = sorted(under_way.entries, key=lambda entry: (entry is not best, bool(entry.out), *entry.standing()))
    return RaceResult(best, entries, under_way.trials)


@dataclass
class _Race:
    """A race under way."""

    run: Runner
    trials: RaceTrials
    incumbent: Entry
    entries: list[Entry]
    report: Report
    thorough: bool
    met: set[str] = field(default_factory=set)
    """Inputs of all blocks so far."""

    def blocks(self) -> Iterator[list[Trial]]:
        """What is to be met next, as it depends on how the race stands."""
        entered = len(self.entries)
        yield from self.trials.failure_blocks(entered)
        if self._may_mend_yet():
            self.trials = self.trials.with_spare_failures(entered)
            yield [trial for trial in self.trials.failures if trial.input not in self.met]
        self.trials = self.trials._replace(spare_failures=())
        yield from _in_blocks(self.trials.cases)
        for block in _in_blocks(self.trials.spare_cases):
            if not self._level():
                break
            self.trials = self.trials._replace(cases=[*self.trials.cases, *block])
            yield block

    @property
    def left(self) -> int:
        """Cases that nobody has met yet, without extra time."""
        return sum(trial.input not in self.met for trial in (*self.trials.failures, *self.trials.cases))

    @property
    def running(self) -> list[Entry]:
        """Those that are still in, best first."""
        return sorted((entry for entry in self.entries if not entry.out), key=Entry.standing)

    def clear(self) -> bool:
        """Whether what is left cannot change who wins, or could only choose between some that are without fault."""
        alone = len(self.running) == 1 and self._settled()
        return not self.running or alone or (self._faultless() and not self.thorough)

    def _faultless(self) -> bool:
        """Whether all that are in have passed everything: the failures, and a block of training cases at least."""
        met = len(self.trials.failures) + len(self.trials.cases) - self.left
        enough = len(self.trials.failures) + min(BLOCK, len(self.trials.cases))
        return met >= enough and all(entry.passed == len(entry.runs) for entry in self.running)

    def _settled(self) -> bool:
        """Whether the incumbent stays behind all that are in, even if it passed everything that is left."""
        inputs = {trial.input for trial in (*self.trials.failures, *self.trials.cases)}
        most = self.incumbent.passed + len(inputs - self.incumbent.runs.keys())
        return all(entry.passed > most for entry in self.running)

    def only_promising(self) -> bool:
        """Whether all failures have been met, and nobody passes more than the incumbent: a higher score alone is only a
        promise."""
        ahead = any(entry.behind(self.incumbent) < 0 for entry in self.running)
        return self.left == len(self.trials.cases) and not ahead and not self._may_mend_yet()

    def _anyone_ahead(self) -> bool:
        return any(entry.ahead_of(self.incumbent) for entry in self.running)

    def _may_mend_yet(self) -> bool:
        """Whether nobody has mended anything, and there are failures left to meet."""
        left = self.left > len(self.trials.cases) or bool(self.trials.spare_failures)
        return left and not self._anyone_ahead()

    def _level(self) -> bool:
        """Whether the best one passes neither more nor fewer than the incumbent."""
        return bool(self.running) and self.running[0].behind(self.incumbent) == 0 and not self._anyone_ahead()

    async def meet(self, block: Sequence[Trial], number: int) -> None:
        """One block for all that are in, and for the incumbent as long as it matters."""
        running = self.running
        self.report(f"block {number}: {quantity(len(running), 'candidate')} on {quantity(len(block), 'case')}")
        await self._run(running if self._settled() else [self.incumbent, *running], block)
        self.met |= {trial.input for trial in block}

    async def add_merged(self, merge: Merging, block: Sequence[Trial]) -> None:
        """Merge the first pair that completes each other and can be merged; what comes of it catches up."""
        ranked = self.running
        for pair in complementary([entry.wins - self.incumbent.wins for entry in ranked])[:PAIRS]:
            made = await merge([ranked[place].candidate for place in pair])
            if made:
                joined = [Entry(candidate) for candidate in made]
                self.report(
                    f"{quantity(len(block), 'case')} for {quantity(len(joined), 'merged candidate')} to catch up"
                )
                await self._run(joined, block)
                self.entries += joined
                return

    async def _run(self, entries: Sequence[Entry], block: Sequence[Trial]) -> None:
        """All entries at the same time, each on what it has not run yet."""

        async def one(entry: Entry) -> None:
            new = [trial for trial in block if trial.input not in entry.runs]
            scored = await self.run(entry.candidate, new)
            entry.runs |= {trial.input: result for trial, result in zip(new, scored, strict=True)}

        await gather(one(entry) for entry in entries)

    def drop(self, where: str) -> None:
        """Take out who mends nothing, who cannot win any more, who is clearly behind, and the worse half; nobody as
        long as there are failures left to meet and nobody has mended any."""
        running = self.running
        if self._may_mend_yet():
            return
        for place, entry in enumerate(running):
            reason = self._useless(entry) or self._beaten(entry, running[0]) or self._halved(place, len(running))
            if reason:
                entry.out = f"dropped at {where} with {entry.share}: {reason}"

    def _useless(self, entry: Entry) -> str:
        if self.left >= len(self.trials.cases) and not entry.ahead_of(self.incumbent):
            return f"mends nothing, {self.incumbent.candidate.rationale} has {self.incumbent.on(entry.runs).share}"
        if entry.passed + self.left < self.incumbent.passed:
            return f"cannot reach {self.incumbent.candidate.rationale} any more, which has {self.incumbent.share}"
        return ""

    def best(self) -> Entry | None:
        """Who wins, if anyone that is in is ahead of the incumbent."""
        ahead = [entry for entry in self.running if entry.ahead_of(self.incumbent)]
        if not ahead or ahead[0] is not self.running[0]:
            return None
        return min(
            ahead, key=lambda entry: entry.tokens if entry is ahead[0] or _worth_it(entry, ahead[0]) else math.inf
        )

    def _beaten(self, entry: Entry, leader: Entry) -> str:
        behind = entry.behind(leader)
        if behind > self.left and not _worth_it(entry, leader):
            return f"cannot catch up with the leader's {leader.share}"
        return f"clearly behind the leader's {leader.share}" if behind >= BEHIND else ""

    def _halved(self, place: int, running: int) -> str:
        kept = FINALISTS if self.left <= len(self.trials.cases) else max(FINALISTS, running // 2)
        return f"only the best {kept} went on" if place >= kept else ""


def _in_blocks(cases: Sequence[Trial]) -> list[list[Trial]]:
    """Training cases, cut into blocks."""
    return [list(cases[start : start + BLOCK]) for start in range(0, len(cases), BLOCK)]


def _first_block(candidates: int) -> int:
    return max(LEAST_FAILURES, min(FAILURES, FIRST_RUNS // max(1, candidates)))


def _worth_it(entry: Entry, leader: Entry) -> bool:
    """Whether a candidate is so much cheaper than the leader that a case that it is behind does not count."""
    mine, best = entry.on(leader.runs), leader.on(entry.runs)
    behind = entry.behind(leader)
    return mine.tokens <= CHEAPER * best.tokens and behind <= CLOSE and best.passed >= 5 * behind
