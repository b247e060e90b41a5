"""A static embedding model that an installed package carries: 32,000 word pieces, each with a vector of 256 numbers.

The package `wordllama` is located, never imported: its import sets up the program's logging, and its loader may reach
for the network. Only its two files are read.
"""

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ratchet.concurrency import to_thread

NAME = "l2_supercat_256"
KNOWN = 2.0
"""Characters of a word piece on average from which on the model knows a text's script: it spells others letter by
letter. It is about 4 in English, 3 in German, and 1 or less in Arabic and Chinese."""
HALF = 0.5
BATCH = 256


class _Files(NamedTuple):
    weights: Path
    tokenizer: Path


def packaged_files() -> _Files | None:
    """The model's files; None where they, or what reads them, are not installed."""
    found = importlib.util.find_spec("wordllama")
    if found is None or not found.origin or not all(map(importlib.util.find_spec, ("tokenizers", "safetensors"))):
        return None
    folder = Path(found.origin).parent
    files = _Files(
        folder / "weights" / f"{NAME}.safetensors", folder / "tokenizers" / "l2_supercat_tokenizer_config.json"
    )
    return files if all(file.is_file() for file in files) else None


class PackagedModel:
    """The packaged model, loaded at its first use."""

    name = f"local:{NAME}"
    costs = False

    def __init__(self, files: _Files) -> None:
        self._files = files

    async def embed(self, texts: Sequence[str]) -> Any:
        """The mean of the vectors of each text's word pieces."""
        return await to_thread(_embed, self._files, list(texts))

    async def close(self) -> None:
        """Nothing is open."""


@cache
def _load(files: _Files) -> tuple[Any, Any]:
    import numpy as np
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, load_file(files.weights)["embedding.weight"].astype(np.float32)


def _embed(files: _Files, texts: list[str]) -> Any:
    import numpy as np

    tokenizer, weights = _load(files)
    rows = np.zeros((len(texts), weights.shape[1]), dtype=np.float32)
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        for row, (text, pieces) in enumerate(
            zip(batch, tokenizer.encode_batch(batch, add_special_tokens=False), strict=True), start
        ):
            mean = weights[pieces.ids].mean(axis=0)
            known = 1.0 if len(text) >= KNOWN * len(pieces.ids) else HALF
            rows[row] = mean * (known / max(float(np.linalg.norm(mean)), 1e-9))
    return rows
