"""The search of one cycle: a race, and where its winner leaves something failing, further rounds that start from it."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from ratchet.counting import quantity
from ratchet.engine import Scored, Trial, as_trials, score_all, with_prompt
from ratchet.errors import BudgetError
from ratchet.gate.calls import calls_per_run
from ratchet.gate.eprocess import wealth
from ratchet.llm import active_meter
from ratchet.proposers import CONTEXT, WORDING, Memory, Merge, Situation, propose
from ratchet.records import Candidate, CandidateResult, FailureBundle
from ratchet.search.entry import Entry
from ratchet.search.race import FAILURES, TRAINING, RaceResult, RaceTrials, Report, Runner, race
from ratchet.tasks.sampling import shuffled

ROUNDS = 3
"""Races in one search."""
EVIDENCE = 6.0
"""E-value (see `ratchet.gate.eprocess`) from which on an addition to a candidate that helps already is kept: four cases
won and none lost, or seven won and one lost."""
MOST = 6
"""Candidates of a further round; each strategy's first idea comes before anyone's second."""

Reserve = Callable[[], Awaitable[int]]
"""Says how many model calls the gate may need."""


class SearchResult(NamedTuple):
    """The best of all rounds (None where nothing beats the prompt in force), how many of the triggering failures that
    were looked at it mends, and the standing of all candidates."""

    winner: Candidate | None
    fixed: int
    triggering: int
    standings: list[CandidateResult]


async def search(
    situation: Situation,
    candidates: Sequence[Candidate],
    memory: Memory,
    report: Report = lambda _: None,
    *,
    reserve: Reserve,
) -> SearchResult:
    """Race `candidates`, then whatever mends what is left under the best one, up to `ROUNDS` races.

    It stops when nothing fails any more, when a round brings nothing, or when the budget is used up but for what
    `reserve` says, which is asked after the first race: without that one there would be nothing to prove. The search is
    deterministic, as model replies are reused.

    Raises:
        ConfigurationError, ModelUnavailableError.
        BudgetError: in the first round; later the best so far is kept.
    """
    under_way = _Search(situation, memory, report)
    await under_way.first(candidates)
    for number in range(2, ROUNDS + 1):
        if under_way.best is None or not under_way.failing():
            break
        try:
            with _unspent(await reserve() + under_way.owed()):
                if not await under_way.further(number):
                    break
        except BudgetError:
            report(f"round {number} ends: what is left of the budget is for the gate")
            break
    return await under_way.result()


class _Search:
    """A search under way: the prompt in force, the best so far, and what was seen of everyone else."""

    def __init__(self, situation: Situation, memory: Memory, report: Report) -> None:
        self.situation, self.memory, self.report = situation, memory, report
        known = _triggering(situation)
        self.triggering, self.spare_failures = known[:FAILURES], known[FAILURES : 2 * FAILURES]
        inputs = {trial.input for trial in self.triggering}
        self.spare_failures = [trial for trial in self.spare_failures if trial.input not in inputs]
        training = {case.input: Trial(case.input, case.expected) for case in situation.bench.train}
        others = [trial for text, trial in training.items() if text not in inputs]
        others = shuffled(others, key=lambda trial: trial.input)
        self.training, self.spare_cases = others[:TRAINING], others[TRAINING : 2 * TRAINING]
        in_force = Candidate(strategy="none", rationale="the prompt in force", prompt=situation.in_force)
        self.in_force = Entry(in_force)
        self.best: Entry | None = None
        self.standings: list[CandidateResult] = []
        self.raced: set[str] = set()
        self.place = 0
        """Where the best one stands in `standings`."""

    def failing(self) -> list[Trial]:
        """Triggering failures that the best candidate so far does not mend."""
        return [trial for trial in self.triggering if not (self.best and self.best.passes(trial.input))]

    def owed(self) -> int:
        """Model calls that `result` may need after a further round, to say what the prompt in force passes."""
        met = {trial.input for trial in (*self.triggering, *self._confirming())}
        left = len(met - self.in_force.runs.keys())
        return left * calls_per_run(self.situation.bench, self.situation.failures)

    def _confirming(self) -> list[Trial]:
        """Training cases of a further round: those that the best one has met, so that it is paid for already."""
        best = self.best
        return [trial for trial in self.training if best and trial.input in best.runs] or self.training

    async def first(self, candidates: Sequence[Candidate]) -> None:
        """The race of the candidates that the cycle proposed."""
        trials = RaceTrials(self.triggering, self.training, self.spare_failures, self.spare_cases)
        await self._race(1, candidates, trials, self.in_force, self.situation)

    async def further(self, number: int) -> bool:
        """A race that starts from the best so far; whether it brought something."""
        best = self.best
        if best is None:
            return False
        failing = self.failing()
        self.report(f"round {number}: {quantity(len(failing), 'failure')} left under {best.candidate.strategy}")
        situation = replace(self.situation, base=best.candidate.prompt, failures=self._bundles(failing))
        proposed = await propose((*WORDING, *CONTEXT), situation, self.memory)
        self.standings += [item.result.model_copy(update={"round": number}) for item in proposed.refused]
        passing = [trial for trial in self.triggering if trial not in failing]
        new = [candidate for candidate in proposed.candidates if candidate.prompt.hash not in self.raced]
        candidates = _one_of_each_first(new)[:MOST]
        return await self._race(number, candidates, RaceTrials(failing, passing + self._confirming()), best, situation)

    async def _race(
        self,
        number: int,
        candidates: Sequence[Candidate],
        trials: RaceTrials,
        incumbent: Entry,
        situation: Situation,
    ) -> bool:
        async def run(candidate: Candidate, trials: Sequence[Trial]) -> list[Scored]:
            prompts = with_prompt(situation.bench.prompts, situation.component, candidate.prompt)
            return await score_all(situation.harness, situation.bench, prompts, trials)

        async def merge(parents: list[Candidate]) -> list[Candidate]:
            found = await propose((Merge(),), replace(situation, parents=parents), self.memory)
            return found.candidates

        def report(text: str) -> None:
            self.report(f"round {number}, {text}")

        try:
            found = await race(run, trials, incumbent, candidates, merge=merge, thorough=number > 1, report=report)
            if number == 1:
                self.triggering, self.training = found.trials.failures, found.trials.cases
            if found.best:
                await _complete(run, found.best, self.triggering)
        except BudgetError:
            self.standings += [_not_tried(candidate, number) for candidate in candidates]
            raise
        if number > 1 and found.best and not _brings_something(found.best, incumbent):
            found = found._replace(best=None)
        if found.best:
            self.place = len(self.standings)
            self.best = found.best if number == 1 else _on_top_of(incumbent, found.best)
            report(f"{found.best.candidate.strategy} is best, {found.best.share} pass")
        self.standings += [_standing(entry, found, incumbent, number) for entry in found.entries]
        self.raced |= {entry.candidate.prompt.hash for entry in found.entries}
        return found.best is not None

    def _bundles(self, failing: Sequence[Trial]) -> list[FailureBundle]:
        """The failures as they look under the best candidate."""
        inputs, bundles = {trial.input for trial in failing}, []
        for bundle in self.situation.failures:
            if bundle.input in inputs and self.best:
                inputs.remove(bundle.input)
                run = self.best.runs[bundle.input]
                bundles.append(bundle.model_copy(update={"output": run.output, "evaluation": run.evaluation}))
        return bundles

    async def result(self) -> SearchResult:
        """The best candidate, if it beats the prompt in force."""
        best = self.best
        count = len(self.triggering)
        if best is None:
            return SearchResult(None, 0, count, self.standings)
        before = await self._before(best)
        fixed = count - len(self.failing())
        if best.passed <= before:
            return SearchResult(None, fixed, count, self.standings)
        chosen = self.standings[self.place]
        reason = f"best of all: {best.share} pass, {before} under {self.in_force.candidate.rationale}"
        self.standings[self.place] = chosen.model_copy(update={"status": "chosen", "reason": reason})
        return SearchResult(best.candidate, fixed, count, self.standings)

    async def _before(self, best: Entry) -> int:
        """How many of the best candidate's inputs the prompt in force passes; asked only where it may matter."""
        unseen = [trial for trial in (*self.triggering, *self.training) if trial.input in best.runs]
        unseen = [trial for trial in unseen if trial.input not in self.in_force.runs]
        passed = self.in_force.on(best.runs).passed
        if best.passed > passed + len(unseen):
            return passed
        situation = self.situation
        scored = await score_all(situation.harness, situation.bench, situation.bench.prompts, unseen)
        return passed + sum(run.evaluation.passed is True for run in scored)


def _triggering(situation: Situation) -> list[Trial]:
    """The failures, those first that experiments were made on: what was run there is paid for."""
    known = situation.diagnosis.causes
    tried = {failure.input for failure in situation.failures if failure.id in known}
    trials = shuffled(as_trials(list(situation.failures)), key=lambda trial: trial.input)
    return sorted(trials, key=lambda trial: trial.input not in tried)


def _brings_something(entry: Entry, incumbent: Entry) -> bool:
    """Whether a further round's best one is worth its additions: where something passes already, the cases it wins and
    loses against what it was built on have to be evidence, not luck. The gate only asks whether all of it together
    helps, so whatever rides along has to be judged here. As there, what could not be decided counts against it."""
    if not incumbent.passed:
        return True
    both = entry.runs.keys() & incumbent.runs.keys()
    won = sum(entry.passes(text) and incumbent.fails(text) for text in both)
    lost = sum(incumbent.passes(text) and not entry.passes(text) for text in both)
    return wealth(won, lost) >= EVIDENCE


@contextmanager
def _unspent(calls: int) -> Iterator[None]:
    """Leave that many model calls of the budget unspent."""
    meter = active_meter()
    limit = meter.limit
    if limit is not None:
        meter.limit = max(0, limit - calls)
    try:
        yield
    finally:
        meter.limit = limit


def _one_of_each_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Each strategy's first candidate, then each one's second, and so on."""
    met: dict[str, int] = {}
    turns = []
    for candidate in candidates:
        met[candidate.strategy] = met.get(candidate.strategy, 0) + 1
        turns.append(met[candidate.strategy])
    return [candidate for _, candidate in sorted(zip(turns, candidates, strict=True), key=lambda pair: pair[0])]


def _on_top_of(base: Entry, entry: Entry) -> Entry:
    """`entry` told as what it is compared with the prompt in force: the base's change and its own."""
    first, second = base.candidate, entry.candidate
    strategies = list(dict.fromkeys([*first.strategy.split(" + "), second.strategy]))
    whole = Candidate(
        strategy=" + ".join(strategies),
        rationale=f"{first.rationale}; then {second.rationale}",
        prompt=second.prompt,
    )
    return Entry(whole, entry.runs)


def _standing(entry: Entry, found: RaceResult, incumbent: Entry, number: int) -> CandidateResult:
    if found.best is entry:
        reason = f"best of round {number}: {entry.share} pass"
    elif entry.out:
        reason = entry.out
    elif found.best:
        reason = f"{entry.share} pass, {found.best.candidate.rationale} has {found.best.share}"
    else:
        reason = f"{entry.share} pass, {incumbent.candidate.rationale} has {incumbent.share}: not enough to keep it"
    return CandidateResult(
        strategy=entry.candidate.strategy,
        rationale=entry.candidate.rationale,
        status="lost",
        reason=reason,
        passed=entry.passed,
        total=len(entry.runs),
        round=number,
    )


def _not_tried(candidate: Candidate, number: int) -> CandidateResult:
    return CandidateResult(
        strategy=candidate.strategy,
        rationale=candidate.rationale,
        status="not_tried",
        reason="the budget was used up",
        round=number,
    )


async def _complete(run: Runner, best: Entry, trials: Sequence[Trial]) -> None:
    """Run the best one on what a race that was clear early has left out."""
    left = [trial for trial in trials if trial.input not in best.runs]
    best.runs |= dict(zip((trial.input for trial in left), await run(best.candidate, left), strict=True))
