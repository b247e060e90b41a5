"""What failures say: their texts without what differs by chance, and how similar these are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Self

import Stemmer

from ratchet.store.documents import BundleDocument
from ratchet.text import plain_form
from ratchet.words import function_words, language_of, pairs_of, parts_of, stemmed_languages, words_of

LONGEST = {"problems": 1000, "input": 2000, "output": 1000}
"""Characters of each text that are compared."""
FITTED = 2000
"""Failures that the vocabulary is learned from at most."""
CHARACTERS = (3, 5)
"""Lengths of the character sequences that make a mistyped word similar to the right one."""
COMMON = 0.9
"""A word in more than this share of the failures tells nothing about any of them."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
DEFAULT = "english"
"""The language that a failure's texts are taken for where they leave it open."""
_FILLING = (
    "also please thank thanks hello hi dear would could may might must shall get got want need like one many much tell"
)
_STOP_WORDS = function_words()[DEFAULT] | frozenset(_FILLING.split())
_QUOTED = re.compile(r"(?<!\w)'[^'\n]*'(?!\w)|\"[^\"\n]*\"")
"""A quoted value; the apostrophe in "isn't" begins none."""
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")

Similarity = Any
"""A NumPy matrix: row by column, how similar two failures are, from 0 to 1."""
Meanings = Mapping[str, Any]
"""Vectors of texts, as an embedding model gives them."""


class Wording(NamedTuple):
    """A failure's texts in lower case, without numbers and without what was expected.

    Each is compared by itself: a cause often shows in one of them and not in the others.
    """

    problems: str
    input: str
    output: str

    @classmethod
    def of(cls, bundle: BundleDocument) -> Self:
        """The texts of a stored bundle."""
        expected = sorted((value for value in _strings(bundle["expected"]) if len(value) > 1), key=len, reverse=True)
        problems = bundle["evaluation"]["problems"]
        comments = " ".join(_QUOTED.sub(" ", problem.partition(":")[2]) for problem in problems)
        texts = {"problems": comments, "input": bundle["input"], "output": bundle["output"]}
        return cls(**{name: _mask(text[: LONGEST[name]], expected) for name, text in texts.items()})


def _strings(expected: Any) -> list[str]:
    if isinstance(expected, str):
        return [plain_form(expected).lower()]
    values = expected.values() if isinstance(expected, dict) else expected if isinstance(expected, list) else ()
    return [text for value in values for text in _strings(value)]


def _mask(text: str, expected: list[str]) -> str:
    text = plain_form(text).lower()
    if expected:
        text = re.sub("|".join(_whole(value) for value in expected), " ", text)
    return _NUMBER.sub(" ", text).strip()


def _whole(value: str) -> str:
    """A pattern that finds `value`, but not inside of a longer word: "no" is not in "nothing"."""
    return f"{_edge(value[0])}{re.escape(value)}{_edge(value[-1])}"


def _edge(character: str) -> str:
    """Some scripts have no spaces between words: there a value is found anywhere."""
    return r"\b" if character.isascii() and character.isalnum() else ""


def content_words(text: str) -> list[str]:
    """The words of a text that can tell failures apart: no numbers, no function words; pairs of characters where a
    script has no blanks between words."""
    return list(_telling(text).words)


def content_stems(text: str) -> list[str]:
    """The stems of the telling words, by the rules of the text's language."""
    told = _telling(text)
    found: list[str] = Stemmer.Stemmer(told.language).stemWords(told.words)
    return found


class _Told(NamedTuple):
    words: tuple[str, ...]
    language: str


@lru_cache(maxsize=20_000)
def _telling(text: str) -> _Told:
    words = list(_ascii_words(text) if text.isascii() else _words(text))
    language = language_of(words)
    if language not in stemmed_languages():
        language = DEFAULT
    filling = _STOP_WORDS | function_words()[language]
    return _Told(tuple(word for word in words if word not in filling and not word.isdigit()), language)


def _ascii_words(text: str) -> Iterator[str]:
    """The same as `_words`, in a tenth of the time."""
    for word in _WORD.findall(text):
        yield from parts_of(word) if "'" in word else [word]


def _words(text: str) -> Iterator[str]:
    for word in words_of(text):
        yield from pairs_of(word.text) if word.unspaced else [word.text]


def similarity_views(
    wordings: Sequence[Wording], common: float = COMMON, meanings: Meanings | None = None
) -> dict[str, Any]:
    """One sparse matrix of unit rows for each text in which the failures differ.

    Stems and character sequences by TF-IDF, and as much of meaning where `meanings` has it. The product of two rows is
    the similarity of two failures; 0 or less is none. Words in more than the share `common` of them are left out.
    """
    found = {view: unit_rows([getattr(item, view) for item in wordings], common, meanings) for view in Wording._fields}
    return {view: matrix for view, matrix in found.items() if matrix is not None}


def unit_rows(texts: Sequence[str], common: float = COMMON, meanings: Meanings | None = None) -> Any:
    """The sparse matrix of one text of each failure; None where no word tells any apart."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    learned = texts[:: -(-len(texts) // FITTED)]
    blocks = []
    for settings in (
        {"analyzer": content_stems},
        {"analyzer": "char_wb", "ngram_range": CHARACTERS, "max_features": 20_000},
    ):
        vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, max_df=common, **settings)
        try:
            vectorizer.fit(learned)
        except ValueError:  # no word is in two of the texts, or each is in nearly all of them
            continue
        blocks.append(vectorizer.transform(texts))
    if blocks and meanings:
        blocks.append(_meaning_rows(texts, meanings))
    return normalize(hstack(blocks).tocsr()) if blocks else None


def _meaning_rows(texts: Sequence[str], meanings: Meanings) -> Any:
    """The vectors of the texts without what all of them mean, as long as they were."""
    import numpy as np
    from scipy.sparse import csr_matrix

    size = len(next(iter(meanings.values())))
    rows = np.array([meanings.get(text, np.zeros(size)) for text in texts], dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    apart = np.where(lengths > 0, rows - rows.mean(axis=0), 0)
    return csr_matrix(apart * lengths / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-9))
