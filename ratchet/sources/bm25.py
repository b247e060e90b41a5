"""BM25 ranking over a fixed list of texts, by the library bm25s."""

from collections.abc import Sequence
from typing import Any

import bm25s

from ratchet.words import Terms


class Bm25Index:
    """An index over the terms of `texts`; searched from one thread at a time.

    Robertson and Zaragoza (2009), in the variant and with the defaults of bm25s.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._terms = Terms(texts)
        self._known = {term for text in self._terms.texts for term in text}
        self._index = bm25s.BM25() if self._known else None
        if self._index:
            self._index.index(self._terms.texts, show_progress=False)

    def scores(self, query: str) -> Any:
        """How well each text fits `query`, a NumPy vector; 0 where no term is shared."""
        import numpy as np

        terms = [term for term in self._terms.of_question(query) if term in self._known]
        if self._index is None or not terms:
            return np.zeros(self._size)
        return self._index.get_scores(terms)

    def best(self, query: str, top_k: int) -> list[tuple[int, float]]:
        """Position and score of the texts that fit `query`, best first; texts that share no term are left out."""
        import numpy as np

        scores = self.scores(query)
        order = np.argsort(-scores, kind="stable")[:top_k]
        return [(int(i), float(scores[i])) for i in order if scores[i] > 0]
