"""What a change that helps may still fail on: the rule suite and the cost bounds, and the probe runs behind them."""

from typing import NamedTuple

from ratchet.concurrency import gather
from ratchet.engine import Engine, Problem, Workbench, try_prompt, with_prompt
from ratchet.gate import Comparison, Observed, costs, limit_vetoes, observations, rule_vetoes, violations
from ratchet.gate.bounds import Costs
from ratchet.gate.yardstick import Yardstick, yardstick
from ratchet.prompting import Rules, TaskPrompt, TaskPrompts
from ratchet.records import RuleViolation, Validation


class Vetoes(NamedTuple):
    """What speaks against a change, whatever it gains."""

    violations: list[RuleViolation]
    costs: Costs | None
    lines: list[str]
    by: Yardstick

    def on(self, validation: Validation) -> Validation:
        """`validation` with the figures behind the vetoes; their lines are part of it already."""
        before, after = self.costs or (None, None)
        figures = {"rule_violations": self.violations, "cost_before": before, "cost_after": after}
        hashes = {"rules_hash": self.by.rules, "criteria_hash": self.by.criteria}
        return validation.model_copy(update={**figures, **hashes})


async def vetoes(
    engine: Engine, bench: Workbench, component: str, prompt: TaskPrompt, comparison: Comparison
) -> Vetoes:
    """Check every held-out output of the new prompt, and, where it would be proven, each probe of the rules.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError: from the probe runs.
    """
    return await vetoes_of(engine, bench, with_prompt(bench.prompts, component, prompt), comparison)


async def vetoes_of(engine: Engine, bench: Workbench, prompts: TaskPrompts, comparison: Comparison) -> Vetoes:
    """As `vetoes`, where more than one component may differ.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError: from the probe runs.
    """
    seen = observations(comparison.pairs)
    if comparison.verdict() == "better":
        seen += await probe(engine, bench, prompts)
    found = await violations(bench.rules, seen)
    spent = costs(comparison.pairs)
    lines = rule_vetoes(found) + (limit_vetoes(bench.task.limits, spent) if spent else [])
    return Vetoes(found, spent, lines, yardstick(bench))


async def probe(engine: Engine, bench: Workbench, prompts: TaskPrompts) -> list[Observed]:
    """Run every probe once with `prompts`, all at once. Those that break a rule are run with the prompts in force too,
    so that the reviewer learns whether the change brought it about. Replies are paid for once.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    inputs = list(dict.fromkeys(text for check in bench.rules.checks for text in check.probes))
    new = await _outputs(engine, bench, prompts, inputs)
    broken = await _breaking_inputs(bench.rules, new)
    old = await _outputs(engine, bench, bench.prompts, broken)
    return [Observed("probe", text, output, old.get(text)) for text, output in new.items()]


async def _breaking_inputs(rules: Rules, outputs: dict[str, str | None]) -> list[str]:
    seen = [Observed("probe", text, output) for text, output in outputs.items()]
    return list(dict.fromkeys(violation.input for violation in await violations(rules, seen)))


async def _outputs(engine: Engine, bench: Workbench, prompts: TaskPrompts, inputs: list[str]) -> dict[str, str | None]:
    """The output on each input; None where there is none, whoever's fault that is: what was not seen is not shown to
    hold."""
    runs = await gather(try_prompt(engine, bench, prompts, text) for text in inputs)
    outputs = [None if isinstance(run, Problem) else run.output for run in runs]
    return dict(zip(inputs, outputs, strict=True))
