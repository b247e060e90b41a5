from typing import Any

import pytest
from langchain_core.documents import Document as LangChainDocument
from shop import Project

from ratchet.errors import ConfigurationError, SourceError
from ratchet.sources.retriever import Retriever

pytestmark = pytest.mark.anyio


class ListRetriever:
    def __init__(self, found: Any) -> None:
        self.found = found

    async def ainvoke(self, query: str) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


async def test_retriever_keeps_order_and_bounds(project: Project) -> None:
    documents = [LangChainDocument(page_content=text, id=text[0]) for text in ("one", "two", "three")]
    found = await Retriever("r", project.add("retriever", ListRetriever(documents))).fetch("q", 2)
    assert [(document.id, document.text) for document in found] == [("o", "one"), ("t", "two")]


@pytest.mark.parametrize("found", [ValueError("down"), TimeoutError(), None, ["text"], 7])
async def test_retriever_that_fails_is_a_source_error(project: Project, found: Any) -> None:
    source = Retriever("r", project.add("retriever", ListRetriever(found)))
    with pytest.raises(SourceError, match="context source 'r'"):
        await source.fetch("q", 2)


def test_retriever_that_is_none_is_refused(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="is no retriever"):
        Retriever("r", project.add("retriever", object()))
