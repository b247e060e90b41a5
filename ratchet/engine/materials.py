"""What is made from a task's files and approved cases, kept as long as these stay the same."""

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

from ratchet.concurrency import to_daemon_thread, to_thread
from ratchet.config.files import real_path
from ratchet.embedding import Embeddings
from ratchet.sources import SolvedCases, Source, open_sources
from ratchet.store.cases import Cases, Stamp, stamp_of
from ratchet.store.rows import CaseRow
from ratchet.tasks import Case, LeftOut, Task, each_input_once, load_cases, load_task, merge_cases, overlap_lines

log = logging.getLogger(__name__)

Signature = frozenset[tuple[str, int, int, int]]
"""Path, times of change in ns (of content and entry) and size in bytes of each file that a task is made from."""

SAME_RUN = 0.5
"""Seconds for which a later step of a run does without another look at the files. A run's first step always looks."""


@dataclass(frozen=True)
class Material:
    """A task with its cases, each input once, and its sources opened and indexed."""

    task: Task
    cases: list[Case]
    left_out: list[LeftOut]
    sources: dict[str, Source]
    solved: SolvedCases


@dataclass(frozen=True)
class _Kept:
    """Material, what it was made from, and when (by the monotonic clock) it was last known to be right."""

    material: Material
    files: Signature
    cases: Stamp
    looked_at: float


class Materials:
    """The material of all tasks of one folder. One look at a task's files serves all who asked before it began."""

    def __init__(self, tasks_dir: Path, cases: Cases, embeddings: Embeddings | None = None) -> None:
        self._tasks_dir = tasks_dir
        self._cases = cases
        self._embeddings = embeddings
        self._kept: dict[str, _Kept] = {}
        self._looking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def of_task(self, name: str, within: float = 0) -> Material:
        """The material of a task as its files are now, or were `within` seconds ago.

        Raises:
            ConfigurationError: there is no such task, or a file is wrong.
        """
        since = time.monotonic() - within
        looking = self._looking.setdefault(name, asyncio.Lock())
        async with looking:
            kept = self._kept.get(name)
            if kept is None or kept.looked_at < since:
                kept = self._kept[name] = await self._look(name, kept)
            return kept.material

    async def _look(self, name: str, kept: _Kept | None) -> _Kept:
        now = time.monotonic()
        if kept is not None and await self._is_current(name, kept):
            return replace(kept, looked_at=now)
        approved = await self._cases.of_task(name)
        files, material = await to_daemon_thread(load_material, self._tasks_dir, name, approved, self._embeddings)
        for line in overlap_lines(material.left_out):
            log.warning("task %s: %s", name, line)
        return _Kept(material, files, stamp_of(approved), now)

    async def _is_current(self, name: str, kept: _Kept) -> bool:
        files = await to_thread(signature, kept.material.task)
        return kept.files == files and kept.cases == await self._cases.stamp(name)


def load_material(
    tasks_dir: Path, name: str, approved: list[CaseRow], embeddings: Embeddings | None = None
) -> tuple[Signature, Material]:
    """Read a task, its cases and sources, and the signature of its files as they were before that. Blocks.

    Raises:
        ConfigurationError: there is no such task, or a file is wrong.
    """
    files = signature(load_task(tasks_dir, name))
    task = load_task(tasks_dir, name)  # again: what is saved after the signature was taken may only be in what it signs
    cases, left_out = each_input_once(merge_cases(load_cases(task), [_case(row) for row in approved]))
    return files, Material(task, cases, left_out, open_sources(task, embeddings), SolvedCases(cases, embeddings))


def _case(row: CaseRow) -> Case:
    return Case(id=row["id"], input=row["input"], expected=row["expected"], split=row["split"], tags=row["tags"])


def signature(task: Task) -> Signature:
    """Another signature means that a file of the task was changed, added or removed. Blocks.

    Raises:
        ConfigurationError: the folder of a source cannot be followed.
    """
    return frozenset(stamp for folder in _folders(task) for stamp in _stamps(folder))


def _folders(task: Task) -> list[Path]:
    """The task's folder, and those of its documents that are outside of it or behind a link."""
    documents = [task.folder / source.path for source in task.context_sources if source.kind == "documents"]
    inside = real_path(task.folder)
    return [task.folder, *[folder for folder in documents if not real_path(folder).is_relative_to(inside)]]


def _stamps(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(parent, name)
            try:
                stat = os.stat(file)
            except FileNotFoundError:  # removed just now, or a link to nothing
                continue
            except OSError:  # a link to itself, or behind a closed door; whoever needs the file is told
                yield file, 0, 0, 0
                continue
            yield file, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size
