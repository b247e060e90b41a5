"""The project that most tests work on: the task `shop`, scripted models of all roles, and some agents to script."""

import json
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ratchet.config.settings import ROLES, Settings

OpenEngine = Callable[..., Any]
"""Fixture `open_engine`: opens an engine over the project's settings, closed after the test."""
FailRuns = Callable[..., Any]
"""Fixture `fail_runs`: runs cases by number and returns the stored failures."""
SCRIPTS = "scripts_of_this_test"
RULES = ["Never ask for a password."]
TASK = """
description = "Says where things are kept"
components = ["shop"]

[[criteria]]
name = "correct"
kind = "contains"
required = true

[[criteria]]
name = "short"
kind = "max_words"
limit = 5
required = true

[[context_sources]]
name = "handbook"
kind = "documents"
path = "documents"
"""


class BrokenRetriever:
    """A retriever that never answers."""

    async def ainvoke(self, query: str) -> Any:
        raise OSError("the index is gone")


def with_retriever(use: str) -> str:
    """`TASK` with the retriever that `use` names as its handbook."""
    return TASK.replace('kind = "documents"\npath = "documents"', f'kind = "python"\nuse = "{use}"')


class Script:
    """A scripted model of one role that remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.calls: list[list[dict[str, Any]]] = []
        self.requests: list[dict[str, Any]] = []

    def __call__(self, messages: list[dict[str, Any]], request: dict[str, Any]) -> Any:
        self.calls.append(messages)
        self.requests.append(request)
        return self.answer(messages, request) if callable(self.answer) else self.answer

    @property
    def seen(self) -> str:
        return "\n".join(message["content"] for messages in self.calls for message in messages)


class Project:
    """Files and settings of one test: task `shop`, scripted models for all roles."""

    def __init__(self, folder: Path, scripts: types.ModuleType) -> None:
        self.folder = folder
        self._scripts = scripts
        self.prompts_file = folder / "task_prompts.json"
        self.rules_file = folder / "behavior_rules.json"
        self.script("agent", "I do not know")
        self.script("judge", {"reason": "it is", "verdict": True})
        self.script("analyst", {"category": "capability", "missing": "", "explanation": "it cannot"})
        self.script("optimizer", "")

    def script(self, role: str, answer: Any) -> Script:
        """The model of a role from now on; a client that is open already asks it too."""
        script: Script = vars(self._scripts).setdefault(role, Script(answer))
        script.answer = answer
        script.calls.clear()
        script.requests.clear()
        return script

    def add(self, name: str, value: Any) -> str:
        """Make an object importable; returns its import path."""
        setattr(self._scripts, name, value)
        return f"{SCRIPTS}:{name}"

    def write_rules(self, rules: list[Any]) -> None:
        self.rules_file.write_text(json.dumps({"rules": rules}), encoding="utf-8")

    def write_prompts(self, prompts: Any) -> None:
        text = prompts if isinstance(prompts, str) else json.dumps(prompts, indent=2)
        self.prompts_file.write_text(text, encoding="utf-8")

    def write_task(
        self, name: str = "shop", toml: str = TASK, cases: Any = (), documents: dict[str, str] | None = None
    ) -> Path:
        folder = self.folder / "tasks" / name
        (folder / "documents").mkdir(parents=True, exist_ok=True)
        (folder / "task.toml").write_text(toml, encoding="utf-8")
        lines = cases if isinstance(cases, str) else "".join(json.dumps(case) + "\n" for case in cases)
        (folder / "cases.jsonl").write_text(lines, encoding="utf-8")
        for file, text in (documents or {}).items():
            (folder / "documents" / file).write_text(text, encoding="utf-8")
        return folder

    def settings(self, **overrides: Any) -> Settings:
        given = {
            "home": self.folder / "home",
            "tasks_dir": self.folder / "tasks",
            "rules_file": self.rules_file,
            "prompts_file": self.prompts_file,
            "retries": 0,
            "min_sources": 1,
            **{f"{role}_model": f"scripted:{SCRIPTS}:{role}" for role in ROLES},
        }
        return Settings(_env_file=None, **(given | overrides))  # type: ignore[call-arg]


def shop_items(count: int = 40) -> list[dict[str, Any]]:
    return [
        {
            "id": f"c{number:02d}",
            "input": f"Where is item{number:02d} kept?",
            "expected": f"bin{number:02d}x",
            "split": "holdout" if number % 2 else "train",
        }
        for number in range(count)
    ]


def item_of(messages: list[dict[str, Any]]) -> str:
    found = re.search(r"item(\d\d)", messages[-1]["content"])
    return found[1] if found else "none"


def needs_context(messages: list[dict[str, Any]], request: Any) -> str:
    item = item_of(messages)
    return f"bin{item}x" if f"item{item} is in" in messages[0]["content"] else "I do not know"


def needs_requirement(messages: list[dict[str, Any]], request: Any) -> str:
    answer = f"bin{item_of(messages)}x"
    return answer if "at most 5 words" in messages[0]["content"] else f"As far as I know it is kept in {answer}"


def needs_document_and_requirement(messages: list[dict[str, Any]], request: Any) -> str:
    """Wrong and long without the document, right and long with it; short where it is told to be."""
    item = item_of(messages)
    short = "at most 5 words" in messages[0]["content"]
    if f"item{item} is in" not in messages[0]["content"]:
        return "No idea" if short else "I am sorry that I do not know this"
    return f"bin{item}x" if short else f"As far as I know it is kept in bin{item}x"


class Flickering:
    """Fails the first time it is asked something, and passes from then on."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __call__(self, messages: list[dict[str, Any]], request: Any) -> str:
        item = item_of(messages)
        again = item in self.asked
        self.asked.add(item)
        return f"bin{item}x" if again else "I do not know"
