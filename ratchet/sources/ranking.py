"""Ranking of a fixed list of texts by words and, where there is an embedding model, by meaning too."""

import asyncio
from collections.abc import Sequence
from typing import Any

from ratchet.embedding import Embeddings
from ratchet.errors import ModelError, ModelUnavailableError, SourceError
from ratchet.sources.bm25 import Bm25Index

SIMILAR = 0.3
"""A text that shares no word with the question is at least this similar to it,"""
AHEAD = 0.9
"""and by this many standard deviations more than the texts are on average."""


class Ranking:
    """An index over `texts`, searched by one event loop.

    A text's score is the sum of its standardised BM25 score and its standardised similarity in meaning. Without
    embeddings it is the BM25 score alone. Texts are embedded at the first search.
    """

    def __init__(self, name: str, texts: Sequence[str], embeddings: Embeddings | None = None) -> None:
        self._name = name
        self._texts = list(texts)
        self._words = Bm25Index(texts)
        self._embeddings = embeddings
        self._vectors: Any = None
        self._embedding = asyncio.Lock()

    async def best(self, query: str, top_k: int) -> list[tuple[int, float]]:
        """Position and score of the texts that fit `query`, best first; those that share nothing with it are left out.

        Raises:
            SourceError: the embedding model refuses a text, or answers with no vectors.
            ConfigurationError, ModelUnavailableError, BudgetError: of an embedding model behind an endpoint.
        """
        if self._embeddings is None or not self._texts or not query.strip():
            return self._words.best(query, top_k)
        try:
            question, vectors = await self._embed(self._embeddings, query)
        except ModelUnavailableError:
            raise
        except ModelError as error:
            raise SourceError(f"context source {self._name!r}: {error}") from error
        return _rank(self._words.scores(query), vectors, question)[:top_k]

    async def _embed(self, embeddings: Embeddings, query: str) -> tuple[Any, Any]:
        async with self._embedding:
            if self._vectors is None:
                self._vectors = await embeddings.of(self._texts)
        return (await embeddings.of([query], keep=False))[0], self._vectors


def _rank(words: Any, vectors: Any, question: Any) -> list[tuple[int, float]]:
    """Positions and scores, best first. How far the model knows the question's script is the length of its vector."""
    import numpy as np

    known = float(np.linalg.norm(question))
    lengths = np.linalg.norm(vectors, axis=1) * known
    similarity = vectors @ question / np.where(lengths > 0, lengths, 1)
    meaning = _standardise(similarity)
    scores = _standardise(words) + known * meaning
    fits = (words > 0) | ((known > 0.99) & (similarity >= SIMILAR) & (meaning >= AHEAD))
    order = np.argsort(-scores, kind="stable")
    return [(int(place), float(scores[place])) for place in order if fits[place]]


def _standardise(values: Any) -> Any:
    """The values with mean 0 and standard deviation 1; zeros where all are the same."""
    spread = values.std()
    return (values - values.mean()) / spread if spread > 1e-9 else values * 0.0
