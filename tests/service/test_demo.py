"""What the demo does, without its table."""

from pathlib import Path
from typing import Any

import pytest
from desk import silent

from ratchet.approval import ApprovalPolicy
from ratchet.config.settings import ROLES, Settings
from ratchet.errors import ConfigurationError
from service.demo import DemoResult, demo_settings, run_demo
from service.session import open_session

pytestmark = pytest.mark.anyio
LENIENT = ApprovalPolicy(
    name="lenient", strategies=["retrieval"], min_gain=0.1, max_lost_cases=3, max_prompt_chars=2000
)


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        **{f"{role}_model": f"scripted:{folder / 'script.json'}" for role in ROLES},  # type: ignore[arg-type]
        **more,
    )


async def run(folder: Path, policy: ApprovalPolicy, cycles: int = 1) -> tuple[DemoResult, Settings]:
    fresh = demo_settings(settings(folder))
    return await run_demo(fresh, policy, cycles, silent), fresh


def test_demo_works_on_a_copy_that_starts_afresh(faq: Path) -> None:
    first = demo_settings(settings(faq))
    (first.home / "ratchet.sqlite").write_text("of the last time")
    again = demo_settings(settings(faq, min_sources=5, database_url="postgresql://elsewhere"))
    assert again.home == Path(".ratchet") / "demo"
    assert [path.name for path in sorted(again.home.iterdir())] == ["behavior_rules.json", "task_prompts.json", "tasks"]
    assert (again.home / "tasks/support_faq/cases.jsonl").read_bytes() == (
        faq / "tasks/support_faq/cases.jsonl"
    ).read_bytes()
    assert again.rules_file.read_bytes() == (faq / "behavior_rules.json").read_bytes()
    assert again.prompts_file.read_text() == '{\n  "support_faq": "Answer the customer\'s question."\n}\n'
    assert (again.database_url, again.min_sources) == (None, 1)


@pytest.mark.parametrize("name", ["tasks", "behavior_rules.json"])
def test_demo_without_its_files_keeps_the_last_one(faq: Path, name: str) -> None:
    kept = demo_settings(settings(faq)).home
    (faq / name).rename(faq / "elsewhere")
    with pytest.raises(ConfigurationError, match=name):
        demo_settings(settings(faq))
    assert (kept / "task_prompts.json").exists()


async def test_change_that_the_policy_approves_is_measured_again(faq: Path) -> None:
    result, fresh = await run(faq, LENIENT)
    start, step = result.steps
    assert (start.status, start.version, start.held_out.rate) == ("start", 1, 0)
    assert (step.status, step.version, step.change.split(",")[0]) == ("applied", 2, "context: retrieval")
    assert step.reason.startswith("policy 'lenient': proven, gain ")
    assert (result.before, result.after) == (0, step.held_out.rate)
    assert step.held_out.n == start.held_out.n == 39
    assert result.calls > 2 * step.held_out.n
    async with open_session(fresh) as session:
        rows = {row["action"]: row for row in await session.engine.audit.rows()}
    assert (rows["policy"]["actor"], rows["policy"]["detail"]["min_gain"]) == ("demo", 0.1)
    assert rows["apply"]["actor"] == "policy:lenient"


async def test_change_that_the_policy_objects_to_is_rejected_and_is_the_last(faq: Path) -> None:
    strict = LENIENT.model_copy(update={"name": "strict", "strategies": ["rewrite"], "min_gain": 0.99})
    result, fresh = await run(faq, strict, cycles=3)
    start, step = result.steps
    assert (step.status, step.version, step.held_out) == ("rejected", 1, start.held_out)
    assert "strategy 'retrieval' is not listed; gain " in step.reason
    assert fresh.prompts_file.read_text() == '{\n  "support_faq": "Answer the customer\'s question."\n}\n'
    async with open_session(fresh) as session:
        (row,) = [row for row in await session.engine.audit.rows() if row["action"] == "reject"]
    assert (row["actor"], row["detail"]["reason"]) == ("policy:strict", step.reason)


async def test_cycle_that_finds_nothing_is_the_last_and_says_why(faq: Path) -> None:
    (faq / "script.json").write_text('[{"match": "", "reply": "I do not know."}]')
    result, _ = await run(faq, LENIENT, cycles=3)
    start, step = result.steps
    assert (step.status, step.change) == ("escalated", "capability: nothing changed")
    assert step.reason
    assert (result.before, result.after, step.held_out) == (0, 0, start.held_out)


async def test_agent_without_failures_has_nothing_to_improve(faq: Path) -> None:
    task = faq / "tasks/support_faq/cases.jsonl"
    lines = task.read_text(encoding="utf-8").splitlines()
    answers = "".join(f'{line[: line.index(chr(34) + "expected")]}"expected": "know"}}\n' for line in lines)
    task.write_text(answers, encoding="utf-8")
    (faq / "script.json").write_text('[{"match": "", "reply": "I know."}]')
    result, _ = await run(faq, LENIENT, cycles=3)
    assert [step.status for step in result.steps] == ["start"]
    assert (result.before, result.after) == (1, 1)


async def test_demo_is_told_to_programs_with_its_policy(faq: Path) -> None:
    result, _ = await run(faq, LENIENT)
    told = result.as_json(LENIENT)
    assert (told["before"], told["after"], told["n"], told["calls"]) == (0, result.after, 39, result.calls)
    (cycle,) = told["cycles"]
    assert (cycle["held_out"]["n"], cycle["cycle_id"][:2]) == (39, "C-")
    assert told["policy"] == LENIENT.model_dump()
