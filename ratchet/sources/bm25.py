"""BM25 ranking over a fixed list of texts, by the library bm25s."""

from collections.abc import Sequence

import bm25s
import Stemmer


class Bm25Index:
    """An index over `texts`: English stop words left out, words reduced to their stems (Snowball).

    Robertson and Zaragoza (2009), in the variant and with the defaults of bm25s.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._stemmer = Stemmer.Stemmer("english")  # not thread-safe: an index is searched from one thread only
        tokens = bm25s.tokenize(list(texts), stopwords="en", stemmer=self._stemmer, show_progress=False)
        self._index = bm25s.BM25() if tokens.vocab else None
        if self._index:
            self._index.index(tokens, show_progress=False)

    def best(self, query: str, top_k: int) -> list[tuple[int, float]]:
        """Position and score of the texts that fit `query`, best first; texts that share no word are left out."""
        if self._index is None:
            return []
        tokens = bm25s.tokenize([query], stopwords="en", stemmer=self._stemmer, show_progress=False)
        if not tokens.vocab:
            return []
        found, scores = self._index.retrieve(tokens, k=min(top_k, self._size), show_progress=False)
        return [(int(i), float(score)) for i, score in zip(found[0], scores[0], strict=True) if score > 0]
