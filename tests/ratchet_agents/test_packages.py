"""Ratchet beside a project's own packages of the same names."""

import ast
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import TASK, shop_items

from ratchet_agents import packages
from ratchet_agents.packages import HOME, NAMES, own_packages

PROGRAM = """
import asyncio
import json

import graph  # before ours
from ratchet_agents import open_graph
import nodes, prompts, ratchet  # after ours
from langgraph.checkpoint.serde._msgpack import STRICT_MSGPACK_ENABLED
from langgraph.types import Command

QUESTION = {"task": "shop", "input": "Where is item00 kept?", "expected": "bin00x"}


async def main():
    config = {"configurable": {"thread_id": "ticket-1"}}
    async with open_graph("agent") as agent:
        waiting = await agent.ainvoke(QUESTION, config)
        done = await agent.ainvoke(Command(resume={"type": "approve", "reviewer": "ada"}), config)
    async with open_graph("serve") as serve:
        served = await serve.ainvoke({**QUESTION, "input": "Where is item02 kept?", "expected": "bin02x"}, config)
    return [len(waiting["__interrupt__"]), done["outcome"]["status"], served["outcome"]["status"]]


theirs = [module.OWNER for module in (graph, nodes, prompts, ratchet)]
print(json.dumps({"loop": asyncio.run(main()), "theirs": theirs, "strict": STRICT_MSGPACK_ENABLED}))
"""
ANSWERS = """
import re


def agent(messages, request):
    item = re.search(r"item(\\d\\d)", messages[-1]["content"])[1]
    return f"bin{item}x" if f"item{item} is in" in messages[0]["content"] else "I do not know"


def other(messages, request):
    return {"category": "capability", "missing": "", "explanation": "it cannot"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with modules of its own under all of Ratchet's names, and a program that uses both."""
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("OWNER = 'the project'\n")
    (tmp_path / "graph" / "opening.py").write_text("raise AssertionError('not ours')\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "answers.py").write_text(ANSWERS)
    documents = tmp_path / "tasks" / "shop" / "documents"
    documents.mkdir(parents=True)
    for case in shop_items():
        (documents / f"{case['id']}.md").write_text(f"The item{case['id'][1:]} is in {case['expected']}.")
    (documents.parent / "task.toml").write_text(TASK)
    (documents.parent / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in shop_items()))
    (tmp_path / "behavior_rules.json").write_text('{"rules": ["Be polite."]}')
    (tmp_path / "task_prompts.json").write_text('{"shop": "Answer the question."}')
    return tmp_path


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """The program as a user starts it, Ratchet being installed: its own folder first, ours later."""
    models = {f"RATCHET_{role}_MODEL": "scripted:answers:other" for role in ("JUDGE", "ANALYST", "OPTIMIZER")}
    environment = {**os.environ, **models, "RATCHET_AGENT_MODEL": "scripted:answers:agent", "PYTHONPATH": str(HOME)}
    return subprocess.run(
        [sys.executable, "program.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=100
    )


def test_whole_loop_runs_beside_packages_of_the_same_names(folder: Path) -> None:
    ended = run(folder)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == {
        "loop": [1, "applied", "passed"],
        "theirs": ["the project"] * 4,
        "strict": True,
    }


def test_nothing_is_touched_where_nothing_is_hidden() -> None:
    path, modules = sys.path[:], dict(sys.modules)

    with own_packages():
        assert sys.path == path

    assert sys.path == path
    assert all(sys.modules[name] is found for name, found in modules.items())


@pytest.fixture
def two_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two packages `inner_part`: the project's, which stands first, and ours."""
    for owner in ("theirs", "ours"):
        (tmp_path / owner / "inner_part").mkdir(parents=True)
        (tmp_path / owner / "inner_part" / "__init__.py").write_text(f"OWNER = '{owner}'\n")
    monkeypatch.setattr(packages, "HOME", tmp_path / "ours")
    monkeypatch.setattr(packages, "NAMES", ("inner_part",))
    monkeypatch.syspath_prepend(str(tmp_path / "theirs"))
    yield
    sys.modules.pop("inner_part", None)


@pytest.mark.usefixtures("two_homes")
def test_hidden_package_is_found_inside_and_the_project_s_afterwards() -> None:
    path = sys.path[:]

    with own_packages():
        inside = importlib.import_module("inner_part").OWNER

    assert inside == "ours"
    assert importlib.import_module("inner_part").OWNER == "theirs"
    assert sys.path == path


@pytest.mark.usefixtures("two_homes")
def test_module_that_the_project_has_imported_before_is_put_back() -> None:
    before = importlib.import_module("inner_part")

    with own_packages():
        assert importlib.import_module("inner_part").OWNER == "ours"

    assert sys.modules["inner_part"] is before


@pytest.mark.usefixtures("two_homes")
def test_module_without_a_spec_is_not_ours() -> None:
    made = type(sys)("inner_part")
    sys.modules["inner_part"] = made

    with own_packages():
        assert importlib.import_module("inner_part").OWNER == "ours"

    assert sys.modules["inner_part"] is made


@pytest.mark.usefixtures("two_homes")
def test_project_s_modules_come_back_after_an_import_that_fails() -> None:
    before, path = importlib.import_module("inner_part"), sys.path[:]

    with pytest.raises(ModuleNotFoundError), own_packages():
        importlib.import_module("inner_part.missing")

    assert sys.modules["inner_part"] is before
    assert sys.path == path


def test_our_packages_import_each_other_at_the_top_only() -> None:
    """Later on the names may be the project's. The command line loads commands before it loads anybody's code."""
    late = []
    files = (file for name in NAMES for file in (HOME / name).rglob("*.py"))
    for file in (file for file in files if file != HOME / "service" / "cli.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        at_run_time = [top for top in tree.body if "TYPE_CHECKING" not in ast.unparse(top).partition(":")[0]]
        inner = [node for top in at_run_time for node in ast.walk(top) if node is not top]
        for node in inner:
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            late += [f"{file.name}:{node.lineno}" for name in modules if name.partition(".")[0] in NAMES]

    assert not late
