"""Everything a node needs, opened once: settings, store, ledger, models, and tasks with their prompts and sources."""

import asyncio
import logging
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ratchet.agents import ComponentCaller, run_agent
from ratchet.errors import ConfigurationError
from ratchet.evaluators import evaluate_output, with_rules
from ratchet.ledger import Audit, Versions
from ratchet.llm import Models
from ratchet.prompting import Rules, TaskPrompts, load_rules
from ratchet.records import AgentRun, Evaluation
from ratchet.settings import Settings
from ratchet.sources import SolvedCases, Source, open_sources
from ratchet.store import Database, Store
from ratchet.store.cases import CaseRow, stamp_of
from ratchet.tasks import Case, Expected, Task, load_cases, load_task, merged_cases, of_split, task_names

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workbench:
    """One task ready to be run: its definition, cases, rules, sources, and the prompts in force."""

    task: Task
    cases: list[Case]
    rules: Rules
    sources: dict[str, Source]
    solved: SolvedCases
    prompts: TaskPrompts
    version: int

    @property
    def train(self) -> list[Case]:
        """The training cases."""
        return of_split(self.cases, "train")

    @property
    def holdout(self) -> list[Case]:
        """The held-out cases. Never part of a proposing or diagnosing call."""
        return of_split(self.cases, "holdout")

    def is_training_case(self, source: str, text: str) -> bool:
        """Whether a run is that of a training case. A caller names its source as it likes, so a case's name alone is
        not believed: the input has to be the case's too."""
        return self._training_inputs.get(source) == text

    @cached_property
    def _training_inputs(self) -> dict[str, str]:
        return {case.source: case.input for case in self.train}


@dataclass(frozen=True)
class _Material:
    task: Task
    cases: list[Case]
    sources: dict[str, Source]
    solved: SolvedCases


class Engine:
    """What one process (and one event loop) needs to run the graphs. Made by `open`, ended by `close`."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.models = Models(settings, store.replies)
        self.versions = Versions(store.database, settings.prompts_file)
        self.audit = Audit(store.database)
        self._rules_hash: str | None = None
        self._material: dict[str, tuple[object, _Material]] = {}

    @classmethod
    async def open(cls, settings: Settings) -> "Engine":
        """Open the database, bring it up to date, and finish changes that a crash interrupted.

        Raises:
            ConfigurationError: the database cannot be opened.
        """
        database = await asyncio.to_thread(lambda: Database(settings.application_url()))
        engine = cls(settings, Store(database))
        await engine.recover()
        return engine

    async def close(self) -> None:
        """End all connections."""
        await self.models.close()
        await asyncio.to_thread(self.store.database.close)

    async def recover(self) -> None:
        """Finish or undo changes that were being applied when a process ended."""
        for name in await asyncio.to_thread(task_names, self.settings.tasks_dir):
            try:
                done = await self.versions.recover(await asyncio.to_thread(load_task, self.settings.tasks_dir, name))
            except ConfigurationError as error:  # told to whoever uses that task; the others must not suffer from it
                log.debug("%s", error)
                continue
            if done:
                log.warning("%s", done)

    async def workbench(self, task_name: str) -> Workbench:
        """The task `task_name` with its files and approved cases as they are now; indexes are kept while these stay
        the same.

        Raises:
            ConfigurationError: a file is wrong.
        """
        material = await self._load(task_name)
        rules = await self._rules()
        active = await self.versions.active(material.task)
        return Workbench(
            task=material.task,
            cases=material.cases,
            rules=rules,
            sources=material.sources,
            solved=material.solved,
            prompts=active.prompts,
            version=active.number,
        )

    async def _rules(self) -> Rules:
        """The pinned rules; a change of them is audited and reported once."""
        rules = await asyncio.to_thread(load_rules, self.settings.rules_file)
        if rules.hash != self._rules_hash:
            self._rules_hash = rules.hash
            if await self.audit.note_rules(rules.hash):
                log.warning("%s has changed, sha256 is now %s", self.settings.rules_file, rules.hash[:12])
        return rules

    async def _load(self, task_name: str) -> _Material:
        task = await asyncio.to_thread(load_task, self.settings.tasks_dir, task_name)
        files = await asyncio.to_thread(_signature, task.folder)
        kept = self._material.get(task_name)
        if kept is None or kept[0] != (files, await self.store.cases.stamp(task.name)):
            approved = await self.store.cases.of_task(task.name)
            kept = ((files, stamp_of(approved)), await asyncio.to_thread(_material, task, approved))
            self._material[task_name] = kept
        return kept[1]

    async def run(self, bench: Workbench, text: str, *, prompts: TaskPrompts, repeat: int | None = 0) -> AgentRun:
        """Run the task's agent with the given prompts; `repeat` as in `Models.reply`.

        Raises:
            ConfigurationError, ModelError, SourceError, BudgetError.
        """
        call = ComponentCaller(
            bench.task, bench.rules, prompts, self.models, bench.sources, bench.solved, repeat=repeat
        )
        return await run_agent(call, text)

    async def evaluate(self, bench: Workbench, text: str, output: str, expected: Expected) -> Evaluation:
        """Score an output, see `evaluate_output`, and check it against the pinned rules, see `with_rules`."""
        evaluation = await evaluate_output(self.models, bench.task, text, output, expected)
        return await with_rules(evaluation, bench.rules, output)


def _material(task: Task, approved: list[CaseRow]) -> _Material:
    rows = [{name: row[name] for name in Case.model_fields} for row in approved]
    cases = merged_cases(load_cases(task), [Case.model_validate(row) for row in rows])
    return _Material(task, cases, open_sources(task), SolvedCases(cases))


def _signature(folder: Path) -> object:
    return tuple(
        (str(file), stat.st_mtime_ns, stat.st_size)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and (stat := file.stat())
    )


EngineProvider = Callable[[], Awaitable[Engine]]
"""Where a graph's nodes get their engine from."""


class ProcessEngine:
    """The engine of a server process: opened at the first use with the settings of that moment, one per event loop."""

    def __init__(self) -> None:
        self._engines: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Engine]] = (
            weakref.WeakKeyDictionary()
        )

    async def __call__(self) -> Engine:
        """The engine of the running loop."""
        loop = asyncio.get_running_loop()
        opening = self._engines.get(loop)
        if opening is None or (opening.done() and (opening.cancelled() or opening.exception())):
            opening = self._engines[loop] = asyncio.create_task(_open_from_environment())
        return await asyncio.shield(opening)

    async def close(self) -> None:
        """Close the engine of the running loop, if there is one."""
        opening = self._engines.pop(asyncio.get_running_loop(), None)
        if opening is not None:
            await (await opening).close()


process_engine = ProcessEngine()
"""The provider of the graphs that a server loads by name. It opens nothing until a node asks."""


async def _open_from_environment() -> Engine:
    return await Engine.open(await asyncio.to_thread(Settings.load))
