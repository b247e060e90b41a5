"""What a text says once its disguise is off: look-alike letters, invisible characters, and simple encodings."""

import base64
import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable

import Stemmer

_KEPT_CONTROLS = "\n\r\t"
_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһкмтвнгոαεορνυικτχηωγıɡ\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb",
    "aeopcyxijsdhkmtbhrnaeopvuiktxnwyig" + 3 * "'" + 5 * '"',
)
"""Letters of other scripts, and quotation marks, by the plain ones that they look like."""
_WORD = re.compile(r"\w+(?:'\w+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?:(?:\\x|0x|%)?[0-9A-Fa-f]{2}[\s:,]?){8,}")
_HEX_NOISE = re.compile(r"\\x|0x|[%\s:,]")
READABLE = 0.8
"""A decoded text is one when at least this share of it is letters and spaces."""


def invisible(text: str) -> set[str]:
    """Characters that a reader cannot see: zero-width, bidirectional and other format or control characters."""
    return {char for char in text if char not in _KEPT_CONTROLS and unicodedata.category(char) in ("Cf", "Cc")}


def canonical(text: str) -> str:
    """`text` in compatibility form, without invisible characters and accents, in small letters of one script."""
    return _canonical(_visible(text))


def _canonical(visible: str) -> str:
    if visible.isascii():
        return visible.lower()
    plain = "".join(char for char in visible if unicodedata.category(char) != "Mn")
    return plain.casefold().translate(_LOOK_ALIKES)


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    shown = unicodedata.normalize("NFKD", text)
    return "".join(char for char in shown if char in _KEPT_CONTROLS or unicodedata.category(char) not in ("Cf", "Cc"))


def readings(text: str) -> list[str]:
    """Everything that `text` may be read as, folded: itself first, then reversed, by ROT13, and what its pieces of
    Base64 and hexadecimal digits decode to."""
    visible = _visible(text)
    plain = _canonical(visible)
    return [plain, plain[::-1], codecs.encode(plain, "rot13"), *(canonical(hidden) for hidden in _decode(visible))]


def _decode(text: str) -> Iterable[str]:
    for piece in _BASE64.findall(text):
        body = piece.rstrip("=").replace("-", "+").replace("_", "/")
        yield from _readable(base64.b64decode, body + "=" * (-len(body) % 4))
    for piece in _HEX.findall(text):
        yield from _readable(bytes.fromhex, _HEX_NOISE.sub("", piece))


def _readable(decode: Callable[[str], bytes], piece: str) -> Iterable[str]:
    try:
        text = decode(piece).decode("utf-8")
    except ValueError:  # of binascii and of UTF-8 too
        return
    if text and sum(char.isalpha() or char.isspace() for char in text) >= READABLE * len(text):
        yield text


def words(text: str) -> list[str]:
    """The words of a folded text."""
    return _WORD.findall(text)


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as running text."""
    return frozenset(text.split())


def normal(text: str) -> str:
    """The words of any text, folded, for comparing."""
    return " ".join(words(canonical(text)))


def sentences(text: str) -> list[str]:
    """The sentences of a folded text."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def fresh_sentences(new: str, known: Iterable[str]) -> list[str]:
    """Sentences of every reading of `new` that stand in no reading of the `known` texts."""
    seen = {" ".join(words(part)) for text in known for reading in readings(text) for part in sentences(reading)}
    found = [part for reading in readings(new) for part in sentences(reading)]
    return [part for part in found if " ".join(words(part)) not in seen]


def stems(of: Iterable[str]) -> list[str]:
    """The words' English stems (Snowball)."""
    stemmer = Stemmer.Stemmer("english")  # not thread-safe, and quickly made
    return [str(stemmer.stemWord(word.removesuffix("'s"))) for word in of]
