"""A race in blocks: all candidates meet a block of cases at the same time, and those that fall behind drop out.

The first blocks are triggering failures, the others training cases, so that only one candidate ever meets the held-out
cases. This is successive halving with two more ways out after each block: what can no longer win, and what is clearly
behind the leader. Where the cases decide nothing there is extra time: further failures if nobody has mended any,
further training cases if the best one is level with the incumbent. The numbers are those of a `RacePolicy`.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ratchet.concurrency import gather
from ratchet.counting import quantity
from ratchet.engine import Scored, Trial
from ratchet.records import Candidate
from ratchet.search.entry import Entry
from ratchet.search.frontier import complementary
from ratchet.search.policy import DEFAULT_POLICY, RacePolicy
from ratchet.search.trials import RaceTrials, in_blocks

Runner = Callable[[Candidate, Sequence[Trial]], Awaitable[list[Scored]]]
"""Runs a candidate on inputs and scores it, in their order."""
Merging = Callable[[list[Candidate]], Awaitable[list[Candidate]]]
"""Makes further candidates of two that complete each other (the better one first)."""
Report = Callable[[str], None]


class RaceResult(NamedTuple):
    """The best of a race, None where nobody is ahead of the incumbent, all entries, best first, and the trials, extra
    time included."""

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
    policy: RacePolicy = DEFAULT_POLICY,
    report: Report = lambda _: None,
) -> RaceResult:
    """Let `candidates` race against each other and against the `incumbent`.

    Ends as soon as the winner is clear, or where all that are left are without fault; then the one with the fewest
    tokens wins. Spare failures are met if nobody has mended any, spare cases as long as the best one is level with the
    incumbent. A `thorough` race leaves no case out for the latter, because the cases won are counted afterwards.
    After the first block `merge` may add candidates, which then catch up. Most passes win, unless a much cheaper
    candidate is close, then the higher score, then fewer tokens. The best one counts only if it is ahead of the
    incumbent on the cases that both have run. The incumbent's known runs are not made again.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError: of `run` and `merge`.
    """
    entries = [Entry(candidate) for candidate in candidates]
    under_way = _Race(run, trials, incumbent, entries, policy, report, thorough)
    for number, block in enumerate(under_way.blocks(), start=1):
        if under_way.is_clear():
            break
        await under_way.meet(block, number)
        if number == 1 and merge:
            await under_way.add_merged(merge, block)
        under_way.drop(f"block {number}")
        if under_way.is_only_promising():
            break  # there is nothing yet that training cases could confirm
    best = under_way.best()
    ranked = sorted(under_way.entries, key=lambda entry: (entry is not best, bool(entry.out), *entry.standing()))
    return RaceResult(best, ranked, under_way.trials)


@dataclass
class _Race:
    """A race under way."""

    run: Runner
    trials: RaceTrials
    incumbent: Entry
    entries: list[Entry]
    policy: RacePolicy
    report: Report
    thorough: bool
    met: set[str] = field(default_factory=set)
    """Inputs of all blocks so far."""

    def blocks(self) -> Iterator[list[Trial]]:
        """What is to be met next, as it depends on how the race stands."""
        first, size = self.policy.first_block(len(self.entries)), self.policy.block
        yield from self.trials.failure_blocks(first)
        if self._may_mend_yet():
            self.trials = self.trials.with_spare_failures(first)
            yield [trial for trial in self.trials.failures if trial.input not in self.met]
        self.trials = self.trials.without_spare_failures()
        yield from in_blocks(self.trials.cases, size)
        for block in in_blocks(self.trials.spare_cases, size):
            if not self._is_level():
                break
            self.trials = self.trials.with_cases(block)
            yield block

    @property
    def left(self) -> int:
        """Cases that nobody has met yet, without extra time."""
        return sum(trial.input not in self.met for trial in (*self.trials.failures, *self.trials.cases))

    @property
    def running(self) -> list[Entry]:
        """Entries that are still in, best first."""
        return sorted((entry for entry in self.entries if not entry.out), key=Entry.standing)

    def is_clear(self) -> bool:
        """Whether what is left cannot change who wins, or could only choose between some that are without fault."""
        alone = len(self.running) == 1 and self._is_settled()
        return not self.running or alone or (self._is_faultless() and not self.thorough)

    def _is_faultless(self) -> bool:
        """Whether all that are in have passed everything: the failures, and a block of training cases at least."""
        met = len(self.trials.failures) + len(self.trials.cases) - self.left
        enough = len(self.trials.failures) + min(self.policy.block, len(self.trials.cases))
        return met >= enough and all(entry.passed == len(entry.runs) for entry in self.running)

    def _is_settled(self) -> bool:
        """Whether the incumbent stays behind all that are in, even if it passed everything that is left."""
        inputs = {trial.input for trial in (*self.trials.failures, *self.trials.cases)}
        most = self.incumbent.worth + len(inputs - self.incumbent.runs.keys())
        return all(entry.worth > most for entry in self.running)

    def is_only_promising(self) -> bool:
        """Whether all failures have been met, and nobody passes more than the incumbent: a higher score alone is only a
        promise."""
        ahead = any(entry.behind(self.incumbent) < 0 for entry in self.running)
        return self.left == len(self.trials.cases) and not ahead and not self._may_mend_yet()

    def _is_anyone_ahead(self) -> bool:
        return any(entry.ahead_of(self.incumbent) for entry in self.running)

    def _may_mend_yet(self) -> bool:
        """Whether nobody has mended anything, and there are failures left to meet."""
        left = self.left > len(self.trials.cases) or bool(self.trials.spare_failures)
        return left and not self._is_anyone_ahead()

    def _is_level(self) -> bool:
        """Whether the best one passes neither more nor fewer than the incumbent."""
        return bool(self.running) and self.running[0].behind(self.incumbent) == 0 and not self._is_anyone_ahead()

    async def meet(self, block: Sequence[Trial], number: int) -> None:
        """One block for all that are in, and for the incumbent as long as it matters."""
        running = self.running
        self.report(f"block {number}: {quantity(len(running), 'candidate')} on {quantity(len(block), 'case')}")
        await self._run(running if self._is_settled() else [self.incumbent, *running], block)
        self.met |= {trial.input for trial in block}

    async def add_merged(self, merge: Merging, block: Sequence[Trial]) -> None:
        """Merge the first pair that completes each other and can be merged; what comes of it catches up."""
        ranked = self.running
        pairs = complementary([entry.wins - self.incumbent.wins for entry in ranked])
        for pair in pairs[: self.policy.pairs]:
            merged = [Entry(candidate) for candidate in await merge([ranked[place].candidate for place in pair])]
            if merged:
                candidates = quantity(len(merged), "merged candidate")
                self.report(f"{quantity(len(block), 'case')} for {candidates} to catch up")
                await self._run(merged, block)
                self.entries += merged
                return

    async def _run(self, entries: Sequence[Entry], block: Sequence[Trial]) -> None:
        """All entries at the same time, each on what it has not run yet."""

        async def one(entry: Entry) -> None:
            new = [trial for trial in block if trial.input not in entry.runs]
            scored = await self.run(entry.candidate, new)
            entry.runs |= {trial.input: result for trial, result in zip(new, scored, strict=True)}

        await gather(one(entry) for entry in entries)

    def drop(self, where: str) -> None:
        """Take out who mends nothing, who cannot win any more, who is clearly behind, and the worse half. Nobody is
        taken out as long as there are failures left to meet and nobody has mended any."""
        running = self.running
        if self._may_mend_yet():
            return
        for place, entry in enumerate(running):
            reason = (
                self._why_useless(entry) or self._why_beaten(entry, running[0]) or self._why_halved(place, len(running))
            )
            if reason:
                entry.out = f"dropped at {where} with {entry.share}: {reason}"

    def _why_useless(self, entry: Entry) -> str:
        if self.left >= len(self.trials.cases) and not entry.ahead_of(self.incumbent):
            return f"mends nothing, {self.incumbent.candidate.rationale} has {self.incumbent.on(entry.runs).share}"
        if entry.worth + self.left < self.incumbent.worth:
            return f"cannot reach {self.incumbent.candidate.rationale} any more, which has {self.incumbent.share}"
        return ""

    def _why_beaten(self, entry: Entry, leader: Entry) -> str:
        behind = entry.behind(leader)
        if behind > self.left and not self.policy.prefers(entry, leader):
            return f"cannot catch up with the leader's {leader.share}"
        return f"clearly behind the leader's {leader.share}" if self.policy.is_beaten(behind) else ""

    def _why_halved(self, place: int, running: int) -> str:
        kept = self.policy.going_on(running, confirming=self.left <= len(self.trials.cases))
        return f"only the best {kept} went on" if place >= kept else ""

    def best(self) -> Entry | None:
        """Who wins, if the leader is ahead of the incumbent."""
        ahead = [entry for entry in self.running if entry.ahead_of(self.incumbent)]
        if not ahead or ahead[0] is not self.running[0]:
            return None
        leader = ahead[0]
        preferred = [entry for entry in ahead if entry is leader or self.policy.prefers(entry, leader)]
        return min(preferred, key=lambda entry: entry.tokens)
