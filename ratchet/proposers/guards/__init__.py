"""What a candidate must not be. A candidate that breaks a guard is refused with a reason, never repaired.

Wording is judged by the sentences that are new: what the prompt in force says already, and what the task's own criteria
ask for, is the user's.
"""

from ratchet.evaluators import requirement
from ratchet.prompting import Rules, TaskPrompt
from ratchet.proposers.guards.pinned import touches_rules
from ratchet.proposers.guards.quoting import foreign_examples, holds_personal, quotes
from ratchet.proposers.guards.readings import fresh_sentences
from ratchet.proposers.guards.shape import lost_parts, no_change, too_long, unknown_source
from ratchet.proposers.guards.wording import hidden_characters, same_answer, speaks_to_judge
from ratchet.proposers.proposer import Situation
from ratchet.tasks import Task

__all__ = ["edit_refusal", "refusal"]


def refusal(situation: Situation, prompt: TaskPrompt) -> str | None:
    """Why the candidate `prompt` is refused, None where it is not."""
    old, task, failures = situation.prompt, situation.bench.task, situation.failures
    own = _own_words(task, old)
    checks = (
        unknown_source(task, prompt),
        _said_by_anyone(task, situation.bench.rules, old, prompt),
        same_answer(fresh_sentences(prompt.prompt, own), prompt.prompt),
        holds_personal(failures, own, [prompt.prompt]),
        quotes(failures, own, prompt.prompt),
        foreign_examples(situation.bench.solved.all(), failures, old, prompt),
    )
    return next((reason for reason in checks if reason), None)


def edit_refusal(task: Task, rules: Rules, old: TaskPrompt, prompt: TaskPrompt) -> str | None:
    """Why a reviewer's own version is refused: a person may quote and choose examples, but not drop what must stay."""
    return unknown_source(task, prompt) or _said_by_anyone(task, rules, old, prompt)


def _said_by_anyone(task: Task, rules: Rules, old: TaskPrompt, prompt: TaskPrompt) -> str | None:
    """What is refused from a strategy and from a person alike."""
    own = _own_words(task, old)
    fresh = fresh_sentences(prompt.prompt, own)
    checks = (
        no_change(old, prompt),
        lost_parts(task, old, prompt),
        too_long(task, old, prompt),
        hidden_characters(old.prompt, prompt.prompt),
        touches_rules(rules, old.prompt, prompt.prompt, fresh),
        speaks_to_judge(fresh, "\n".join(own)),
    )
    return next((reason for reason in checks if reason), None)


def _own_words(task: Task, old: TaskPrompt) -> list[str]:
    """Texts of the user that a candidate may repeat."""
    wanted = [requirement(criterion) for criterion in task.criteria]
    return [old.prompt, task.description, *(sentence for sentence in wanted if sentence)]
