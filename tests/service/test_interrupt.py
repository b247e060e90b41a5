"""Ctrl-C: one line that says what is kept and how to go on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SLOW = """
import asyncio
from pathlib import Path


async def agent(messages, request):
    with Path("asked.txt").open("a") as file:
        file.write("asked\\n")
    await asyncio.sleep(0.05 if len(Path("asked.txt").read_text().splitlines()) < 4 else 30)
    return "I do not know."
"""


def interrupt(project: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a command says that gets Ctrl-C while it waits for a model."""
    (project / "slow.py").write_text(SLOW)
    slow = {"RATCHET_AGENT_MODEL": "scripted:slow:agent", "PYTHONPATH": str(REPOSITORY), "RATCHET_CONCURRENCY": "1"}
    command = [sys.executable, "-m", "service.cli", *arguments]
    started = subprocess.Popen(
        command, cwd=project, env=environment | slow, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    asked = project / "asked.txt"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (asked.exists() and len(asked.read_text().splitlines()) > 3):
        time.sleep(0.05)
    os.kill(started.pid, signal.SIGINT)
    try:
        out, err = started.communicate(timeout=20)
    finally:
        started.kill()
    return subprocess.CompletedProcess(command, started.returncode, out, err)


@pytest.mark.parametrize(
    ("arguments", "again"),
    [
        (("improve", "desk"), "ratchet improve desk"),
        (("eval", "desk", "--json"), "ratchet eval desk"),
        (("eval", "--all"), "ratchet eval --all"),
    ],
)
def test_interrupted_command_says_what_is_kept_and_how_to_go_on(
    project: Path, environment: dict[str, str], arguments: tuple[str, ...], again: str
) -> None:
    done = interrupt(project, environment, *arguments)

    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == f"interrupted: what was paid for is kept, `{again}` goes on from there\n"


def test_interrupted_run_is_one_line_too(project: Path, environment: dict[str, str]) -> None:
    (project / "asked.txt").write_text("asked\n" * 3)
    done = interrupt(project, environment, "run", "desk", "Hello")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted: what was stored is kept\n")
