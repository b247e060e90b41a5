import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ratchet.ledger import Audit, Change, Versions
from ratchet.prompting import TaskPrompt
from ratchet.store import Database
from ratchet.tasks import Task

UNUSUAL = '{"other":   "Keep me.",\n\t"shop": {"prompt" : "First \\u00e9.", "locked": []} , "extra": "x"}\r\n\n'


@pytest.fixture
def prompts_file(tmp_path: Path) -> Path:
    file = tmp_path / "task_prompts.json"
    file.write_bytes(UNUSUAL.encode())
    return file


@pytest.fixture
def versions(database: Database, prompts_file: Path) -> Versions:
    return Versions(database, prompts_file)


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(database)


def task_of(name: str, folder: Path) -> Task:
    criterion = {"name": "short", "kind": "max_words", "limit": 5}
    return Task(name=name, folder=folder, description="d", components=[name], criteria=[criterion])


@pytest.fixture
def shop(tmp_path: Path) -> Task:
    return task_of("shop", tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Task:
    return task_of("other", tmp_path)


@pytest.fixture
def change() -> Callable[..., Change]:
    def make(text: str = "Second.", *, proposal: str = "P-1", base: int = 1, component: str = "shop") -> Change:
        return Change(
            proposal_id=proposal,
            component=component,
            prompt=TaskPrompt(prompt=text),
            base_version=base,
            by="ada",
            reason="because",
            numbers={"before": 0.5, "after": 0.75},
        )

    return make


@pytest.fixture
def prompt_in_file(prompts_file: Path) -> Callable[..., Any]:
    def read(component: str = "shop") -> Any:
        value = json.loads(prompts_file.read_text(encoding="utf-8"))[component]
        return value if isinstance(value, str) else value["prompt"]

    return read
