"""Changes of one prompt that triage tries and proposers propose."""

from ratchet.prompting.task_prompts import ContextStep, TaskPrompt

SIMILAR = 4
"""Solved cases an examples treatment shows."""


def with_source(prompt: TaskPrompt, source: str, top_k: int, query: str = "{input}") -> TaskPrompt:
    """`prompt` fetching `top_k` documents from `source`; an earlier step for that source is replaced."""
    kept = [step for step in prompt.context if step.source != source]
    step = ContextStep(source=source, query=query, top_k=top_k)
    return prompt.model_copy(update={"context": [*kept, step]})


def with_requirements(prompt: TaskPrompt, sentences: list[str]) -> TaskPrompt:
    """`prompt` with the sentences it does not hold yet, each once, one per line at its end."""
    new = [sentence for sentence in dict.fromkeys(sentences) if sentence not in prompt.prompt]
    return prompt.model_copy(update={"prompt": "\n".join([prompt.prompt, *new])}) if new else prompt
