"""How the model's replies ended, as part of an evaluation."""

from collections.abc import Sequence

from ratchet.records import Evaluation, Step


def with_endings(evaluation: Evaluation, trace: Sequence[Step], output: str) -> Evaluation:
    """`evaluation` with a problem for each reply of the run that is no whole answer.

    The criteria decide about an output all the same, with one exception: a run that for such a reason has no output
    at all has failed, whatever they say.
    """
    problems = [step.problem for step in trace if step.problem]
    if not problems:
        return evaluation
    if output.strip():
        return evaluation.model_copy(update={"problems": [*evaluation.problems, *problems]})
    grade = None if evaluation.grade is None else 0.0
    return evaluation.model_copy(
        update={"passed": False, "grade": grade, "problems": [*evaluation.problems, *problems]}
    )
