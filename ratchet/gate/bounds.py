"""What a change costs, and whether that stays within the task's limits."""

from collections.abc import Sequence
from statistics import fmean, median
from typing import NamedTuple

from ratchet.gate.pair import Pair, Runs
from ratchet.records import Cost
from ratchet.tasks import Limits

FREE_TOKENS = 4000
"""Mean tokens per case that no factor forbids. A naive prompt and a question are some 50 tokens, so that four fetched
documents of 500 words or six solved cases are many times as much and still cheap."""
FREE_SECONDS = 2.0
"""Median seconds per case that no factor forbids: below, most of a difference is noise."""
LEAST_TIMED = 8
"""Seconds count when at least so many cases were paid for, not reused, on both sides."""


class Costs(NamedTuple):
    """The prompt in force and the new one over the same cases."""

    before: Cost
    after: Cost


def costs(pairs: Sequence[Pair]) -> Costs | None:
    """Mean tokens over the cases that both sides answered, and median seconds over those of them that both sides paid
    for. A reply out of the store says nothing about today's speed. A case that was run several times counts by its
    mean. None where there are no such cases."""
    answered = [(old, new) for pair in pairs if (old := _answered_runs(pair.old)) and (new := _answered_runs(pair.new))]
    if not answered:
        return None
    timed = [(old, new) for old, new in answered if _seconds(old) and _seconds(new)]
    if len(timed) < LEAST_TIMED:
        timed = []
    return Costs(
        _cost([old for old, _ in answered], [old for old, _ in timed]),
        _cost([new for _, new in answered], [new for _, new in timed]),
    )


def _answered_runs(runs: Runs) -> Runs:
    return tuple(run for run in runs if run.evaluation.criteria)


def _seconds(runs: Runs) -> list[float]:
    return [run.seconds for run in runs if run.seconds is not None]


def _cost(answered: Sequence[Runs], timed: Sequence[Runs]) -> Cost:
    tokens = fmean(fmean(run.tokens for run in runs) for runs in answered)
    return Cost(tokens=tokens, seconds=median(fmean(_seconds(runs)) for runs in timed) if timed else None)


def limit_vetoes(limits: Limits, found: Costs) -> list[str]:
    """One line per limit that the new prompt is above. A prompt that needs no more than the one in force is within all
    of them: a limit must not keep a task from getting cheaper."""
    before, after = found
    vetoes = [_above("tokens", before.tokens, after.tokens, limits.tokens_factor, FREE_TOKENS, limits.tokens)]
    if before.seconds is not None and after.seconds is not None:
        vetoes.append(
            _above("seconds", before.seconds, after.seconds, limits.seconds_factor, FREE_SECONDS, limits.seconds)
        )
    return [veto for veto in vetoes if veto]


def _above(unit: str, before: float, after: float, factor: float, free: float, most: float | None) -> str | None:
    if after <= before:
        return None
    change = f"{unit} per case rise from {before:.4g} to {after:.4g}"
    if most is not None and after > most:
        return f"{change}, limits.{unit} is {most:g}"
    if after > max(factor * before, free):
        return f"{change}, limits.{unit}_factor is {factor:g}"
    return None
