"""The last thing that is tried before a model is called unable: instructions in the optimizer model's words."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ratchet.concurrency import gather
from ratchet.engine import Engine, Workbench
from ratchet.errors import ModelError, ModelUnavailableError, NoWordingError, TriageError
from ratchet.prompting import TaskPrompt
from ratchet.proposers import Situation
from ratchet.proposers.author import room, write
from ratchet.proposers.guards import refusal
from ratchet.proposers.rewrite import UNEXPLAINED, Rewrite, rewrite_request
from ratchet.records import REPEAT, Attempt, Diagnosis, FailureBundle, FailureCause
from ratchet.triage.attempt import attempt
from ratchet.triage.treatments import Treatment

Report = Callable[[str], None]


class Tried(NamedTuple):
    """The causes after the rewrite, and what was tried, for the explanation."""

    causes: list[FailureCause]
    what: str


async def try_new_wording(
    engine: Engine, bench: Workbench, failures: Sequence[FailureBundle], causes: list[FailureCause], report: Report
) -> Tried:
    """Run the failures that nothing helped under new instructions by the optimizer model.

    Raises:
        TriageError: the optimizer model could not be asked, or nothing at all could be tried.
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    stuck = [cause for cause in causes if cause.category == "capability"]
    component = Counter(cause.component for cause in stuck).most_common(1)[0][0]
    report("asking the optimizer model for new instructions")
    situation = _situation(engine, bench, component, failures)
    try:
        prompt = await _rewritten_prompt(situation)
    except NoWordingError as error:
        if all(result.treatment == REPEAT for cause in causes for result in cause.attempts):
            raise TriageError(f"nothing could be tried: {_no_treatment(bench)}, and {error}") from error
        return Tried(causes, "no treatment, and no wording of the optimizer model's, which had none,")
    bundles = {failure.id: failure for failure in failures}
    treatment = Treatment(Rewrite.name, "prompt", component, prompt)
    results = await gather(attempt(engine, bench, bundles[cause.failure], treatment) for cause in stuck)
    mended = {cause.failure: _with_attempt(cause, result) for cause, result in zip(stuck, results, strict=True)}
    return Tried(
        [mended.get(cause.failure, cause) for cause in causes],
        "no treatment, new instructions by the optimizer model among them,",
    )


async def _rewritten_prompt(situation: Situation) -> TaskPrompt:
    content = rewrite_request(situation)
    try:
        text = await write(situation.harness.models, content, room(situation.prompt.prompt))
    except (ModelUnavailableError, NoWordingError):
        raise
    except ModelError as error:
        raise TriageError(f"no treatment helps, and no other wording could be had: {error}") from error
    prompt = situation.prompt.model_copy(update={"prompt": text})
    reason = refusal(situation, prompt)
    if reason:
        raise NoWordingError(f"the optimizer model's instructions were refused: {reason}")
    return prompt


def _situation(engine: Engine, bench: Workbench, component: str, failures: Sequence[FailureBundle]) -> Situation:
    ids = [failure.id for failure in failures]
    unknown = Diagnosis(category="capability", component=component, failures=ids, explanation=UNEXPLAINED)
    return Situation(engine, bench, component, unknown, failures)


def _with_attempt(cause: FailureCause, result: Attempt) -> FailureCause:
    more = {"attempts": [*cause.attempts, result], "calls": cause.calls + result.calls}
    if result.passed:
        more |= {"category": "prompt", "component": result.component, "treatment": Rewrite.name}
    return cause.model_copy(update=more)


def _no_treatment(bench: Workbench) -> str:
    return f"task {bench.task.name} has no requirement in words, no context source and no solved case to show"
