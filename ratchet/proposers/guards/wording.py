"""Wording that no prompt needs: what nobody can see, what talks to the evaluator, what makes every answer the same."""

import re
from collections.abc import Sequence

from ratchet.proposers.guards.readings import canonical, invisible, stems, words

_JUDGE = r"(?:judges?|evaluators?|graders?|scorers?|assessors?|examiners?|raters?)"
_ADDRESS = (
    r"(?:tell|convince|persuade|ask|instruct|inform|remind|assure|impress|please|flatter|fool|trick|beg|dear|hey"
    r"|note to|message to|signal to|attention)"
)
_OUTPUT = r"(?:answer|reply|response|output|run|work)"
_TOP = r"(?:full|perfect|highest|maximum|top|passing)\s+(scores?|marks?|grades?|ratings?)\b"
_SPEAKS_TO_JUDGE = [
    re.compile(pattern)
    for pattern in (
        rf"\b{_ADDRESS}\s+(?:the\s+|any\s+|every\s+|whoever\s+)?({_JUDGE})\b",
        rf"\b({_JUDGE})\s*(?:will|should|must|shall|has to|have to|may|can|is (?:told|asked|required|going)|:)",
        rf"\b(?:so that|makes?|lets?|for)\s+(?:the\s+|any\s+)?({_JUDGE})\b",
        r"\byou(?:'re| are| will be| shall be)\s+(?:being\s+)?(graded|scored|evaluated|judged|rated|assessed)\b",
        rf"\b(grade|score|rate|evaluate|judge|mark)\s+(?:this|my|your|that)\s*(?:{_OUTPUT}\b|as\b|with\b|$|[.!,])",
        rf"\b(?:give|assign|award|grant)\s+(?:it|this|me|us|yourself|the\s+{_OUTPUT}|every\s+\w+)\b.{{0,20}}\b{_TOP}",
        rf"\b(?:deserves?|earns?|gets?|scores?|worth)\s+(?:a\s+|the\s+)?{_TOP}",
        r"\b(verdict)\W{0,3}(?:is|:|=)\W{0,3}(?:true|pass|yes|correct|perfect)",
        r"\b(score)\W{0,3}(?::|=)\W{0,3}(?:1|10|100)\b",
        rf"\b(?:this|my) {_OUTPUT} (?:is|was) (?:already )?(perfect|flawless|(?:fully )?correct)\b",
        r"\bpass(?:es)? (?:the|this|every|all) (evaluations?|grading)\b",
    )
]
"""Group 1 is the word that a task may own."""
_ANSWER = r"(?:answer|reply|respond|say|output|write|return|print|repeat)"
_CONSTANT = (
    r"""(?:"[^"]{0,60}"|'[^']{0,60}'|`[^`]{0,60}`|[^\w\s]+|yes|no|true|false|none|null|ok|okay|unknown|n/a|\w*\d\w*)"""
)
_LEAD = (
    r"(?:\s+(?:only|just|simply|always|exactly|nothing but|with|by|saying|the|words?|text|character|phrase|sentence))*"
)
_EVERY = r"(?:always|only|just|nothing but|whatever|regardless|no matter|every|any|all|each|everything)"
_SAME_ANSWER = re.compile(rf"\b{_ANSWER}{_LEAD}[\s:]+{_CONSTANT}\s*(?:[.!]|$|,?\s*(?:{_EVERY}|to|for)\b)")
_UNIVERSAL = re.compile(rf"\b{_EVERY}\b")
_CONDITION = re.compile(
    r"\b(?:if|when|where|unless|otherwise|in (?:case|that|this|such)|whenever|as long as|while|until|or|except|other"
    r"|outside|about|for (?!every|any|all|each|whatever))\b"
)


def hidden_characters(old: str, new: str) -> str | None:
    """Why `new` is refused for characters that a reviewer could not see; those that `old` has already may stay."""
    found = invisible(new) - invisible(old)
    if not found:
        return None
    return f"holds invisible characters: {', '.join(sorted(f'U+{ord(char):04X}' for char in found))}"


def speaks_to_judge(fresh: Sequence[str], subject: str) -> str | None:
    """Why a sentence addresses who scores the output. A word that is part of the task's own `subject` (grading essays,
    say) may be used."""
    own = set(stems(words(canonical(subject))))
    for sentence in fresh:
        for pattern in _SPEAKS_TO_JUDGE:
            found = pattern.search(sentence)
            if found and own.isdisjoint(stems(words(found[1]))):
                return f"speaks to who scores the answer: {found[0][:60]!r}"
    return None


def same_answer(fresh: Sequence[str], whole: str) -> str | None:
    """Why the instructions are degenerate: no words at all, or one fixed answer whatever the input is. An answer for a
    named condition, or a choice of several, is none."""
    if not words(whole):
        return "says nothing"
    for sentence in fresh:
        found = _SAME_ANSWER.search(sentence)
        alone = len(words(sentence)) == len(words(whole))
        if found and not _CONDITION.search(_outside_quotes(sentence)) and (alone or _UNIVERSAL.search(sentence)):
            return f"asks for the same answer to everything: {sentence[:60]!r}"
    return None


def _outside_quotes(sentence: str) -> str:
    return re.sub(r""""[^"]*"|'[^']*'|`[^`]*`""", "", sentence)
