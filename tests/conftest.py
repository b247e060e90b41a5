import os
import shutil
import sys
import types
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from shop import RULES, SCRIPTS, FailRuns, OpenEngine, Project, shop_items

from ratchet.engine import Engine
from ratchet.llm.embedded import EmbeddedServer
from ratchet.records import FailureBundle
from ratchet.store import Database, now


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _sealed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the user's environment, working directory or models."""
    for name in list(os.environ):
        if name.startswith(("RATCHET_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    if request.node.get_closest_marker("real") is None:
        monkeypatch.setenv("RATCHET_EMBEDDING_MODEL", "none")

        def refuse(self: EmbeddedServer, model_file: Path) -> None:
            raise AssertionError(f"a test without the mark `real` started the embedded model {model_file}")

        monkeypatch.setattr(EmbeddedServer, "__init__", refuse)


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType(SCRIPTS)
    monkeypatch.setitem(sys.modules, SCRIPTS, module)
    return module


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all migrations, to be copied: making one takes longer than most tests."""
    file = tmp_path_factory.mktemp("migrated") / "ratchet.sqlite"
    Database(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def database_url(tmp_path: Path, migrated: Path) -> str:
    shutil.copy(migrated, tmp_path / "store.sqlite")
    return f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def project(tmp_path: Path, scripts: types.ModuleType, migrated: Path) -> Project:
    made = Project(tmp_path, scripts)
    (tmp_path / "home").mkdir()
    shutil.copy(migrated, tmp_path / "home" / "ratchet.sqlite")
    made.write_rules(RULES)
    made.write_prompts({"shop": "Answer the question."})
    documents = {f"{case['id']}.md": f"The item{case['id'][1:]} is in {case['expected']}." for case in shop_items()}
    made.write_task(cases=shop_items(), documents=documents)
    return made


@pytest.fixture
async def open_engine(project: Project) -> AsyncIterator[OpenEngine]:
    """Opens engines over the project's settings and closes them after the test."""
    opened: list[Engine] = []

    async def open_one(**overrides: Any) -> Engine:
        opened.append(await Engine.open(project.settings(**overrides)))
        return opened[-1]

    yield open_one
    for engine in opened:
        await engine.close()


@pytest.fixture
async def engine(open_engine: OpenEngine) -> Engine:
    return await open_engine()


@pytest.fixture
def fail_runs() -> FailRuns:
    """Runs cases by their number, as `serve` does, and returns the stored failures."""

    async def run(engine: Engine, *numbers: int, **overrides: Any) -> list[FailureBundle]:
        bench = await engine.workbench("shop")
        bundles = []
        for number in numbers:
            case = bench.cases[number]
            served = await engine.run(bench, case.input, prompts=bench.prompts, repeat=None)
            bundle = FailureBundle(
                id=f"F-{number}", run_id=f"R-{number}", task="shop", component="shop", input=case.input,
                output=served.output, expected=case.expected,
                evaluation=await engine.evaluate(bench, case.input, served.output, case.expected),
                prompts=bench.prompts, version=bench.version, rules_hash=bench.rules.hash, model="m",
                trace=served.trace, source="s", thread_id=None, created_at=now(),
            ).model_copy(update=overrides)  # fmt: skip
            await engine.store.failures.add(bundle, "g")
            bundles.append(bundle)
        return bundles

    return run
