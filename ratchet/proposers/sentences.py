"""Instructions taken apart into sentences, and what of them may be changed."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ratchet.prompting import TaskPrompt

_END = re.compile(r"(?<=[.!?])[ \t]+(?=\S)|\n+")
_WORD = re.compile(r"\w+")
_VARIABLE = re.compile(r"\{[a-z][a-z0-9_]*\}")


class Sentence(NamedTuple):
    """A sentence and where it stands in the text."""

    text: str
    start: int
    end: int


def sentences(text: str) -> list[str]:
    """The sentences of a text: cut at line ends, and after ``.``, ``!`` and ``?`` before a blank."""
    return [sentence.text for sentence in locate(text)]


def locate(text: str) -> list[Sentence]:
    """The sentences with their places; what lies between them is white space only."""
    ends = [*(match.span() for match in _END.finditer(text)), (len(text), len(text))]
    found, start = [], 0
    for end, after in ends:
        piece = text[start:end]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            found.append(Sentence(piece.strip(), start + lead, start + len(piece.rstrip())))
        start = after
    return found


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return _WORD.findall(text.lower())


def changeable(prompt: TaskPrompt) -> list[Sentence]:
    """The sentences that may go: none that touches locked text or holds a variable; empty where there is only one."""
    found = locate(prompt.prompt)
    if len(found) < 2:
        return []
    fixed = _places(prompt.prompt, prompt.locked)
    return [
        sentence
        for sentence in found
        if not _VARIABLE.search(sentence.text)
        and not any(start < sentence.end and sentence.start < end for start, end in fixed)
    ]


def replace_sentence(text: str, sentence: Sentence, new: str) -> str:
    """`text` with one sentence replaced; with nothing, the white space after it goes too."""
    rest = text[sentence.end :]
    if new:
        return text[: sentence.start] + new + rest
    kept = rest.lstrip()
    return (text[: sentence.start] + kept) if kept else text[: sentence.start].rstrip()


def _places(text: str, locked: Sequence[str]) -> list[tuple[int, int]]:
    return [(match.start(), match.end()) for piece in locked if piece for match in re.finditer(re.escape(piece), text)]
