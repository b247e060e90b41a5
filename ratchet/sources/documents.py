"""A folder of text files as a source."""

from pathlib import Path

import regex

from ratchet.config.files import read_text, real_path
from ratchet.embedding import Embeddings
from ratchet.errors import ConfigurationError
from ratchet.sources.ranking import Ranking
from ratchet.sources.source import Document
from ratchet.words import word_count

SUFFIXES = {".md", ".txt"}
_SENTENCE = regex.compile(
    r".+?(?:[.!?।؟۔](?=\s|$)|[。！？｡]+|[\p{Thai}\p{Lao}\p{Myanmar}]\p{M}*(?=\s)|$)\s*",  # noqa: RUF001
    regex.DOTALL,
)
"""A sentence and the blanks after it. Chinese and Japanese have none there, Thai has nothing but them."""


class DocumentsFolder:
    """All ``.md`` and ``.txt`` files below `folder`, whole or cut into passages, ranked by words and meaning."""

    def __init__(
        self, name: str, folder: Path, passage_words: int | None = None, embeddings: Embeddings | None = None
    ) -> None:
        """Read and index the files.

        Raises:
            ConfigurationError: the folder is missing, holds no such file, or a file is not UTF-8.
        """
        self.name = name
        if not real_path(folder).is_dir():
            raise ConfigurationError(f"context source {name!r}: {folder} is no folder")
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        if not files:
            raise ConfigurationError(f"context source {name!r}: no .md or .txt file in {folder}")
        self._passages: list[tuple[str, str]] = []
        for file in files:
            text = read_text(file).strip()
            parts = passages(text, passage_words) if passage_words else [text]
            label = str(file.relative_to(folder))
            self._passages += [(f"{label}#{n}" if len(parts) > 1 else label, part) for n, part in enumerate(parts)]
        self._index = Ranking(name, [text for _, text in self._passages], embeddings)

    async def fetch(self, query: str, top_k: int) -> list[Document]:
        """The passages that fit `query` best."""
        return [Document(*self._passages[i], score) for i, score in await self._index.best(query, top_k)]


def passages(text: str, words: int) -> list[str]:
    """`text` in pieces of about `words` words, cut at sentence ends; a longer sentence stays whole."""
    pieces: list[str] = []
    piece, length = "", 0
    for sentence in _SENTENCE.findall(text):
        size = word_count(sentence)
        if piece and length + size > words:
            pieces.append(piece.strip())
            piece, length = "", 0
        bare = sentence.rstrip()
        piece += bare + " " * (bare != sentence)
        length += size
    return [*pieces, piece.strip()] if piece else pieces
