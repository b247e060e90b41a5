"""Vectors of texts, each made once: what was embedded before is kept in the store."""

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

from ratchet.embedding.model import LONGEST, EmbeddingModel
from ratchet.errors import ModelReplyError
from ratchet.prompting import content_hash


class VectorStore(Protocol):
    """Where vectors are kept under content keys, as little-endian 32-bit floats."""

    def get(self, keys: Sequence[str]) -> Awaitable[dict[str, bytes]]:
        """The vectors that are kept under these keys."""

    def put(self, new: dict[str, bytes], /) -> Awaitable[None]:
        """Keep vectors; the first one of a key stays."""


class Embeddings:
    """The vectors of one model, kept in a store."""

    def __init__(self, model: EmbeddingModel, store: VectorStore) -> None:
        self.model = model
        self._store = store

    async def of(self, texts: Sequence[str], *, keep: bool = True) -> Any:
        """A NumPy matrix with a row for each text, see `EmbeddingModel`; a blank text has zeros.

        With `keep` false, vectors that cost nothing are neither looked up nor kept: a question is embedded faster.

        Raises:
            ConfigurationError, ModelError, BudgetError.
        """
        import numpy as np

        cut = [text.strip()[:LONGEST].strip() for text in texts]
        wanted = list(dict.fromkeys(text for text in cut if text))
        vectors = await self._vectors(wanted, stored=keep or self.model.costs)
        sizes = {len(vector) for vector in vectors.values()}
        if len(sizes) > 1:
            found = " and ".join(map(str, sorted(sizes)))
            raise ModelReplyError(f"{self.model.name}: vectors of {found} numbers; the model of this name has changed")
        rows = np.zeros((len(cut), max(sizes, default=1)), dtype=np.float32)
        for place, text in enumerate(cut):
            if text:
                rows[place] = vectors[text]
        return rows

    async def _vectors(self, texts: list[str], *, stored: bool) -> dict[str, Any]:
        import numpy as np

        keys = {text: content_hash({"embedding": self.model.name, "text": text}) for text in texts} if stored else {}
        kept = await self._store.get(list(keys.values())) if keys else {}
        vectors = {text: np.frombuffer(kept[key], dtype="<f4") for text, key in keys.items() if key in kept}
        new = [text for text in texts if text not in vectors]
        if new:
            made = await self.model.embed(new)
            vectors |= dict(zip(new, made, strict=True))
            if stored:
                await self._store.put(
                    {keys[text]: row.astype("<f4").tobytes() for text, row in zip(new, made, strict=True)}
                )
        return vectors

    async def close(self) -> None:
        """End all connections."""
        await self.model.close()
