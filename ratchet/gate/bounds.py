"""What a change costs, and whether that stays within the task's limits."""

from collections.abc import Sequence
from statistics import fmean, median
from typing import NamedTuple

from ratchet.gate.compare import Pair, Scored
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
    for: a reply out of the store says nothing about today's speed. None where there are no such cases."""
    answered = [pair for pair in pairs if pair.old.evaluation.criteria and pair.new.evaluation.criteria]
    if not answered:
        return None
    timed = [pair for pair in answered if pair.old.seconds is not None and pair.new.seconds is not None]
    if len(timed) < LEAST_TIMED:
        timed = []
    return Costs(
        _cost([pair.old for pair in answered], [pair.old for pair in timed]),
        _cost([pair.new for pair in answered], [pair.new for pair in timed]),
    )


def _cost(answered: Sequence[Scored], timed: Sequence[Scored]) -> Cost:
    seconds = [scored.seconds for scored in timed if scored.seconds is not None]
    return Cost(tokens=fmean(scored.tokens for scored in answered), seconds=median(seconds) if seconds else None)


def exceeded(limits: Limits, found: Costs) -> list[str]:
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
