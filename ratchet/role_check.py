"""Whether each role's model answers what that role will ask it: the role's own request, made by the role's own code."""

import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

from ratchet.agents import ComponentCaller
from ratchet.config.settings import Settings
from ratchet.engine import Harness, Workbench
from ratchet.errors import ConfigurationError, ModelError, ModelReplyError, ModelUnavailableError, RatchetError
from ratchet.evaluators.judge import judge
from ratchet.llm import Models, ModelSpec, Reply
from ratchet.prompting import Message
from ratchet.proposers import Situation
from ratchet.proposers.author import room, write
from ratchet.proposers.minimal_edit import ask_for_change
from ratchet.proposers.rewrite import rewrite_request
from ratchet.proposers.sentences import changeable
from ratchet.records import ENDINGS, CriterionResult, Diagnosis, Evaluation, FailureBundle
from ratchet.store import now
from ratchet.tasks import Case
from ratchet.tasks.criteria import Judge
from ratchet.triage.analyst import ask_for_cause

PACKAGED = ModelSpec("local", "")
SEE_DOCTOR = "; see `ratchet doctor`"


class RoleFinding(NamedTuple):
    """How a role's model answered, and what to set where it did not."""

    state: Literal["ok", "warning", "error"]
    text: str


class _NothingKept:
    """A reply store that keeps nothing, so that a check always asks."""

    async def get(self, request: str, measurement: str) -> Reply | None:
        return None

    async def put(self, request: str, role: str, reply: Reply, cycle_id: str | None, measurement: str) -> None:
        return None


class RoleCheck:
    """Checks roles by what the given tasks make them ask. Belongs to one event loop; `close` ends its connections."""

    def __init__(self, settings: Settings, benches: Sequence[Workbench]) -> None:
        self._settings = settings
        self._models = Models(settings, _NothingKept())
        self._benches = [bench for bench in benches if bench.train]

    async def check(self, role: str) -> RoleFinding:
        """Ask the model of one role."""
        checks = {
            "agent": self._ask_agent, "judge": self._ask_judge,
            "analyst": self._ask_analyst, "optimizer": self._ask_optimizer,
        }  # fmt: skip
        started = time.perf_counter()
        try:
            spec = self._models.spec(role)
            problem = await (self._say_ok(role) if self._is_spared(role, spec) else checks[role]())
        except RatchetError as error:
            return RoleFinding(self._state(role, error), str(error).replace(SEE_DOCTOR, "") + _advice(role, error))
        answers = f"{spec} answers in {time.perf_counter() - started:.1f} s"
        return RoleFinding("warning", f"{answers}, but {problem}") if problem else RoleFinding("ok", answers)

    async def close(self) -> None:
        """End all connections."""
        await self._models.close()

    def _state(self, role: str, error: RatchetError) -> Literal["warning", "error"]:
        """A reply that is of no use is an error where something depends on it: no opinion is needed for a cycle, and no
        judge where no criterion asks one."""
        spared = role == "analyst" or (role == "judge" and not self._first_judge())
        reached = isinstance(error, ModelError) and not isinstance(error, ModelUnavailableError)
        return "warning" if spared and reached else "error"

    def _is_spared(self, role: str, spec: ModelSpec) -> bool:
        """The packaged model is known to take every request and to be slow: what nothing depends on is not asked."""
        needed = role == "agent" or (role == "judge" and self._first_judge() is not None)
        return spec == PACKAGED and not needed

    async def _say_ok(self, role: str, max_tokens: int = 4) -> None:
        request: list[Message] = [{"role": "user", "content": "Say OK."}]
        await self._models.reply(role, request, repeat=None, max_tokens=max_tokens)

    async def _ask_agent(self) -> str | None:
        """One request for each limit and temperature that tasks ask for; what is wrong with a reply."""
        if not self._benches:
            await self._say_ok("agent", 64)
            return None
        asked = {(bench.task.agent.max_tokens, bench.task.agent.temperature): bench for bench in self._benches}
        problems = [await self._problem_of_agent(bench) for bench in asked.values()]
        return next((problem for problem in problems if problem), None)

    async def _problem_of_agent(self, bench: Workbench) -> str | None:
        task, text = bench.task, bench.train[0].input
        call = ComponentCaller(task, bench.rules, bench.prompts, self._models, bench.sources, bench.solved, None)
        given = dict.fromkeys(task.variables, text) if task.agent.use else None  # its own code would give them
        output = await call(task.components[0], text, given)
        ending = call.trace[-1].ending
        if ending == "cut_off":
            return f"{ENDINGS[ending]}: raise it under [agent] of task {task.name}, or RATCHET_AGENT_MAX_TOKENS"
        if ending != "answer":
            return f"not on {text[:60]!r} of task {task.name}: {ENDINGS[ending]}"
        return None if output.strip() else f"says nothing to {text[:60]!r} of task {task.name}"

    async def _ask_judge(self) -> None:
        judged = self._first_judge()
        if judged:
            bench, criterion = judged
            case = bench.train[0]
            await judge(self._models, criterion, bench.task.description, case.input, "I do not know.", case.expected)
        else:
            criterion = Judge(kind="judge", name="judge", question="Is the answer right?")
            await judge(self._models, criterion, "Answers questions", "What is 1 + 1?", "2", "2")

    async def _ask_analyst(self) -> None:
        for bench in self._benches[:1]:
            await ask_for_cause(self._models, bench.prompts[bench.task.components[0]], [_failure(bench)])
        if not self._benches:
            await ask_for_cause(self._models, None, [])

    async def _ask_optimizer(self) -> str | None:
        if not self._benches:
            await write(self._models, "Write one sentence that asks for short answers.", 80)
            return None
        bench = self._benches[0]
        component, failure = bench.task.components[0], _failure(bench)
        cause = Diagnosis(category="prompt", component=component, failures=[failure.id], explanation="not known yet")
        situation = Situation(Harness(self._models), bench, component, cause, [failure])
        await write(self._models, rewrite_request(situation), room(situation.prompt.prompt))
        try:
            open_to_change = changeable(situation.prompt)
            if open_to_change:
                await ask_for_change(situation, open_to_change)
        except ModelReplyError as error:
            return f"not in the form of an edit ({error})"
        return None

    def _first_judge(self) -> tuple[Workbench, Judge] | None:
        """The first judge criterion there is, with its task."""
        for bench in self._benches:
            for criterion in bench.task.criteria:
                if criterion.kind == "judge":
                    return bench, criterion
        return None


def _failure(bench: Workbench) -> FailureBundle:
    """A failed run of the first training case, as it might have been."""
    case: Case = bench.train[0]
    name = bench.task.criteria[0].name
    failed = CriterionResult(name=name, outcome="failed", passed=False, score=0.0)
    return FailureBundle(
        id="F-check", run_id="R-check", task=bench.task.name, component=bench.task.components[0],
        input=case.input, output="I do not know.", expected=case.expected,
        evaluation=Evaluation(criteria=[failed], score=0.0, passed=False, problems=[f"{name}: failed"]),
        prompts=bench.prompts, version=bench.version, rules_hash=bench.rules.hash, model="", trace=[],
        source="check", thread_id=None, created_at=now(),
    )  # fmt: skip


def _advice(role: str, error: RatchetError) -> str:
    """What to set, where the error does not say so itself."""
    setting = f"RATCHET_{role.upper()}_MODEL"
    if isinstance(error, ModelUnavailableError):
        return f"; start the endpoint, or look at OPENAI_BASE_URL, RATCHET_TIMEOUT and {setting}"
    if isinstance(error, ConfigurationError):
        return f"; look at OPENAI_API_KEY, OPENAI_BASE_URL and {setting}" if "refused by" in str(error) else ""
    if "_MAX_TOKENS" in str(error):
        return f", or set {setting} to another model"
    return f"; set {setting} to a model that answers such requests" if isinstance(error, ModelError) else ""
