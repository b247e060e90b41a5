"""What a candidate must keep and must not outgrow, whatever it says."""

from ratchet.prompting import TaskPrompt
from ratchet.sources.solved_cases import NAME as SOLVED_CASES
from ratchet.tasks import Task

MAX_EXAMPLES = 32


def no_change(old: TaskPrompt, new: TaskPrompt) -> str | None:
    """Why `new` is no change."""
    return "is the same as the prompt in force" if old == new else None


def lost_parts(task: Task, old: TaskPrompt, new: TaskPrompt) -> str | None:
    """Which variable or locked text is gone."""
    for name in task.variables:
        if f"{{{name}}}" in old.prompt and f"{{{name}}}" not in new.prompt:
            return f"drops the variable {{{name}}}"
    for text in old.locked:
        if text not in new.prompt:
            return f"drops the locked text {text[:60]!r}"
    if new.locked != old.locked:
        return "changes what is locked"
    return None


def too_long(task: Task, old: TaskPrompt, new: TaskPrompt) -> str | None:
    """Which cap is passed; a prompt that was longer before may stay so, and get shorter."""
    if len(new.prompt) > max(task.limits.prompt_chars, len(old.prompt)):
        return f"is longer than {task.limits.prompt_chars} characters"
    if len(new.examples) > MAX_EXAMPLES:
        return f"has more than {MAX_EXAMPLES} examples"
    return None


def unknown_source(task: Task, new: TaskPrompt) -> str | None:
    """Which context step fetches from nowhere."""
    known = {SOLVED_CASES, *(source.name for source in task.context_sources)}
    unknown = [step.source for step in new.context if step.source not in known]
    return f"fetches from {unknown[0]!r}, which is no source of the task" if unknown else None
