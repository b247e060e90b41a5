"""The search of one cycle: a race, and where its winner leaves something failing, further rounds that start from it."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from ratchet.counting import quantity
from ratchet.engine import Scored, Trial, as_trials, score_all, with_prompt
from ratchet.errors import BudgetError
from ratchet.gate.calls import calls_per_run
from ratchet.llm import active_meter
from ratchet.proposers import CONTEXT, WORDING, Memory, Merge, Situation, own_proposers, propose
from ratchet.records import Candidate, CandidateResult, FailureBundle
from ratchet.search.entry import Entry
from ratchet.search.policy import DEFAULT_POLICY, RacePolicy
from ratchet.search.race import RaceResult, Report, Runner, race
from ratchet.search.standings import not_tried, standings
from ratchet.search.trials import RaceTrials
from ratchet.tasks.sampling import shuffled
from ratchet.text import normal_form

Reserve = Callable[[], Awaitable[int]]
"""Says how many model calls the gate may need."""


class SearchResult(NamedTuple):
    """The best of all rounds, None where nothing beats the prompt in force. Beside it how many of the triggering
    failures that were looked at it mends, and the standing of all candidates."""

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
    policy: RacePolicy = DEFAULT_POLICY,
) -> SearchResult:
    """Race `candidates`, then whatever mends what is left under the best one, in as many races as the policy allows.

    It stops when nothing fails any more, when a round brings nothing, or when the budget is used up but for what
    `reserve` says. That is asked after the first race: without that race there would be nothing to prove. The search is
    deterministic, as model replies are reused.

    Raises:
        ConfigurationError, ModelUnavailableError.
        BudgetError: in the first round; later the best so far is kept.
    """
    under_way = _Search(situation, memory, policy, report)
    await under_way.first(candidates)
    for number in range(2, policy.rounds + 1):
        if under_way.best is None or not under_way.failing():
            break
        try:
            with _unspent(await reserve() + under_way.calls_owed()):
                if not await under_way.further(number):
                    break
        except BudgetError:
            report(f"round {number} ends: what is left of the budget is for the gate")
            break
    return await under_way.result()


class _Search:
    """A search under way: the prompt in force, the best so far, and what was seen of everyone else."""

    def __init__(self, situation: Situation, memory: Memory, policy: RacePolicy, report: Report) -> None:
        self.situation, self.memory, self.policy, self.report = situation, memory, policy, report
        self.trials = _trials(situation, policy)
        """Those of the first race; once it has ended, with its extra time and without spare ones."""
        in_force = Candidate(strategy="none", rationale="the prompt in force", prompt=situation.in_force)
        self.in_force = Entry(in_force)
        self.best: Entry | None = None
        self.standings: list[CandidateResult] = []
        self.raced: set[str] = set()
        """Hashes of all prompts that were in a race."""
        self.place = 0
        """Where the best one stands in `standings`."""

    def failing(self) -> list[Trial]:
        """Triggering failures that the best candidate so far does not mend."""
        return [trial for trial in self.trials.failures if not (self.best and self.best.passes(trial.input))]

    def calls_owed(self) -> int:
        """Model calls that `result` may need after a further round, to say what the prompt in force passes."""
        inputs = {trial.input for trial in (*self.trials.failures, *self._confirming())}
        left = len(inputs - self.in_force.runs.keys())
        return left * calls_per_run(self.situation.bench, self.situation.failures)

    def _confirming(self) -> list[Trial]:
        """Training cases of a further round: those that the best one has met, so that it is paid for already."""
        best, cases = self.best, self.trials.cases
        return [trial for trial in cases if best and trial.input in best.runs] or cases

    async def first(self, candidates: Sequence[Candidate]) -> None:
        """The race of the candidates that the cycle proposed."""
        result = await self._race(1, candidates, self.trials, self.in_force, self.situation)
        self.trials = result.trials
        if result.best:
            self._note_best(1, result.best, result.best)
        self._note_standings(1, result, self.in_force)

    async def further(self, number: int) -> bool:
        """A race that starts from the best so far; whether it brought something."""
        incumbent = self.best
        if incumbent is None:
            return False
        failing = self.failing()
        self.report(f"round {number}: {quantity(len(failing), 'failure')} left under {incumbent.candidate.strategy}")
        situation = replace(self.situation, base=incumbent.candidate.prompt, failures=self._bundles(failing))
        candidates = await self._propose(number, situation)
        passing = [trial for trial in self.trials.failures if trial not in failing]
        trials = RaceTrials(failing, passing + self._confirming())
        result = await self._race(number, candidates, trials, incumbent, situation)
        if result.best and not self._brings_something(result.best, incumbent):
            result = result._replace(best=None)
        if result.best:
            self._note_best(number, result.best, _on_top_of(incumbent, result.best))
        self._note_standings(number, result, incumbent)
        return result.best is not None

    async def _propose(self, number: int, situation: Situation) -> list[Candidate]:
        """The entrants of a further round."""
        proposers = (*WORDING, *CONTEXT, *await own_proposers(situation.bench.task))
        proposed = await propose(proposers, situation, self.memory)
        self.standings += [item.result.model_copy(update={"round": number}) for item in proposed.refused]
        return self.policy.entrants([item for item in proposed.candidates if item.prompt.hash not in self.raced])

    async def _race(
        self,
        number: int,
        candidates: Sequence[Candidate],
        trials: RaceTrials,
        incumbent: Entry,
        situation: Situation,
    ) -> RaceResult:
        """One race. The best one has run all of the failures then, also where the race was clear early."""
        run = _runner(situation)

        async def merge(parents: list[Candidate]) -> list[Candidate]:
            return (await propose((Merge(),), replace(situation, parents=parents), self.memory)).candidates

        try:
            result = await race(
                run,
                trials,
                incumbent,
                candidates,
                merge=merge,
                thorough=number > 1,
                policy=self.policy,
                report=lambda text: self.report(f"round {number}, {text}"),
            )
            if result.best:
                known = result.trials.failures if number == 1 else self.trials.failures
                await _complete(run, result.best, known)
        except BudgetError:
            self.standings += [not_tried(candidate, number) for candidate in candidates]
            raise
        return result

    def _brings_something(self, entry: Entry, incumbent: Entry) -> bool:
        """Whether a further round's best one is worth its additions, where something passes already. As at the gate,
        what could not be decided counts against it."""
        both = entry.runs.keys() & incumbent.runs.keys()
        won = sum(entry.wins_on(text, incumbent) for text in both)
        lost = sum(entry.loses_on(text, incumbent) for text in both)
        return not incumbent.passed or self.policy.keeps(won, lost)

    def _note_best(self, number: int, winner: Entry, whole: Entry) -> None:
        """Go on from the winner of a race; `whole` is the same with all that the rounds before have brought."""
        self.best, self.place = whole, len(self.standings)
        self.report(f"round {number}, {winner.candidate.strategy} is best, {winner.share} pass")

    def _note_standings(self, number: int, result: RaceResult, incumbent: Entry) -> None:
        self.standings += standings(result, incumbent, number)
        self.raced |= {entry.candidate.prompt.hash for entry in result.entries}

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
        count = len(self.trials.failures)
        if best is None:
            return SearchResult(None, 0, count, self.standings)
        before = await self._before(best)
        fixed = count - len(self.failing())
        if best.worth <= before:
            return SearchResult(None, fixed, count, self.standings)
        chosen = self.standings[self.place]
        reason = f"best of all: {best.share} pass, {before:g} under {self.in_force.candidate.rationale}"
        self.standings[self.place] = chosen.model_copy(update={"status": "chosen", "reason": reason})
        return SearchResult(best.candidate, fixed, count, self.standings)

    async def _before(self, best: Entry) -> float:
        """How many of the best candidate's inputs the prompt in force passes, or the sum of its grades on them; asked
        only where it may matter."""
        unseen = [trial for trial in (*self.trials.failures, *self.trials.cases) if trial.input in best.runs]
        unseen = [trial for trial in unseen if trial.input not in self.in_force.runs]
        worth = self.in_force.on(best.runs).worth
        if best.worth > worth + len(unseen):
            return worth
        situation = self.situation
        scored = await score_all(situation.harness, situation.bench, situation.bench.prompts, unseen)
        return worth + sum(run.evaluation.worth for run in scored)


def _trials(situation: Situation, policy: RacePolicy) -> RaceTrials:
    """Of the failures and of the training cases as many as a race looks at, and as many again for extra time."""
    failures = _triggering(situation)
    triggering, spare = failures[: policy.failures], failures[policy.failures : 2 * policy.failures]
    inputs = {normal_form(trial.input) for trial in triggering}
    others = [Trial(case.input, case.expected) for case in situation.bench.train if case.form not in inputs]
    others = shuffled(others, key=lambda trial: trial.input)
    return RaceTrials(triggering, others[: policy.training], spare, others[policy.training : 2 * policy.training])


def _triggering(situation: Situation) -> list[Trial]:
    """The failures, those first that experiments were made on: what was run there is paid for."""
    known = situation.diagnosis.causes
    tried = {normal_form(failure.input) for failure in situation.failures if failure.id in known}
    trials = shuffled(as_trials(list(situation.failures)), key=lambda trial: trial.input)
    return sorted(trials, key=lambda trial: normal_form(trial.input) not in tried)


def _runner(situation: Situation) -> Runner:
    async def run(candidate: Candidate, trials: Sequence[Trial]) -> list[Scored]:
        prompts = with_prompt(situation.bench.prompts, situation.component, candidate.prompt)
        return await score_all(situation.harness, situation.bench, prompts, trials)

    return run


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


async def _complete(run: Runner, best: Entry, trials: Sequence[Trial]) -> None:
    """Run the best one on what a race that was clear early has left out."""
    left = [trial for trial in trials if trial.input not in best.runs]
    best.runs |= dict(zip((trial.input for trial in left), await run(best.candidate, left), strict=True))
