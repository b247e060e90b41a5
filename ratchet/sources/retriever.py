"""A LangChain retriever as a source."""

from typing import Any

from langchain_core.retrievers import BaseRetriever

from ratchet.concurrency import is_our_own, to_daemon_thread
from ratchet.config.objects import import_object
from ratchet.errors import ConfigurationError, SourceError, one_line
from ratchet.sources.source import Document


class Retriever:
    """Anything with the retriever's ``ainvoke(query) -> list[Document]``."""

    def __init__(self, name: str, use: str) -> None:
        """Import the object that `use` names.

        Raises:
            ConfigurationError: it cannot be imported or is no retriever.
        """
        self.name = name
        self._retriever: Any = import_object(use, f"context source {name!r}")
        if not hasattr(self._retriever, "ainvoke"):
            raise ConfigurationError(f"context source {name!r}: {use} is no retriever (it has no ainvoke)")

    async def fetch(self, query: str, top_k: int) -> list[Document]:
        """The first `top_k` documents of the retriever, in its order."""
        try:
            found = await self._matches(query)
            return [
                Document(str(document.id or n), str(document.page_content), 1.0 / (n + 1))
                for n, document in enumerate(found[:top_k])
            ]
        except BaseException as error:  # the user's code: whatever it raises is its failure
            if is_our_own(error):
                raise
            raise SourceError(f"context source {self.name!r}: {one_line(error)}") from error

    async def _matches(self, query: str) -> Any:
        if _is_blocking(self._retriever):  # its `ainvoke` would hang in the event loop's own threads
            return await to_daemon_thread(self._retriever.invoke, query)
        return await self._retriever.ainvoke(query)


def _is_blocking(retriever: object) -> bool:
    given = getattr(type(retriever), "_aget_relevant_documents", None)
    return given is BaseRetriever._aget_relevant_documents
