"""The pinned rules as part of an evaluation: a run that breaks one is a failure, whatever its score."""

from ratchet.concurrency import gather
from ratchet.errors import PatternError
from ratchet.prompting import RuleCheck, Rules
from ratchet.records import CriterionResult, Evaluation


async def with_rules(evaluation: Evaluation, rules: Rules, output: str) -> Evaluation:
    """`evaluation` with one result named ``rule:NUMBER`` for each rule that has a check.

    The score stays what it is, that of the task's own criteria. A broken rule makes `passed` False; one that could not
    be checked is an error, with which a run that would have passed is undecided.
    """
    if not rules.checks:
        return evaluation
    results = await gather(_result(check, output) for check in rules.checks)
    return evaluation.model_copy(
        update={
            "criteria": [*evaluation.criteria, *results],
            "passed": _verdict(evaluation.passed, results),
            "grade": _grade(evaluation.grade, results),
            "problems": [
                *evaluation.problems,
                *(f"{item.name}: {item.comment}" for item in results if not item.passed),
            ],
        }
    )


def _verdict(before: bool | None, results: list[CriterionResult]) -> bool | None:
    if before is False or any(result.passed is False for result in results):
        return False
    return None if any(result.passed is None for result in results) else before


def _grade(before: float | None, results: list[CriterionResult]) -> float | None:
    """None stays None: there is no graded criterion, or one could not be evaluated."""
    if before is None or any(result.passed is None for result in results):
        return None
    return 0.0 if any(result.passed is False for result in results) else before


async def _result(check: RuleCheck, output: str) -> CriterionResult:
    rule = f"the rule {check.rule[:80]!r}"
    try:
        why = await check.broken_by(output)
    except PatternError as error:
        comment = f"{rule} could not be checked: {error}"
        return CriterionResult(name=check.name, outcome="error", passed=None, score=None, comment=comment)
    return CriterionResult(
        name=check.name,
        outcome="failed" if why else "passed",
        passed=not why,
        score=0.0 if why else 1.0,
        comment=f"breaks {rule}: {why}" if why else "",
    )
