"""One experiment on one failed run."""

from ratchet.engine import Engine, Workbench, with_prompt
from ratchet.errors import ModelError, ModelUnavailableError, SourceError
from ratchet.records import REPEAT, AgentRun, Attempt, FailureBundle, Fetched
from ratchet.triage.treatments import Treatment


async def attempt(engine: Engine, bench: Workbench, failure: FailureBundle, treatment: Treatment | None) -> Attempt:
    """Run the failed input again, as it was (None) or under a treatment, and score it.

    A source that does not answer makes the attempt undecided, with the error; a request that the model refuses is a
    failed attempt.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    name = treatment.name if treatment else REPEAT
    component = treatment.component if treatment else failure.component
    prompts = with_prompt(bench.prompts, component, treatment.prompt) if treatment else bench.prompts
    try:
        run = await engine.run(bench, failure.input, prompts=prompts, repeat=0 if treatment else 1)
    except ModelUnavailableError:
        raise
    except SourceError as error:
        return Attempt(treatment=name, component=component, output="", passed=None, calls=0, error=str(error))
    except ModelError as error:
        return Attempt(treatment=name, component=component, output="", passed=False, calls=1, error=str(error))
    evaluation = await engine.evaluate(bench, failure.input, run.output, failure.expected)
    return Attempt(
        treatment=name,
        component=component,
        output=run.output,
        passed=evaluation.passed,
        calls=sum(step.kind == "model" for step in run.trace),
        fetched=_fetched(run),
    )


def _fetched(run: AgentRun) -> list[Fetched]:
    """The documents of all retrieval steps."""
    return [
        Fetched(source=step.input["source"], text=item["text"])
        for step in run.trace
        if step.kind == "retrieval"
        for item in step.output
        if "text" in item
    ]
