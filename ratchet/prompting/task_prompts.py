"""The task prompts of ``task_prompts.json``: what an applied change rewrites and nothing else does."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ratchet.config.files import StrictModel, parse_json, read_text, validate
from ratchet.errors import ConfigurationError
from ratchet.text import whole_text


class Example(StrictModel):
    """One solved exchange, shown to the model as a user turn and an assistant turn."""

    input: str
    output: str


class ContextStep(StrictModel):
    """A retrieval before the model is called."""

    source: str
    query: str = "{input}"
    """What is searched for; ``{input}`` stands for the run's input."""
    top_k: Annotated[int, Field(ge=1, le=64)] = 3


class TaskPrompt(StrictModel):
    """All that the loop may change about one component."""

    prompt: Annotated[str, Field(min_length=1)]
    examples: list[Example] = []
    context: list[ContextStep] = []
    locked: list[str] = []
    """Text that every version has to keep verbatim."""

    def as_json(self) -> dict[str, Any]:
        """The form it has in the file; keys that say nothing are left out."""
        return self.model_dump(exclude_defaults=True)

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON form."""
        return content_hash(self.as_json())


def content_hash(value: Any) -> str:
    """SHA-256 over `value` as canonical JSON (sorted keys, no white space)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def change_hash(before: TaskPrompt, after: TaskPrompt) -> str:
    """What an answer may name to say which change it is for."""
    return content_hash([before.as_json(), after.as_json()])[:16]


TaskPrompts = dict[str, TaskPrompt]


def parse_prompts(text: str, file: Path | str) -> TaskPrompts:
    """The prompts in `text`, by component name.

    Raises:
        ConfigurationError: wrong shape, naming `file`, the component and the key.
    """
    data = parse_json(text, file)
    if not isinstance(data, dict) or not data:
        raise ConfigurationError(f'{file}: expected an object such as {{"NAME": "prompt text"}}')
    prompts: TaskPrompts = {}
    for name, value in data.items():
        if whole_text(name) != name:
            raise ConfigurationError(f"{file}: the name {name!r:.80} holds half of a surrogate pair, which no file can")
        form = {"prompt": value} if isinstance(value, str) else value
        prompts[name] = validate(TaskPrompt, form, f"{file}: {name}")
        _check_locked(prompts[name], f"{file}: {name}")
    return prompts


def _check_locked(prompt: TaskPrompt, where: str) -> None:
    for text in prompt.locked:
        if text not in prompt.prompt:
            raise ConfigurationError(f"{where}: the locked text {text[:60]!r} is not in the prompt")


def load_prompts(file: Path) -> TaskPrompts:
    """The prompts of a file; see `parse_prompts`."""
    return parse_prompts(read_text(file), file)


def with_component(text: str, component: str, prompt: TaskPrompt) -> str:
    """The file's `text` with one component replaced; the other components keep the form they had."""
    data = json.loads(text)
    data[component] = prompt.as_json()
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def describe_prompt(prompt: TaskPrompt) -> str:
    """The prompt as lines a person can compare: text, context steps, examples."""
    lines = prompt.prompt.splitlines()
    lines += [f"[context] {step.source}: query {step.query!r}, top {step.top_k}" for step in prompt.context]
    for example in prompt.examples:
        lines += [f"[example] user: {example.input}", f"[example] assistant: {example.output}"]
    lines += [f"[locked] {text}" for text in prompt.locked]
    return "\n".join(lines)
