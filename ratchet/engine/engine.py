"""Everything a node needs, opened once: settings, store, ledger, models, and tasks with their prompts and sources."""

import logging

from ratchet.concurrency import to_thread
from ratchet.config.settings import Settings
from ratchet.embedding import Embeddings, open_model
from ratchet.engine.harness import Harness
from ratchet.engine.materials import Materials
from ratchet.engine.workbench import Workbench
from ratchet.errors import ConfigurationError
from ratchet.ledger import Audit, Versions
from ratchet.llm import Meter, Models
from ratchet.prompting import Rules, load_rules
from ratchet.store import Database, Store
from ratchet.tasks import load_task, task_names

log = logging.getLogger(__name__)


class Engine(Harness):
    """What one process (and one event loop) needs to run the graphs. Made by `open`, ended by `close`."""

    def __init__(self, settings: Settings, store: Store) -> None:
        super().__init__(Models(settings, store.replies))
        self.settings = settings
        self.store = store
        self.versions = Versions(store.database, settings.prompts_file)
        self.audit = Audit(store.database)
        self._rules_hash: str | None = None
        model = open_model(settings)
        self.embeddings = Embeddings(model, store.vectors) if model else None
        """None where texts are compared by their words alone."""
        self._materials = Materials(settings.tasks_dir, store.cases, self.embeddings)

    @classmethod
    async def open(cls, settings: Settings) -> "Engine":
        """Open the database, bring it up to date, and finish changes that a crash interrupted.

        Raises:
            ConfigurationError: the database cannot be opened.
        """
        database = await to_thread(lambda: Database(settings.application_url()))
        engine = cls(settings, Store(database))
        try:
            await engine.recover()
            await engine.versions.problem()
        except BaseException:
            await engine.close()
            raise
        return engine

    async def close(self) -> None:
        """End all connections."""
        await self.models.close()
        if self.embeddings:
            await self.embeddings.close()
        await to_thread(self.store.database.close)

    async def recover(self) -> None:
        """Finish or undo changes that were being applied when a process ended."""
        for name in await to_thread(task_names, self.settings.tasks_dir):
            try:
                done = await self.versions.recover(await to_thread(load_task, self.settings.tasks_dir, name))
            except ConfigurationError as error:  # told to whoever uses that task; the others must not suffer from it
                log.debug("%s", error)
                continue
            except OSError as error:
                log.warning("%s: a change that was being applied could not be finished: %s", name, error)
                continue
            if done:
                log.warning("%s", done)

    async def workbench(self, task_name: str, within: float = 0) -> Workbench:
        """The task `task_name` with its files and approved cases as they are now, or were `within` seconds ago.

        Prompts and rules are always those of now. Indexes are kept while the files stay the same.

        Raises:
            ConfigurationError: a file is wrong.
        """
        material = await self._materials.of_task(task_name, within)
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
            left_out=material.left_out,
            problem=active.problem,
        )

    async def _rules(self) -> Rules:
        """The pinned rules; a change of them is audited and reported once."""
        rules = await to_thread(load_rules, self.settings.rules_file)
        if rules.hash != self._rules_hash:
            self._rules_hash = rules.hash
            if await self.audit.note_rules(rules.hash):
                log.warning("%s has changed, sha256 is now %s", self.settings.rules_file, rules.hash[:12])
        return rules


async def cycle_meter(engine: Engine, cycle_id: str) -> Meter:
    """The meter of a cycle, with the calls it has paid for already."""
    spent = (await engine.store.replies.spent_by(cycle_id)).calls
    return Meter(limit=engine.settings.max_calls, spent=spent, cycle_id=cycle_id)


def heldout_inputs(bench: Workbench) -> set[str]:
    """Inputs, in normal form, that no proposing or diagnosing call may see."""
    return {case.form for case in bench.holdout}
