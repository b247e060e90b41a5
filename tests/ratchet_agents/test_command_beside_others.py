"""The installed command in folders whose modules have the names of ours, of Python's, or of installed packages."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ratchet_agents.packages import HOME, NAMES

COMMAND = "import sys; sys.path.pop(0); from ratchet_agents.__main__ import main; main()"
"""As the installed script does: the working directory is not on the path."""
Start = Callable[..., subprocess.CompletedProcess[str]]


def write(folder: Path, files: dict[str, str]) -> None:
    """Write modules, by their paths without the ending."""
    for name, text in files.items():
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    task = tmp_path / "tasks" / "hall"
    task.mkdir(parents=True)
    (task / "cases.jsonl").write_text('{"input": "Hello?", "expected": "hello", "split": "holdout"}\n')
    (tmp_path / "behavior_rules.json").write_text('{"rules": ["Be polite."]}')
    (tmp_path / "task_prompts.json").write_text('{"hall": "Say hello."}')
    (tmp_path / "replies.json").write_text('[{"match": "", "reply": "hello"}]')
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Start:
    """Runs the command on a task whose agent and criterion are named so."""

    def run(
        *arguments: str, agent: str = "", criterion: Any = (), path: str = str(HOME), how: Any = ("-c", COMMAND)
    ) -> Any:
        criteria = [criterion] if isinstance(criterion, str) else criterion
        toml = 'description = "d"\ncomponents = ["hall"]\n'
        toml += f'[agent]\nuse = "{agent}"\n' if agent else ""
        for number, use in enumerate(criteria):
            toml += f'[[criteria]]\nname = "own{number}"\nkind = "python"\nuse = "{use}"\n'
        toml += "" if criteria else '[[criteria]]\nname = "own"\nkind = "exact"\n'
        (folder / "tasks" / "hall" / "task.toml").write_text(toml)
        roles = {
            f"RATCHET_{role}_MODEL": "scripted:replies.json" for role in ("AGENT", "JUDGE", "ANALYST", "OPTIMIZER")
        }
        environment = {**os.environ, **roles, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, *how, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=100
        )

    return run


def run_of(ended: subprocess.CompletedProcess[str]) -> Any:
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


AGENT = """
from {name}.inner import prefix


async def answer(text, call):
    from {name}.late import suffix
    return prefix + await call("hall", text) + suffix
"""
HOW = {
    "script": {},
    "script with the folder first": {"path": f".{os.pathsep}{HOME}"},
    "python -m": {"how": ("-m", "ratchet_agents")},
}


@pytest.mark.parametrize("how", HOW)
def test_agent_in_packages_of_our_names(folder: Path, start: Start, how: str) -> None:
    for name in NAMES:
        write(folder, {f"{name}/__init__": "OWNER = 'project'", f"{name}/inner": f"prefix = '{name}: '"})
    write(folder, {"graph/agent": AGENT.format(name="nodes"), "nodes/late": "import graph\nsuffix = '!' + graph.OWNER"})
    write(folder, {"tests/__init__": "", "config": "", "utils": "", "service/score": SCORES})

    done = run_of(
        start("run", "hall", "Hi", "--json", agent="graph.agent:answer", criterion="service.score:score", **HOW[how])
    )

    assert (done["output"], done["passed"]) == ("nodes: hello!project", True)


SCORES = """
from ratchet_agents import Candidate, open_graph


def score(inputs, outputs, reference_outputs):
    return True
"""


def test_modules_of_our_names_that_are_files(folder: Path, start: Start) -> None:
    write(folder, dict.fromkeys(NAMES, SCORES))
    names = [f"{name}:score" for name in NAMES]

    assert run_of(start("run", "hall", "Hi", "--json", criterion=names))["score"] == 1.0


def test_modules_of_names_of_python_s_and_of_installed_packages(folder: Path, start: Start) -> None:
    code = (
        "from .parts import right\nfrom sibling import one\ndef score(inputs, outputs, reference_outputs): return right"
    )
    names = ("statistics", "email", "queue", "rich", "jsonschema", "pydantic_settings")
    for name in names:
        write(folder, {f"{name}/__init__": "", f"{name}/scores": code, f"{name}/parts": "right = True"})
    write(folder, {"sibling": "one = 1"})

    done = run_of(start("run", "hall", "Hi", "--json", criterion=[f"{name}.scores:score" for name in names]))

    assert [one["comment"] for one in done["criteria"] if not one["passed"]] == []


def test_doctor_says_where_a_module_of_a_taken_name_cannot_be_loaded(folder: Path, start: Start) -> None:
    write(folder, {"statistics/__init__": "", "statistics/scores": "from statistics.shared import right"})

    ended = start("doctor", "--json", criterion="statistics.scores:score")

    (found,) = [finding for finding in json.loads(ended.stdout)["findings"] if finding["name"] == "task hall"]
    assert (ended.returncode, found["state"], "\n" in found["text"]) == (1, "error", False)
    assert "'statistics' is a module of Python too: give yours another name" in found["text"]


NOISE = """
import os, subprocess, sys
print("at import")


def score(inputs, outputs, reference_outputs):
    print("in Python")
    os.write(1, b"below Python")
    subprocess.run([sys.executable, "-c", "print('in a child')"])
    return True
"""


def test_what_users_code_prints_is_no_part_of_the_object(folder: Path, start: Start) -> None:
    write(folder, {"noise": NOISE})

    ended = start("run", "hall", "Hi", "--json", criterion="noise:score")

    assert len(ended.stdout.splitlines()) == 1
    assert run_of(ended)["passed"] is True
    assert all(words in ended.stderr for words in ("at import", "in Python", "below Python", "in a child"))


RAISED = ("SystemExit(0)", "KeyboardInterrupt()", "Outcome('skipped')", "asyncio.CancelledError()", "OSError(0, '')")
RAISING = """
import asyncio


class Outcome(BaseException):
    pass


async def answer(text, call):
    raise KeyboardInterrupt


def score0(inputs, outputs, reference_outputs):
    raise {}


def score1(inputs, outputs, reference_outputs):
    raise {}


async def score2(inputs, outputs, reference_outputs):
    raise {}


async def score3(inputs, outputs, reference_outputs):
    raise {}


def score4(inputs, outputs, reference_outputs):
    raise {}
"""


def test_whatever_a_criterion_raises_is_an_evaluation_error(folder: Path, start: Start) -> None:
    write(folder, {"own": RAISING.format(*RAISED)})

    done = run_of(start("run", "hall", "Hi", "--json", criterion=[f"own:score{n}" for n in range(5)]))

    assert [one["outcome"] for one in done["criteria"]] == ["error"] * 5
    for raised, one in zip(RAISED, done["criteria"], strict=True):
        assert raised.partition("(")[0].rpartition(".")[2] in one["comment"]


def test_whatever_an_agent_raises_is_its_failure(folder: Path, start: Start) -> None:
    write(folder, {"own": RAISING.format(*RAISED)})

    done = run_of(start("run", "hall", "Hi", "--json", agent="own:answer"))

    assert done["passed"] is not True
    assert "agent own:answer raised KeyboardInterrupt" in done["problems"][0]


@pytest.mark.parametrize("raised", ["SystemExit(0)", "KeyboardInterrupt()"])
def test_module_that_ends_the_process_is_told(folder: Path, start: Start, raised: str) -> None:
    write(folder, {"own": f"raise {raised}"})

    ended = start("run", "hall", "Hi", "--json", agent="own:answer")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"'own:answer' cannot be imported: {raised.partition('(')[0]}" in ended.stderr


def test_exit_in_a_task_that_users_code_begins_is_no_success(folder: Path, start: Start) -> None:
    code = "import asyncio, sys\nasync def leave(): sys.exit(0)\n"
    write(
        folder, {"own": f"{code}async def answer(text, call):\n    await asyncio.gather(leave(), asyncio.sleep(9))\n"}
    )

    ended = start("run", "hall", "Hi", agent="own:answer")

    assert (ended.returncode, "code of yours called sys.exit(0)" in ended.stderr) == (6, True)
    assert "Traceback" not in ended.stderr


def test_module_that_changes_the_working_directory(folder: Path, start: Start) -> None:
    write(folder, {"own": "import os\nos.chdir('/')\ndef score(inputs, outputs, reference_outputs): return True"})

    assert run_of(start("run", "hall", "Hi", "--json", criterion="own:score"))["passed"] is True
    assert (folder / ".ratchet" / "ratchet.sqlite").is_file()
