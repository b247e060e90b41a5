"""The words that tell one group of failures from the others: its title, and whether it is more than a word."""

from collections import Counter
from collections.abc import Sequence
from math import log

from ratchet.grouping.wording import Wording, content_stems, content_words

TITLE_WORDS = 3
TOLD_BY = 0.2
"""Share of a group in which a telling word occurs at least."""
MORE = 1.5
"""A telling word is this many times as frequent in the group as outside."""
LEAST_TELLERS = 3
"""Members that say a word of the title at least, so that it is nobody's private detail."""
LONGEST_WORD = 24
UNCOVERED = 0.1
"""Share of a group that may say none of its catchwords."""


def distinctive_words(inside: Sequence[set[str]], outside: Sequence[set[str]]) -> list[str]:
    """Words that many inside and few outside say, the most telling first; each set holds the words of one failure."""
    within, without = (
        Counter(word for said in inside for word in said),
        Counter(word for said in outside for word in said),
    )
    score = {
        word: count / len(inside) * log(count / len(inside) * (len(outside) + 2) / (without[word] + 1))
        for word, count in within.items()
        if count >= max(LEAST_TELLERS, TOLD_BY * len(inside))
        and count * (len(outside) + 2) >= MORE * len(inside) * (without[word] + 1)
    }
    return sorted(score, key=lambda word: (-score[word], word))


def title(members: Sequence[Wording], others: Sequence[Wording]) -> str:
    """The few words that tell members from others, no two of one stem; empty where there are none."""
    chosen: dict[str, str] = {}
    for word in distinctive_words([_words_of(item) for item in members], [_words_of(item) for item in others]):
        chosen.setdefault(content_stems(word)[0], word[:LONGEST_WORD])
    return " ".join(list(chosen.values())[:TITLE_WORDS])


def _words_of(wording: Wording) -> set[str]:
    return set(content_words(" ".join(wording)))


def without_catchwords(said: Sequence[Wording], groups: Sequence[set[int]], view: str) -> list[str]:
    """The stems of one text of each failure without catchwords.

    Catchwords of a group (given by positions) are telling words of which nearly every member says one.
    """
    told = [content_stems(getattr(item, view)) for item in said]
    sets = [set(text) for text in told]
    catchwords: set[str] = set()
    for group in groups:
        outside = [sets[i] for i in range(len(sets)) if i not in group]
        catchwords |= _cover([sets[i] for i in sorted(group)], outside)
    return [" ".join(stem for stem in text if stem not in catchwords) for text in told]


def _cover(inside: Sequence[set[str]], outside: Sequence[set[str]]) -> set[str]:
    found: set[str] = set()
    left = list(inside)
    while len(left) > UNCOVERED * len(inside) and (best := distinctive_words(left, outside)[:1]):
        found.update(best)
        left = [said for said in left if best[0] not in said]
    return found
