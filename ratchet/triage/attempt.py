"""One experiment on one failed run."""

from ratchet.engine import Engine, Problem, Workbench, try_prompt, with_prompt
from ratchet.records import REPEAT, AgentRun, Attempt, FailureBundle, Fetched
from ratchet.triage.treatments import Treatment


async def attempt(engine: Engine, bench: Workbench, failure: FailureBundle, treatment: Treatment | None) -> Attempt:
    """Run the failed input again, as it was (None) or under a treatment, and score it.

    Where there is no run the attempt has the error, and passed as `Problem.passed` says.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    name = treatment.name if treatment else REPEAT
    component = treatment.component if treatment else failure.component
    prompts = with_prompt(bench.prompts, component, treatment.prompt) if treatment else bench.prompts
    run = await try_prompt(engine, bench, prompts, failure.input, repeat=0 if treatment else 1)
    if isinstance(run, Problem):
        asked = int(run.fault == "request")
        return Attempt(
            treatment=name, component=component, output="", passed=run.passed, calls=asked, error=run.message
        )
    evaluation = await engine.evaluate(bench, failure.input, run.output, failure.expected, run.trace)
    return Attempt(
        treatment=name,
        component=component,
        output=run.output,
        passed=evaluation.passed,
        calls=sum(step.kind == "model" for step in run.trace),
        fetched=_documents_of(run),
        ending=run.ending,
    )


def _documents_of(run: AgentRun) -> list[Fetched]:
    """The documents of all retrieval steps."""
    return [
        Fetched(source=step.input["source"], text=item["text"])
        for step in run.trace
        if step.kind == "retrieval"
        for item in step.output
        if "text" in item
    ]
