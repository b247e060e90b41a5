"""A candidate must leave the pinned rules alone: not speak of them, not say them again, not say the opposite."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ratchet.prompting import Rules
from ratchet.proposers.guards.readings import canonical, normal, readings, stems, word_set, words

SAME_WORDS = 0.8
"""Share of a rule's content words that makes a sentence one about that rule."""
LEAST_WORDS = 3
"""Content words of the shortest rule that is recognised by its words alone."""
_IGNORES = re.compile(
    r"(?<!not )(?<!never )(?<!don't )\b(?:ignore|disregard|override|forget|bypass|circumvent|violate)\b.{0,40}?"
    r"\b(?:rules?|instructions?|guidelines?|policy|policies|restrictions?|constraints?|safeguards?)\b"
)
_TREATS_INPUT_AS_DATA = re.compile(
    r"\bignore (?:any |all )?(?:instructions|commands) (?:inside|in|within|that appear in) (?:the |a )?"
    r"(?:customer|user|message|input|question|text|document|email)"
)
_NEGATIONS = word_set(
    """never not no don't doesn't didn't won't can't cannot mustn't shouldn't without neither nor avoid refuse refrain
    decline stop"""
)
_MODALS = word_set("must should shall may can will could would")
_LEADS = word_set(
    """always please you must should shall may can will to then and also first just simply or but so do never not don't
    cannot ever kindly still even better immediately directly"""
)
"""Words after which a verb is an order, and not what somebody else does."""
_FILLERS = word_set(
    """a an the this that these those it its their his her your our my i you we they he she them us is are be been
    being was were do does did have has had will would can could may might must shall should to of in on at by
    for from with about as into and or but so if then than any all every some each please always ever also just
    only up out"""
)
_QUALIFIERS = word_set("""that which who unless if when where while because except without before until only""")
_SUBJECTS = word_set("for about of")
_PREPOSITIONS = word_set("for about of in on at by to from with into via through")
_CHOICES = word_set("or and nor")
_SYNONYMS = (
    word_set("ask request demand collect obtain solicit"),
    word_set("reveal disclose leak expose"),
    word_set("promise guarantee assure"),
)


class Key(NamedTuple):
    """What a rule is about: its verb, and the things it names, each as a set of stems (any of them is enough)."""

    verb: str
    things: list[frozenset[str]]
    negative: bool
    qualified: bool
    """Whether it holds under a condition only."""


def touches_rules(rules: Rules, old: str, new: str, fresh: Sequence[str]) -> str | None:
    """Why `new` is refused for what it says of the rules that `old` did not say; `fresh` are its new sentences."""
    before, told = normal(old), [(reading, " ".join(words(reading))) for reading in readings(new)]
    for reading, after in told:
        if "behavior_rules" in after or "rules (never break)" in reading:
            return "speaks of the pinned rules"
        for rule in rules.rules:
            if normal(rule) in after and normal(rule) not in before:
                return f"restates the pinned rule {rule[:60]!r}"
        if _IGNORES.search(_TREATS_INPUT_AS_DATA.sub("", after)) and not _IGNORES.search(before):
            return "speaks of ignoring rules or instructions"
    return next((found for rule in rules.rules for sentence in fresh if (found := _about(rule, sentence))), None)


def _about(rule: str, sentence: str) -> str | None:
    """What a new sentence does to a rule: contradict it, rephrase it, or nothing."""
    polarity = _by_key(key_of(rule), sentence)
    if polarity is None:
        polarity = _by_words(rule, sentence)
    if polarity is None:
        return None
    return f"{'rephrases' if polarity else 'contradicts'} the pinned rule {rule[:60]!r}"


def key_of(rule: str) -> Key | None:
    """What the rule is about; None where its words do not tell."""
    said = words(canonical(rule))
    negation = next((place for place, word in enumerate(said) if word in _NEGATIONS), None)
    modal = next((place for place, word in enumerate(said) if word in _MODALS), None)
    before = negation if negation is not None else modal
    rest = said if before is None else said[before + 1 :]
    while rest and (rest[0] in _LEADS or rest[0] in ("from", "ever")):
        rest = rest[1:]
    if not rest or rest[0] in _FILLERS or (negation is not None and said[negation] == "no"):
        return None
    verb, rest = rest[0], rest[1:]
    end = next((place for place, word in enumerate(rest) if word in _QUALIFIERS), len(rest))
    return Key(verb, _things(rest[:end]), negation is not None, end < len(rest))


def _things(said: Sequence[str]) -> list[frozenset[str]]:
    """The alternatives of the phrase that names what the rule is about: the one after for, about or of, else the
    direct object, else the first phrase that has content."""
    phrases: list[tuple[str, list[list[str]]]] = [("", [[]])]
    for word in said:
        if word in _PREPOSITIONS:
            phrases.append((word, [[]]))
        elif word in _CHOICES:
            phrases[-1][1].append([])
        elif word not in _FILLERS:
            phrases[-1][1][-1].append(word)
    full = [(lead, [frozenset(stems(part)) for part in parts if part]) for lead, parts in phrases if any(parts)]
    subjects = [things for lead, things in full if lead in _SUBJECTS]
    return subjects[0] if subjects else full[0][1] if full else []


def _by_key(key: Key | None, sentence: str) -> bool | None:
    """Whether a clause of the sentence orders what the rule speaks of, with the same polarity (True) or the opposite
    one (False); None where it does not."""
    if key is None:
        return None
    verbs = set(stems(next((group for group in _SYNONYMS if key.verb in group), {key.verb})))
    for clause in re.split(r"[,;:]", sentence):
        said = words(clause)
        for place in _orders(said, key.verb, verbs):
            negative = any(word in _NEGATIONS for word in said[:place])
            after = set(stems(said[place + 1 :]))
            same = negative == key.negative
            if key.things and not any(thing <= after for thing in key.things):
                continue
            if (not key.things or key.qualified) and (same or (key.qualified and _QUALIFIERS & set(words(sentence)))):
                continue
            return same
    return None


def _orders(said: Sequence[str], verb: str, verbs: set[str]) -> list[int]:
    """Where a clause says to do what `verb` says."""
    return [
        place
        for place, (word, stem) in enumerate(zip(said, stems(said), strict=True))
        if stem in verbs
        and (word == verb or not word.endswith(("s", "ed", "ing")))
        and (place == 0 or said[place - 1] in _LEADS or said[place - 1] in _NEGATIONS)
    ]


def _by_words(rule: str, sentence: str) -> bool | None:
    """The same as `_by_key` for sentences that are made of the rule's own words."""
    of_rule, said = _content(words(canonical(rule))), _content(words(sentence))
    shared = len(of_rule & said)
    if len(of_rule) < LEAST_WORDS or shared < SAME_WORDS * max(len(of_rule), len(said)):
        return None
    return _is_negative(rule) == _is_negative(sentence)


def _content(said: Sequence[str]) -> set[str]:
    return set(stems(word for word in said if word not in _FILLERS and word not in _NEGATIONS))


def _is_negative(text: str) -> bool:
    return any(word in _NEGATIONS for word in words(canonical(text)))
