"""Choosing one of several candidates on failures and training cases, so that only one meets the held-out cases."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ratchet.engine import Engine, Workbench
from ratchet.records import Candidate, CandidateResult
from ratchet.selection.sampling import shuffled
from ratchet.tasks import Case
from ratchet.trial import Trial, replaced, score_all

FIRST_HEAT = 6
"""Triggering failures that every candidate meets."""
SECOND_HEAT = 8
"""Further training cases for those that are left."""
KEEP = 2
"""Candidates that go on to the second heat."""

Report = Callable[[str], None]


class Lane(NamedTuple):
    """A candidate and how it did so far."""

    candidate: Candidate
    passed: int
    total: int
    tokens: int


class RaceResult(NamedTuple):
    """The winner (None where no candidate beats the prompt in force), how many of the triggering failures it fixes, and
    the standing of all."""

    winner: Candidate | None
    fixed: int
    triggering: int
    standings: list[CandidateResult]


async def race(
    engine: Engine,
    bench: Workbench,
    component: str,
    candidates: Sequence[Candidate],
    failures: Sequence[Trial],
    report: Report = lambda _: None,
) -> RaceResult:
    """Two heats: the triggering failures for all, then training cases for the best `KEEP`, with the prompt in force
    beside them. Most passes win; equal ones go by fewer tokens.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    first = shuffled(failures, key=lambda trial: trial.input)[:FIRST_HEAT]
    lanes = []
    for candidate in candidates:
        report(f"{candidate.strategy}: {candidate.rationale}")
        lanes.append(await _heat(engine, bench, component, candidate, first))
    lanes.sort(key=_standing)
    going_on = [lane for lane in lanes[:KEEP] if lane.passed > 0]
    inputs = {trial.input for trial in first}
    second = _training_trials([case for case in bench.train if case.input not in inputs])
    before = sum(result.evaluation.passed is True for result in await score_all(engine, bench, bench.prompts, second))
    finals = []
    for lane in going_on:
        more = await _heat(engine, bench, component, lane.candidate, second)
        finals.append((lane, more))
    finals.sort(key=lambda pair: (-(pair[0].passed + pair[1].passed), pair[0].tokens + pair[1].tokens))
    best = finals[0] if finals and finals[0][0].passed + finals[0][1].passed > before else None
    return RaceResult(
        winner=best[0].candidate if best else None,
        fixed=best[0].passed if best else 0,
        triggering=len(first),
        standings=[_result(lane, finals, best[0] if best else None, len(first), before, len(second)) for lane in lanes],
    )


def _standing(lane: Lane) -> tuple[int, int]:
    return -lane.passed, lane.tokens


def _training_trials(cases: Sequence[Case]) -> list[Trial]:
    scored = [Trial(case.input, case.expected) for case in cases]
    return shuffled(scored, key=lambda trial: trial.input)[:SECOND_HEAT]


async def _heat(
    engine: Engine, bench: Workbench, component: str, candidate: Candidate, trials: Sequence[Trial]
) -> Lane:
    scored = await score_all(engine, bench, replaced(bench.prompts, component, candidate.prompt), trials)
    return Lane(
        candidate,
        sum(result.evaluation.passed is True for result in scored),
        len(scored),
        sum(result.tokens for result in scored),
    )


def _result(
    lane: Lane, finals: list[tuple[Lane, Lane]], winner: Lane | None, heat: int, before: int, second: int
) -> CandidateResult:
    more = next((final for first, final in finals if first is lane), None)
    passed, total = lane.passed + (more.passed if more else 0), lane.total + (more.total if more else 0)
    if lane is winner:
        reason = f"best of all: {passed} of {total}"
    elif more is None:
        reason = f"fixes {lane.passed} of {heat} failures"
    else:
        reason = f"passes {passed} of {total}; the prompt in force passes {before} of the last {second}"
    return CandidateResult(
        strategy=lane.candidate.strategy,
        rationale=lane.candidate.rationale,
        status="chosen" if lane is winner else "lost",
        reason=reason,
        passed=passed,
        total=total,
    )
