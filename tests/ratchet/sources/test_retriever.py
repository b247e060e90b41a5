import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from shop import Project

from ratchet.errors import ConfigurationError, SourceError
from ratchet.sources.retriever import Retriever

pytestmark = pytest.mark.anyio


class ListRetriever:
    def __init__(self, found: Any) -> None:
        self.found = found

    async def ainvoke(self, query: str) -> Any:
        if isinstance(self.found, BaseException):
            raise self.found
        return self.found


class BlockingRetriever(BaseRetriever):
    """A retriever without asynchronous code, as many of LangChain's are."""

    until: Any = None

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[LangChainDocument]:
        if self.until is not None:
            self.until.wait()
        return [LangChainDocument(page_content=f"about {query}")]


async def test_retriever_keeps_order_and_bounds(project: Project) -> None:
    documents = [LangChainDocument(page_content=text, id=text[0]) for text in ("one", "two", "three")]
    found = await Retriever("r", project.add("retriever", ListRetriever(documents))).fetch("q", 2)
    assert [(document.id, document.text) for document in found] == [("o", "one"), ("t", "two")]


@pytest.mark.parametrize("found", [ValueError("down"), TimeoutError(), SystemExit(3), None, ["text"], 7])
async def test_retriever_that_fails_is_a_source_error(project: Project, found: Any) -> None:
    source = Retriever("r", project.add("retriever", ListRetriever(found)))
    with pytest.raises(SourceError, match="context source 'r'"):
        await source.fetch("q", 2)


def test_retriever_that_is_none_is_refused(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="is no retriever"):
        Retriever("r", project.add("retriever", object()))


async def test_retriever_that_blocks_and_hangs_holds_up_no_other(project: Project) -> None:
    end = threading.Event()
    hanging = Retriever("r", project.add("hanging", BlockingRetriever(until=end)))
    good = Retriever("r", project.add("good", BlockingRetriever()))
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hanging.fetch("q", 2), 0.1)
        assert [document.text for document in await asyncio.wait_for(good.fetch("q", 2), 5)] == ["about q"]
    finally:
        end.set()


@pytest.mark.parametrize(("code", "told"), [("1 / 0", "ZeroDivisionError"), ("raise SystemExit(3)", "SystemExit: 3")])
def test_retriever_that_cannot_be_imported_is_refused(project: Project, code: str, told: str) -> None:
    (project.folder / "failing_retriever.py").write_text(code)
    with pytest.raises(ConfigurationError, match=f"context source 'r': 'failing_retriever:r' cannot be .*{told}"):
        Retriever("r", "failing_retriever:r")
