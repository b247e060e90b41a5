"""Context sources: where information can be fetched from."""

from ratchet.embedding import Embeddings
from ratchet.sources.documents import DocumentsFolder
from ratchet.sources.fts import FtsTable
from ratchet.sources.retriever import Retriever
from ratchet.sources.solved_cases import SolvedCases
from ratchet.sources.source import Document, Source
from ratchet.tasks import SourceConfig, Task

__all__ = ["Document", "SolvedCases", "Source", "open_sources"]


def open_sources(task: Task, embeddings: Embeddings | None = None) -> dict[str, Source]:
    """The task's sources by name; files are read and indexed here, so call it from a thread.

    Raises:
        ConfigurationError: a source that is not there.
    """
    return {config.name: _open(config, task, embeddings) for config in task.context_sources}


def _open(config: SourceConfig, task: Task, embeddings: Embeddings | None) -> Source:
    if config.kind == "documents":
        return DocumentsFolder(config.name, task.folder / config.path, config.passage_words, embeddings)
    if config.kind == "sqlite":
        return FtsTable(config.name, task.folder / config.path, config.table)
    return Retriever(config.name, config.use)
