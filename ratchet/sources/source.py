"""The seam between Ratchet and whatever holds information an agent may need."""

from typing import NamedTuple, Protocol


class Document(NamedTuple):
    """A piece of text found by a source."""

    id: str
    text: str
    score: float


class Source(Protocol):
    """Something that can be searched.

    `fetch` changes nothing, and gives the same answer to the same question as long as the data is the same. It returns
    at most `top_k` documents, best first. Nothing that fits is an empty list, a source that cannot answer is a
    `SourceError`.
    """

    name: str

    async def fetch(self, query: str, top_k: int) -> list[Document]:
        """The documents that fit `query` best."""
