"""Scoring a run: every criterion, the weighted score, pass or fail."""

from ratchet.concurrency import gather
from ratchet.errors import EvaluationError, ModelError
from ratchet.evaluators import programmatic as check
from ratchet.evaluators.judge import judge
from ratchet.evaluators.python import Grade, grade_python
from ratchet.llm import Models
from ratchet.records import CriterionResult, Evaluation
from ratchet.tasks import Criterion, Expected, Task, problem_of_expected


async def evaluate_output(models: Models, task: Task, text: str, output: str, expected: Expected) -> Evaluation:
    """Score `output` by all criteria of the task.

    The score is the weighted share of passed criteria among those that could be evaluated, in [0, 1]. A run passes when
    that share reaches the task's threshold and no required criterion failed. It is undecided (None) when nothing failed
    but a criterion that matters could not be evaluated. A graded criterion counts in the score by its own score, and in
    the share by whether it passed.

    Raises:
        ConfigurationError, BudgetError: from the judge's model; other faults of it become the outcome ``error``.
    """
    results = await gather(_result(models, criterion, task, text, output, expected) for criterion in task.criteria)
    return aggregate(task, results)


def aggregate(task: Task, results: list[CriterionResult]) -> Evaluation:
    """Put the results of single criteria together; see `evaluate_output` for the rule."""
    weights = {criterion.name: criterion.weight for criterion in task.criteria}
    decided = [result for result in results if result.score is not None]
    total = sum(weights[result.name] for result in decided)
    score = sum(weights[result.name] * (result.score or 0.0) for result in decided) / total if total else None
    share = sum(weights[result.name] for result in decided if result.passed) / total if total else None
    return Evaluation(
        criteria=results,
        score=score,
        passed=_verdict(task, results, share, weights),
        grade=_grade(task, results, score),
        problems=[
            f"{result.name}: {result.comment or result.outcome}"
            for result in results
            if result.outcome in ("failed", "error")
        ],
    )


def _grade(task: Task, results: list[CriterionResult], score: float | None) -> float | None:
    """The score of a task with graded criteria; 0 where another criterion that is required failed."""
    if not task.graded or any(result.score is None for result in results if result.name in task.graded):
        return None
    must = task.required - task.graded
    return 0.0 if any(result.outcome == "failed" and result.name in must for result in results) else score


def _verdict(task: Task, results: list[CriterionResult], share: float | None, weights: dict[str, float]) -> bool | None:
    if any(result.outcome == "failed" and result.name in task.required for result in results):
        return False
    open_weight = sum(weights[result.name] for result in results if result.score is None)
    if share is None or any(result.score is None and result.name in task.required for result in results):
        return None
    if not open_weight:
        return share >= task.threshold
    total = sum(weights.values())
    known = share * (total - open_weight)
    if known / total >= task.threshold:
        return True
    return False if (known + open_weight) / total < task.threshold else None


async def _result(
    models: Models, criterion: Criterion, task: Task, text: str, output: str, expected: Expected
) -> CriterionResult:
    if expected is None and needs_expected(criterion):
        return CriterionResult(
            name=criterion.name, outcome="skipped", passed=None, score=None, comment="no expected output is known"
        )
    problem = problem_of_expected(expected) if needs_expected(criterion) else None
    try:
        if problem:  # of a case that was stored before this was looked at
            raise EvaluationError(problem)
        found = await _check(models, criterion, task, text, output, expected)
    except (EvaluationError, ModelError) as error:
        return CriterionResult(name=criterion.name, outcome="error", passed=None, score=None, comment=str(error))
    passed, comment, score = found if isinstance(found, Grade) else (*found, float(found[0]))
    return CriterionResult(
        name=criterion.name,
        outcome="passed" if passed else "failed",
        passed=passed,
        score=score,
        comment=comment,
    )


def needs_expected(criterion: Criterion) -> bool:
    """Whether the criterion compares with an expected output."""
    if criterion.kind == "contains":
        return criterion.values is None
    return criterion.kind in ("exact", "numeric", "json_equal")


async def _check(
    models: Models, criterion: Criterion, task: Task, text: str, output: str, expected: Expected
) -> check.Check | Grade:
    match criterion.kind:
        case "exact":
            return check.check_exact(criterion, output, expected)
        case "contains":
            return check.check_contains(criterion, output, expected)
        case "regex":
            return await check.check_regex(criterion, output)
        case "numeric":
            return check.check_numeric(criterion, output, expected)
        case "json_schema":
            return await check.check_json_schema(criterion, output)
        case "json_equal":
            return check.check_json_equal(criterion, output, expected)
        case "max_words":
            return check.check_max_words(criterion, output)
        case "python":
            return await grade_python(criterion, text, output, expected)
        case "judge":
            ruling = await judge(models, criterion, task.description, text, output, expected)
            return ruling.verdict, ruling.comment
