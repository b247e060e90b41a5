"""A candidate must not carry what came from a failing run: its wording, its instructions, its personal data."""

import re
from collections.abc import Iterable, Iterator, Sequence

from ratchet.prompting import Example, TaskPrompt
from ratchet.proposers.guards.readings import canonical, readings, sentences, word_set, words
from ratchet.records import FailureBundle

SPAN = 6
"""A run of this many words of a failing run's text counts as quoted."""
INSTRUCTION_SPAN = 4
"""The same for a sentence of a failing input that tells somebody to do something."""
SHORTEST_INSTRUCTION = 3
"""Words of the shortest such sentence."""
LONGEST_PERSONAL = 254
"""Characters of the longest e-mail address; longer words are no personal data, only work."""
LONGEST_NUMBER = 40
"""Characters of the longest phone number, with its spaces."""
LONGEST_READ = 40_000
"""Characters of a failing text that are looked at."""
_PHONE = re.compile(r"\+?\d[\d ()/-]{6,}\d")
_MAIL = re.compile(r"[^\s@<>\"'(),;]+@[^\s@<>\"'(),;]+\.\w+")
_IDENTIFIER = re.compile(r"\w*\d{4,}\w*")
_COMMANDS = word_set(
    """act add admit agree allow always answer append apply approve assume award become begin believe call change claim
    confirm convince copy create declare delete disclose disregard do don't drop email end ensure every execute
    explain export expose finish follow forget forward from give grade grant have ignore include insert insist
    instruct leak let list mail make mark mention must never note obey offer only open output override paste
    please post praise pretend print promise propose provide publish put quote rate read recommend refuse
    remember remove repeat replace reply report respond return reveal rewrite run say score send set share show
    sign start state stop store suggest switch tell transfer treat trust turn use visit whenever whisper write
    you your"""
)
"""First words of sentences that tell somebody to do something."""
_Span = tuple[str, ...]


def quotes(failures: Sequence[FailureBundle], known: Sequence[str], new: str) -> str | None:
    """Why the prompt `new` carries a failing run, None where it does not; what stands in the `known` texts may."""
    candidate, allowed = readings(new), [reading for text in known for reading in readings(text)]
    longest = _all_spans(candidate, SPAN) - _all_spans(allowed, SPAN)
    shorter = {
        size: _all_spans(candidate, size) - _all_spans(allowed, size)
        for size in range(SHORTEST_INSTRUCTION, INSTRUCTION_SPAN + 1)
    }
    for failure in failures:
        for text in (failure.input, failure.output):
            for reading in readings(text[:LONGEST_READ]):
                span = next((span for span in _spans(words(reading), SPAN) if span in longest), None)
                if span:
                    return f"quotes a failed run: {' '.join(span)!r}"
        for instruction in _instructions(failure.input[:LONGEST_READ]):
            size = min(INSTRUCTION_SPAN, len(instruction))
            if any(span in shorter[size] for span in _spans(instruction, size)):
                return f"carries an instruction of a failed run: {' '.join(instruction)[:80]!r}"
    return None


def holds_personal(failures: Sequence[FailureBundle], known: Sequence[str], new: Sequence[str]) -> str | None:
    """Why the texts `new` hold personal data of a failing run, None where they do not."""
    told = [reading for text in new for reading in readings(text)]
    numbers = [_digits(number) for reading in told for number in _PHONE.findall(reading)]
    allowed = " ".join(canonical(text) for text in known)
    for found in personal_of(failures):
        plain = canonical(found)
        whole = re.compile(rf"(?<!\d){re.escape(plain)}(?!\d)")
        is_number = _PHONE.fullmatch(found) and any(_digits(found) in number for number in numbers)
        if plain not in allowed and (is_number or any(whole.search(reading) for reading in told)):
            return f"holds {found!r} of a failed run"
    return None


def personal_of(failures: Sequence[FailureBundle]) -> list[str]:
    """E-mail addresses, phone numbers and identifiers in the failing runs."""
    texts = [text[:LONGEST_READ] for failure in failures for text in (failure.input, failure.output)]
    return list(dict.fromkeys(found for text in texts for found in personal(text)))


def personal(text: str) -> list[str]:
    """E-mail addresses, phone numbers and identifiers (words with four digits in a row) in `text`."""
    found = [number for number in _PHONE.findall(text) if len(number) <= LONGEST_NUMBER]
    for word in text.split():
        if len(word) <= LONGEST_PERSONAL:
            found += _MAIL.findall(word) + _IDENTIFIER.findall(word)
    return found


def foreign_examples(
    solved: Sequence[Example], failures: Sequence[FailureBundle], old: TaskPrompt, new: TaskPrompt
) -> str | None:
    """Why the examples of `new` are refused: one is no solved case, or shows personal data of a failing run."""
    added = [example for example in new.examples if example not in old.examples]
    if any(example not in solved for example in added):
        return "has an example that is not one of the solved cases"
    texts = [text for example in added for text in (example.input, example.output)]
    return holds_personal(failures, [old.prompt], texts)


def _instructions(text: str) -> Iterator[list[str]]:
    for reading in readings(text):
        for sentence in sentences(reading):
            for clause in re.split(r"[:,]\s+", sentence):
                said = words(clause)
                if len(said) >= SHORTEST_INSTRUCTION and said[0] in _COMMANDS and not clause.endswith("?"):
                    yield said


def _all_spans(texts: Iterable[str], size: int) -> set[_Span]:
    return {span for text in texts for span in _spans(words(text), size)}


def _spans(said: Sequence[str], size: int) -> Iterator[_Span]:
    return (tuple(said[start : start + size]) for start in range(len(said) - size + 1))


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)
