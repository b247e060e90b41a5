"""Running a task's agent and scoring what it says: all that it takes to try a prompt."""

from collections.abc import Sequence

from ratchet.agents import ComponentCaller, run_agent
from ratchet.engine.workbench import Workbench
from ratchet.evaluators import evaluate_output, with_endings, with_rules
from ratchet.llm import Models
from ratchet.prompting import TaskPrompts
from ratchet.records import AgentRun, Evaluation, Step
from ratchet.tasks import Expected


class Harness:
    """Tries prompts on inputs. It has the models, and neither the database nor the settings: whoever is given one sees
    no case that is not given too."""

    def __init__(self, models: Models) -> None:
        self.models = models

    async def run(self, bench: Workbench, text: str, *, prompts: TaskPrompts, repeat: int | None = 0) -> AgentRun:
        """Run the task's agent with the given prompts; `repeat` as in `Models.reply`.

        Raises:
            ConfigurationError, ModelError, SourceError, BudgetError.
        """
        call = ComponentCaller(
            bench.task, bench.rules, prompts, self.models, bench.sources, bench.solved, repeat=repeat
        )
        return await run_agent(call, text)

    async def evaluate(
        self, bench: Workbench, text: str, output: str, expected: Expected, trace: Sequence[Step] = ()
    ) -> Evaluation:
        """Score an output, see `evaluate_output`, check it against the pinned rules, see `with_rules`, and say which
        replies of its `trace` were no whole answers, see `with_endings`."""
        evaluation = await evaluate_output(self.models, bench.task, text, output, expected)
        return with_endings(await with_rules(evaluation, bench.rules, output), trace, output)
