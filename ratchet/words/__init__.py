"""Words of any language: what texts are compared by."""

from ratchet.words.languages import function_words, language_of
from ratchet.words.terms import (
    Terms,
    Word,
    pairs_of,
    parts_of,
    pieces_of,
    stemmed_languages,
    word_count,
    words_of,
    written_words,
)

__all__ = [
    "Terms",
    "Word",
    "function_words",
    "language_of",
    "pairs_of",
    "parts_of",
    "pieces_of",
    "stemmed_languages",
    "word_count",
    "words_of",
    "written_words",
]
