"""The embedded model itself: a real language model in this process."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command
from pydantic import BaseModel

from graph import open_graph
from ratchet.config.settings import Settings
from ratchet.engine import Engine
from ratchet.llm import Meter, metered

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]
REPOSITORY = Path(__file__).parents[2]


class Person(BaseModel):
    """A form to fill."""

    name: str
    age: int


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The project's own task on a copy, every role played by the embedded model."""
    shutil.copytree(REPOSITORY / "tasks", tmp_path / "tasks")
    for name in ("behavior_rules.json", "task_prompts.json"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return Settings(
        _env_file=None,
        home=tmp_path / "home",
        tasks_dir=tmp_path / "tasks",
        rules_file=tmp_path / "behavior_rules.json",
        prompts_file=tmp_path / "task_prompts.json",
    )


def test_embedded_model_answers_and_fills_a_json_schema(settings: Settings) -> None:
    async def ask() -> tuple[str, Person, Meter]:
        engine = await Engine.open(settings)
        try:
            with metered(Meter()) as meter:
                reply = await engine.models.reply(
                    "agent",
                    [
                        {
                            "role": "system",
                            "content": "Answer the question.\n\nThe shop closes at 18:20 in the evening.",
                        },
                        {"role": "user", "content": "When does the shop close?"},
                    ],
                    max_tokens=16,
                    temperature=0.0,
                )
                messages: Any = [{"role": "user", "content": "Maria Rossi is 34 years old. Fill in name and age."}]
                person = await engine.models.fill("analyst", messages, Person, max_tokens=40)
            return reply.text, person, meter
        finally:
            await engine.close()

    text, person, meter = asyncio.run(ask())

    assert "18:20" in text
    assert person.name
    assert isinstance(person.age, int)
    assert meter.of("agent").calls == meter.of("analyst").calls == 1
    assert meter.of("agent").output_tokens > 0


def test_agent_graph_repairs_the_context_of_the_embedded_model_and_applies_it(settings: Settings) -> None:
    question = {"task": "support_faq", "input": "What time does the shop open on weekdays?", "expected": ["9:40"]}

    async def loop() -> tuple[dict[str, Any], dict[str, Any], str]:
        config: Any = {"configurable": {"thread_id": "real"}}
        async with open_graph("agent", settings) as agent:
            waiting = await agent.ainvoke(question, config)
        async with open_graph("agent", settings) as agent:
            done = await agent.ainvoke(Command(resume={"type": "approve", "reviewer": "ada"}), config)
            after = await agent.ainvoke(question, {"configurable": {"thread_id": "after"}})
        return waiting, done, after["output"]

    waiting, done, output = asyncio.run(loop())

    review = waiting["__interrupt__"][0].value["review"]
    assert review["diagnosis"]["category"] == "context"
    assert review["diagnosis"]["source"] == "handbook"
    assert review["validation"]["after"]["rate"] >= review["validation"]["before"]["rate"] + 0.3
    assert done["outcome"]["status"] == "applied"
    assert "9:40" in output


@pytest.mark.alone
def test_ctrl_c_ends_the_command_and_its_model_at_once(settings: Settings, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RATCHET_")}
    command = [sys.executable, "-m", "service.cli", "eval", "support_faq"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    database = tmp_path / ".ratchet" / "ratchet.sqlite"
    deadline = time.monotonic() + 60
    while not database.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(3)

    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, errors = process.communicate(timeout=100)

    assert time.monotonic() - started < 20
    assert process.returncode == 130
    assert "Traceback" not in errors
