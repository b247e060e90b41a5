"""Embedding models for tests: of a few known meanings, and what they were asked."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ratchet.embedding import Embeddings

MEANINGS = ["lorry truck van", "refund money", "opening hours clock nine", "password login"]


class KnownMeanings:
    """A text means the entries of `MEANINGS` that it has a word of; nothing else has a meaning, in length 0.5."""

    name = "known"

    def __init__(self, *, costs: bool = False, size: int = len(MEANINGS) + 1) -> None:
        self.costs = costs
        self.size = size
        self.asked: list[str] = []
        self.error: Exception | None = None

    async def embed(self, texts: Sequence[str]) -> Any:
        if self.error:
            raise self.error
        self.asked += texts
        return np.array([self._vector(text) for text in texts], dtype=np.float32)

    async def close(self) -> None:
        self.asked.append("(closed)")

    def _vector(self, text: str) -> list[float]:
        found = [float(any(word in text.lower() for word in meaning.split())) for meaning in MEANINGS]
        known = any(found)
        vector = [*found, float(not known), *[0.0] * 9][: self.size]
        return list(np.array(vector) / np.linalg.norm(vector) * (1.0 if known else 0.5))


class KeptVectors:
    """A store of vectors in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        return {key: self.kept[key] for key in keys if key in self.kept}

    async def put(self, new: dict[str, bytes]) -> None:
        self.kept = new | self.kept


def known_meanings(**options: Any) -> Embeddings:
    return Embeddings(KnownMeanings(**options), KeptVectors())
