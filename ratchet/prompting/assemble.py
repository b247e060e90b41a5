"""The messages a model gets: always built here, from rules, prompt, documents, examples and input."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from prompts import substitute
from ratchet.prompting.rules import Rules
from ratchet.prompting.task_prompts import Example, TaskPrompt

DOCUMENTS_HEADING = "\n\nThe answer is in this text:\n"
"""What stands before fetched documents; measured, see docs/decisions.md."""


class Message(TypedDict):
    """One chat message in the form of the OpenAI protocol."""

    role: str
    content: str


def system_prompt(rules: Rules, prompt: TaskPrompt, documents: Sequence[str], variables: Mapping[str, str]) -> str:
    """Rules first (no such section where there are none), then the task, then fetched documents."""
    text = f"TASK:\n{substitute(prompt.prompt, variables)}"
    if rules.rules:
        text = f"RULES (never break):\n{rules.as_text()}\n{text}"
    if documents:
        text += DOCUMENTS_HEADING + "\n\n".join(documents)
    return text


def build_messages(
    rules: Rules,
    prompt: TaskPrompt,
    text: str,
    *,
    documents: Sequence[str] = (),
    examples: Sequence[Example] = (),
    variables: Mapping[str, str] | None = None,
) -> list[Message]:
    """System prompt, the prompt's own examples and the fetched `examples` as chat turns, then the input `text`.

    The most similar fetched example should come last in `examples`, next to the input.
    """
    messages: list[Message] = [{"role": "system", "content": system_prompt(rules, prompt, documents, variables or {})}]
    for example in (*prompt.examples, *examples):
        messages += [
            {"role": "user", "content": example.input},
            {"role": "assistant", "content": example.output},
        ]
    messages.append({"role": "user", "content": text})
    return messages
