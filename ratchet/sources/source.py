"""The seam between Ratchet and whatever holds information an agent may need."""

from typing import NamedTuple, Protocol


class Document(NamedTuple):
    """A piece of text found by a source."""

    id: str
    text: str
    score: float


class Source(Protocol):
    """Something that can be searched, by several runs at the same time.

    - Given: `query`, any text, taken as plain words; `top_k`, 1 or more.
    - Returned: at most `top_k` documents, best first. They are the same for the same question as long as the data is
      the same. Scores are of the source's own scale, and only their order is used.
    - Never mutated: the data that is searched.
    - Data: nothing that fits is an empty list.
    - Raised: `SourceError` where it cannot answer. An answer that takes too long is given up by the caller.
    """

    name: str

    async def fetch(self, query: str, top_k: int) -> list[Document]:
        """The documents that fit `query` best."""
