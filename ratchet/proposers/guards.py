"""What a candidate must not be. A candidate that breaks a guard is refused with a reason, never repaired."""

import re
from collections.abc import Iterable, Sequence

from ratchet.prompting import Rules, TaskPrompt
from ratchet.proposers.proposer import Situation
from ratchet.records import FailureBundle
from ratchet.sources.solved_cases import NAME as SOLVED_CASES
from ratchet.tasks import Task

MAX_PROMPT_CHARS = 6000
MAX_EXAMPLES = 32
SPAN = 6
"""A run of this many words of a failing run's text counts as quoted."""
LONGEST_PERSONAL = 254
"""Characters of the longest e-mail address; longer words are no personal data, only work."""
_PHONE = re.compile(r"\+?\d[\d ()/-]{6,}\d")
_MAIL = re.compile(r"[^\s@<>\"'(),;]+@[^\s@<>\"'(),;]+\.\w+")
_IDENTIFIER = re.compile(r"\w*\d{4,}\w*")
_WORD = re.compile(r"\w+")


def refusal(situation: Situation, prompt: TaskPrompt) -> str | None:
    """Why the candidate `prompt` is refused, None where it is not."""
    old = situation.prompt
    checks = (
        _unchanged(old, prompt),
        _unknown_source(situation.bench.task, prompt),
        _lost_parts(situation.bench.task, old, prompt),
        _too_long(prompt),
        _touches_rules(situation.bench.rules, old, prompt),
        _quotes(situation.failures, old, prompt),
        _foreign_examples(situation, prompt),
    )
    return next((reason for reason in checks if reason), None)


def edit_refusal(task: Task, rules: Rules, old: TaskPrompt, prompt: TaskPrompt) -> str | None:
    """Why a reviewer's own version is refused: a person may quote and choose examples, but not drop what must stay."""
    checks = (
        _unknown_source(task, prompt),
        _unchanged(old, prompt), _lost_parts(task, old, prompt), _too_long(prompt), _touches_rules(rules, old, prompt),
    )  # fmt: skip
    return next((reason for reason in checks if reason), None)


def _unchanged(old: TaskPrompt, new: TaskPrompt) -> str | None:
    return "is the same as the prompt in force" if old == new else None


def _lost_parts(task: Task, old: TaskPrompt, new: TaskPrompt) -> str | None:
    for name in task.variables:
        if f"{{{name}}}" in old.prompt and f"{{{name}}}" not in new.prompt:
            return f"drops the variable {{{name}}}"
    for text in old.locked:
        if text not in new.prompt:
            return f"drops the locked text {text[:60]!r}"
    if new.locked != old.locked:
        return "changes what is locked"
    return None


def _too_long(new: TaskPrompt) -> str | None:
    if len(new.prompt) > MAX_PROMPT_CHARS:
        return f"is longer than {MAX_PROMPT_CHARS} characters"
    if len(new.examples) > MAX_EXAMPLES:
        return f"has more than {MAX_EXAMPLES} examples"
    return None


def _touches_rules(rules: Rules, old: TaskPrompt, new: TaskPrompt) -> str | None:
    before, after = _normal(old.prompt), _normal(new.prompt)
    if "behavior_rules" in after or "rules (never break)" in new.prompt.lower():
        return "speaks of the pinned rules"
    for rule in rules.rules:
        if _normal(rule) in after and _normal(rule) not in before:
            return f"restates the pinned rule {rule[:60]!r}"
    if re.search(r"\b(ignore|disregard|override|forget)\b.{0,40}\b(rules?|instructions?)\b", after) and not re.search(
        r"\b(ignore|disregard|override|forget)\b.{0,40}\b(rules?|instructions?)\b", before
    ):
        return "speaks of ignoring rules or instructions"
    return None


def _quotes(failures: Sequence[FailureBundle], old: TaskPrompt, new: TaskPrompt) -> str | None:
    texts = [text for failure in failures for text in (failure.input, failure.output)]
    known = _spans([old.prompt])
    for text in texts:
        for span in _spans([text]) & _spans([new.prompt]) - known:
            return f"quotes a failed run: {' '.join(span)!r}"
        for found in _personal(text):
            if found in new.prompt and found not in old.prompt:
                return f"holds {found!r} of a failed run"
    return None


def _personal(text: str) -> list[str]:
    """E-mail addresses, phone numbers and identifiers (words with four digits in a row) in `text`."""
    found = _PHONE.findall(text)
    for word in text.split():
        if len(word) <= LONGEST_PERSONAL:
            found += _MAIL.findall(word) + _IDENTIFIER.findall(word)
    return found


def _unknown_source(task: Task, new: TaskPrompt) -> str | None:
    known = {SOLVED_CASES, *(source.name for source in task.context_sources)}
    unknown = [step.source for step in new.context if step.source not in known]
    return f"fetches from {unknown[0]!r}, which is no source of the task" if unknown else None


def _foreign_examples(situation: Situation, new: TaskPrompt) -> str | None:
    allowed = [*situation.bench.solved.all(), *situation.prompt.examples]
    if any(example not in allowed for example in new.examples):
        return "has an example that is not one of the solved cases"
    return None


def _normal(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _spans(texts: Iterable[str]) -> set[tuple[str, ...]]:
    spans = set()
    for text in texts:
        words = _WORD.findall(text.lower())
        spans |= {tuple(words[i : i + SPAN]) for i in range(len(words) - SPAN + 1)}
    return spans
