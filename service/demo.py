"""The first run: a real model, no key, measurably better at a real task."""

import shutil
import time
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ratchet.approval import ApprovalPolicy
from ratchet.config.files import read_text
from ratchet.config.settings import Settings
from ratchet.engine import Trial, score_all
from ratchet.errors import ConfigurationError
from ratchet.gate import measure
from ratchet.records import Measure, Proposal, Validation
from service.console import Tell
from service.loop import RunStatus, answer, improve
from service.session import Session, open_session

TASK = "support_faq"


class DemoStep(NamedTuple):
    """One row of the demo's table."""

    version: int
    change: str
    held_out: Measure
    status: RunStatus | Literal["start"]
    """``start``, or how the cycle ended."""
    cycle_id: str | None = None
    reason: str = ""


class DemoResult(NamedTuple):
    """What the demo found."""

    steps: list[DemoStep]
    seconds: float
    calls: int
    home: Path

    @property
    def before(self) -> float:
        """Held-out success at the start."""
        return self.steps[0].held_out.rate

    @property
    def after(self) -> float:
        """Held-out success at the end."""
        return self.steps[-1].held_out.rate

    def as_json(self, policy: ApprovalPolicy) -> dict[str, Any]:
        """The object that ``demo --json`` prints."""
        cycles = [step._asdict() | {"held_out": step.held_out.model_dump()} for step in self.steps[1:]]
        return {
            "before": self.before,
            "after": self.after,
            "cycles": cycles,
            "seconds": round(self.seconds, 1),
            "calls": self.calls,
            "n": self.steps[0].held_out.n,
            "policy": policy.as_json(),
        }


def demo_settings(settings: Settings) -> Settings:
    """Settings for a fresh copy of the demo's task, rules and prompts under HOME; the project's own files stay as they
    are.

    Raises:
        ConfigurationError: the task or the rules are not there to be copied.
    """
    home = settings.home / "demo"
    if not (settings.tasks_dir / TASK).is_dir():
        raise ConfigurationError(f"the demo's task is not in {settings.tasks_dir}/; run it in the project's folder")
    rules = read_text(settings.rules_file)
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(settings.tasks_dir / TASK, home / "tasks" / TASK)
    (home / "behavior_rules.json").write_text(rules, encoding="utf-8")
    (home / "task_prompts.json").write_text(
        '{\n  "support_faq": "Answer the customer\'s question."\n}\n', encoding="utf-8"
    )
    changed = {
        "home": home,
        "tasks_dir": home / "tasks",
        "rules_file": home / "behavior_rules.json",
        "prompts_file": home / "task_prompts.json",
        "database_url": None,
        "min_sources": 1,
    }
    return settings.model_copy(update=changed)


async def run_demo(settings: Settings, policy: ApprovalPolicy, cycles: int, tell: Tell) -> DemoResult:
    """Measure, then improve in at most `cycles` cycles until one changes nothing, and measure after each change.

    Raises:
        ConfigurationError, ModelError.
    """
    started = time.perf_counter()
    async with open_session(settings) as session:
        await session.engine.audit.note("demo", "policy", TASK, policy.name, policy.as_json())
        steps = [DemoStep(1, "the naive prompt", await _held_out(session, tell), "start")]
        for _ in range(cycles):
            step = await _cycle(session, policy, steps[-1], tell)
            if step is None:
                break
            steps.append(step)
            if step.status != "applied":
                break
        calls = await session.engine.store.replies.count()
    return DemoResult(steps, time.perf_counter() - started, calls, settings.home)


async def _held_out(session: Session, tell: Tell) -> Measure:
    bench = await session.engine.workbench(TASK)
    trials = [Trial(case.input, case.expected) for case in bench.holdout]
    scored = await score_all(
        session.engine,
        bench,
        bench.prompts,
        trials,
        progress=lambda done, total: tell(text="measuring on held-out cases", done=done, total=total),
    )
    return measure(sum(result.evaluation.passed is True for result in scored), len(scored))


async def _cycle(session: Session, policy: ApprovalPolicy, last: DemoStep, tell: Tell) -> DemoStep | None:
    """One cycle; None where nothing is left to do."""
    result = await improve(session, TASK, tell)
    if result.cycle_id is None:
        return None
    row = await session.engine.store.cycles.get(result.cycle_id)
    if row is None or result.status != "awaiting_approval":
        return last._replace(change=f"{result.category}: nothing changed", status=result.status,
                             cycle_id=result.cycle_id, reason=result.message)  # fmt: skip
    proposal = Proposal.model_validate(row["document"]["proposal"])
    validation = Validation.model_validate(row["document"]["validation"])
    decision = policy.decide(proposal, validation)
    objections = "; ".join(policy.objections(proposal, validation))
    reply = decision.model_dump(include={"type", "reviewer", "reason"}) if decision else {
        "type": "reject", "reviewer": f"policy:{policy.name}", "reason": objections,
    }  # fmt: skip
    outcome = await answer(session, result.cycle_id, reply)
    if outcome["status"] != "applied":
        return last._replace(change=f"{proposal.strategy}: {proposal.rationale}", status=outcome["status"],
                             cycle_id=result.cycle_id, reason=objections or outcome["message"])  # fmt: skip
    change = f"{result.category}: {proposal.strategy}, {proposal.rationale}"
    measured = await _held_out(session, tell)
    return DemoStep(
        outcome["version"], change, measured, "applied", result.cycle_id, decision.reason if decision else ""
    )
