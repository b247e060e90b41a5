"""The pinned rules as part of an evaluation: a run that breaks one is a failure, whatever its score."""

from ratchet.concurrency import to_thread
from ratchet.prompting import Rules
from ratchet.records import CriterionResult, Evaluation


async def with_rules(evaluation: Evaluation, rules: Rules, output: str) -> Evaluation:
    """`evaluation` with one result named ``rule:NUMBER`` for each rule that has a check.

    The score stays what it is, that of the task's own criteria; a broken rule makes `passed` False.
    """
    if not rules.checks:
        return evaluation
    results = await to_thread(check_rules, rules, output)
    broken = [result for result in results if not result.passed]
    return evaluation.model_copy(
        update={
            "criteria": [*evaluation.criteria, *results],
            "passed": False if broken else evaluation.passed,
            "problems": [*evaluation.problems, *(f"{result.name}: {result.comment}" for result in broken)],
        }
    )


def check_rules(rules: Rules, output: str) -> list[CriterionResult]:
    """The result of each rule that has a check."""
    results = []
    for check in rules.checks:
        why = check.broken_by(output)
        results.append(
            CriterionResult(
                name=check.name,
                outcome="failed" if why else "passed",
                passed=not why,
                score=0.0 if why else 1.0,
                comment=f"breaks the rule {check.rule[:80]!r}: {why}" if why else "",
            )
        )
    return results
