"""What texts are compared by: their words, in any script, in the form in which equal ones are the same.

Chinese, Japanese, Thai and some others write no blanks between words. Two neighbouring characters stand for a word
there, as in Lucene's analysis of them. So they do within a word of Korean, whose endings are joined to it.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import regex
import Stemmer

from ratchet.text import fold, plain_form
from ratchet.words.languages import function_words, language_of

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
_SPACED = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]+"
_WORD = regex.compile(rf"(?V1)(?P<unspaced>(?:[{_UNSPACED}]\p{{M}}*)+)|{_SPACED}(?:'{_SPACED})*")
_LETTER_OF_RUN = regex.compile(rf"[{_UNSPACED}]")
_CHARACTER = regex.compile(r"\X")
_HAN = regex.compile(r"\p{Han}")
_DIGIT = regex.compile(r"\p{Nd}")
_NOT_WRITTEN = regex.compile(r"(?V1)[\p{M}&&[\p{Arabic}\p{Hebrew}\u064b-\u065f]]|\u0640")
"""Vowel signs that are mostly left out, and the stroke that only lengthens a word."""
_ACCENTS = regex.compile(r"([\p{Latin}\p{Greek}])\p{M}+|(е)\u0308")
_PERSIAN_KEYS = str.maketrans("كيى", "کیی")
_SENTENCE_START = regex.compile(r"(?:^|[.!?:;\n\"(\[¿¡])\s*$")
_CLAUSE_END = regex.compile(r"\s*(?:$|[^\s\p{L}\p{M}\p{N}])")
SHORT = 2
"""Letters of what is left beside an apostrophe and tells nothing: the "s" of "it's", the "l" of "l'adresse"."""
LOOKED_AT = 400
"""Words of a text that its language is told by."""


class Word(NamedTuple):
    """A word of a text in lower case; in a script without blanks between words a run of characters."""

    text: str
    unspaced: bool = False
    telling: bool = False
    """Whether it is no function word, though it may look like one: the "A" of "plan A", the "IT" of "IT support"."""


def words_of(text: str) -> Iterator[Word]:
    """The words of a text in their order."""
    plain = _DIGIT.sub(lambda found: str(unicodedata.digit(found[0])), plain_form(text))
    mixed = plain != plain.upper()
    for found in _WORD.finditer(plain):
        word = fold(_NOT_WRITTEN.sub("", found[0]))
        if found["unspaced"]:
            yield Word(word, unspaced=True)
        elif "'" in word:
            yield from (Word(part) for part in parts_of(word))
        elif word:
            yield Word(word, telling=mixed and _stands_out(plain, found.start(), found.end()))


def parts_of(word: str) -> list[str]:
    """What tells something of a word with apostrophes: its longer parts."""
    parts = word.split("'")
    return [part for part in parts if len(part) > SHORT] or [max(parts, key=len)]


def _stands_out(text: str, start: int, end: int) -> bool:
    word = text[start:end]
    if len(word) > 1:
        return word.isupper() and word.isalpha()
    if word == "I":
        return False
    named = word.isupper() and not _SENTENCE_START.search(text, max(0, start - 9), start)
    return named or _CLAUSE_END.match(text, end) is not None


@cache
def stemmed_languages() -> frozenset[str]:
    """Languages that Snowball has rules for."""
    return frozenset(Stemmer.algorithms())


def written_words(text: str) -> list[str]:
    """The words of a text as they are written and in their plain form, each once, for an index of another's making."""
    runs = [found[0] for form in (text, plain_form(text)) for found in _WORD.finditer(form)]
    return list(dict.fromkeys(part for run in runs for part in (parts_of(run) if "'" in run else [run])))


def pieces_of(text: str, most: int = 64) -> list[str]:
    """Pairs of characters, and single characters that stand alone, of what a text has in scripts without blanks.

    Each once, the first `most`. An index that knows no words of such scripts can be searched for them.
    """
    runs = [word.text for word in words_of(text) if word.unspaced]
    return list(dict.fromkeys(piece for run in runs for piece in pairs_of(run) or [run]))[:most]


class Terms:
    """Turns the texts of a collection, and what is asked of it, into terms. Used from one thread at a time.

    The words of a text are reduced by the rules of its language, function words left out. Where that is not clear it is
    taken for the language of most other texts; where none is clear, words stay as they are.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._stemmers: dict[str, Stemmer.Stemmer] = {}
        found = [list(words_of(text)) for text in texts]
        clear = [language_of(word.text for word in words[:LOOKED_AT]) for words in found]
        usual = Counter(language for language in clear if language).most_common(1)
        main = usual[0][0] if usual else None
        own = [language or main for language in clear]
        self.languages: list[str | None] = list(dict.fromkeys(own)) or [None]
        """Those of the texts, each once; None stands for none."""
        self.texts = [
            [*self._terms(words, language), *_characters(words)] for words, language in zip(found, own, strict=True)
        ]
        """The terms of each text, repeated as they are."""

    def of_question(self, text: str) -> list[str]:
        """The terms to look for, each once: those that the text has in any language of the collection."""
        words = list(words_of(text))
        terms = [term for language in self.languages for term in self._terms(words, language)]
        telling = [term for term in _characters(words) if _HAN.match(term)]
        alone = [word.text for word in words if word.unspaced and len(_CHARACTER.findall(word.text)) == 1]
        return list(dict.fromkeys([*terms, *telling, *alone]))

    def _terms(self, words: Sequence[Word], language: str | None) -> Iterator[str]:
        filling = function_words().get(language or "", frozenset())
        for word in words:
            if word.unspaced:
                yield from pairs_of(word.text)
            elif word.telling or word.text not in filling:
                yield self._stem(word.text, language)

    def _stem(self, word: str, language: str | None) -> str:
        if language in stemmed_languages():
            if language not in self._stemmers:
                self._stemmers[language] = Stemmer.Stemmer(language)
            word = self._stemmers[language].stemWord(word)
        return bare(word)


def bare(word: str) -> str:
    """The word without accents on Latin and Greek letters and ё, which many leave out; Arabic letters in one form."""
    plain: str = _ACCENTS.sub(r"\1\2", unicodedata.normalize("NFD", word))
    return plain.translate(_PERSIAN_KEYS)


def pairs_of(run: str) -> list[str]:
    """Neighbouring characters of a run without blanks, two by two; a single one alone makes no pair."""
    characters = _CHARACTER.findall(run)
    return ["".join(pair) for pair in pairwise(characters)]


def _characters(words: Sequence[Word]) -> Iterator[str]:
    """Single characters of scripts without blanks: a question may have one of a word only, and words may have one."""
    for word in words:
        if word.unspaced:
            yield from _CHARACTER.findall(word.text)


def word_count(text: str) -> int:
    """Words of a text, as far as they can be told: without blanks between them two characters count as one."""
    return sum(max(1, len(_LETTER_OF_RUN.findall(piece)) // 2) for piece in text.split())
