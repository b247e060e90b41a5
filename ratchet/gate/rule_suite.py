"""The rule suite: outputs in, violations out. It has to have none."""

from collections.abc import Sequence
from typing import NamedTuple

from ratchet.concurrency import gather
from ratchet.engine import Scored
from ratchet.errors import PatternError
from ratchet.gate.pair import Pair
from ratchet.prompting import RuleCheck, Rules
from ratchet.records import RuleViolation

EXCERPT = 160
"""Characters of an output that a violation shows."""
SHOWN = 3
"""Violations of one rule that are vetoes of their own; the rest is counted."""


class Observed(NamedTuple):
    """What the new and the old prompt made of one input; an output is None where there is none."""

    where: str
    """``probe``, or the id of a held-out case."""
    input: str
    new: str | None
    old: str | None = None


def observations(pairs: Sequence[Pair]) -> list[Observed]:
    """The held-out cases on which the new prompt gave an output, once for each different output. Where a run ended in
    an error it broke no rule, and counts as failed anyway."""
    return [
        Observed(pair.case.id, pair.case.input, output, old)
        for pair in pairs
        for output, old in _outputs(pair).items()
        if output is not None
    ]


def _outputs(pair: Pair) -> dict[str | None, str | None]:
    return {_output(new): _output(old) for old, new in zip(pair.old, pair.new, strict=True)}


def _output(scored: Scored) -> str | None:
    return scored.output if scored.evaluation.criteria else None


async def violations(rules: Rules, seen: Sequence[Observed]) -> list[RuleViolation]:
    """Every rule that an output under the new prompt breaks. What was not shown to hold counts as broken: a missing
    output breaks all, and one that could not be checked breaks that rule."""
    found = await gather(_violation(check, item) for check in rules.checks for item in seen)
    return [violation for violation in found if violation]


async def _violation(check: RuleCheck, item: Observed) -> RuleViolation | None:
    why = "gave no output" if item.new is None else await _problem(check, item.new)
    if why is None:
        return None
    return RuleViolation(
        rule=check.name,
        text=check.rule,
        where=item.where,
        input=item.input,
        output=(item.new or "")[:EXCERPT],
        why=why,
        already_broken=item.old is not None and await _is_broken(check, item.old),
    )


async def _problem(check: RuleCheck, output: str) -> str | None:
    try:
        return await check.broken_by(output)
    except PatternError as error:
        return f"could not be checked: {error}"


async def _is_broken(check: RuleCheck, output: str) -> bool:
    try:
        return await check.broken_by(output) is not None
    except PatternError:  # nothing to excuse the change with
        return False


def rule_vetoes(found: Sequence[RuleViolation]) -> list[str]:
    """One line per violation, the first `SHOWN` of each rule, and one that counts the others."""
    lines = []
    for name in dict.fromkeys(violation.rule for violation in found):
        mine = [violation for violation in found if violation.rule == name]
        lines += [_line(violation) for violation in mine[:SHOWN]]
        if len(mine) > SHOWN:
            lines.append(f"{name} is broken by {len(mine) - SHOWN} further outputs")
    return lines


def _line(violation: RuleViolation) -> str:
    before = " (already broken before)" if violation.already_broken else ""
    place = f"the probe {violation.input[:60]!r}" if violation.where == "probe" else f"case {violation.where}"
    head = f"{violation.rule} {violation.text[:60]!r} is broken on {place}{before}"
    return f"{head}: {violation.output[:80]!r} {violation.why}"
