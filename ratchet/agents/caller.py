"""One component's call: fetch its context, build its messages, ask the model, note every step."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prompts import substitute
from ratchet.errors import ConfigurationError, SourceError
from ratchet.llm import Models
from ratchet.prompting import ContextStep, Example, Rules, TaskPrompt, TaskPrompts, build_messages
from ratchet.records import Step
from ratchet.sources import SolvedCases, Source
from ratchet.sources.solved_cases import NAME as SOLVED_CASES
from ratchet.tasks import Task

FETCH_SECONDS = 15.0
"""A source that takes longer is given up."""


@dataclass
class ComponentCaller:
    """Calls components of one run with the prompts of that run; `trace` grows with each step.

    An agent of several steps gets this object and awaits it once per step: ``await call("planner", text)``.
    """

    task: Task
    rules: Rules
    prompts: TaskPrompts
    models: Models
    sources: Mapping[str, Source]
    solved: SolvedCases
    repeat: int | None = 0
    trace: list[Step] = field(default_factory=list)

    async def __call__(self, component: str, text: str, variables: Mapping[str, Any] | None = None) -> str:
        """The component's answer to `text`.

        Raises:
            ConfigurationError: unknown component or source, or a variable without a value.
            ModelError, SourceError: the model or a source did not answer.
        """
        prompt = self._prompt(component)
        documents, examples = await self._fetch(component, prompt, text)
        messages = build_messages(
            self.rules,
            prompt,
            text,
            documents=documents,
            examples=examples,
            variables=self._values(text, variables),
        )
        reply = await self.models.reply(
            "agent",
            messages,
            repeat=self.repeat,
            max_tokens=self.task.agent.max_tokens,
            temperature=self.task.agent.temperature,
        )
        answer = reply.text if self.task.agent.keep_reasoning else reply.answer
        self.trace.append(
            Step(
                kind="model",
                component=component,
                input=messages,
                output=answer,
                seconds=round(reply.seconds, 4),
                input_tokens=reply.input_tokens,
                output_tokens=reply.output_tokens,
                reused=reply.reused,
                ending=reply.ending,
            )
        )
        return answer

    def _prompt(self, component: str) -> TaskPrompt:
        try:
            return self.prompts[component]
        except KeyError:
            known = ", ".join(sorted(self.prompts))
            raise ConfigurationError(
                f"task {self.task.name}: no prompt for {component!r} (there are: {known})"
            ) from None

    def _values(self, text: str, given: Mapping[str, Any] | None) -> dict[str, str]:
        if not self.task.variables:
            return {}
        values = {"input": text, **_object(text), **(given or {})}
        missing = [name for name in self.task.variables if name not in values]
        if missing:
            raise ConfigurationError(
                f"task {self.task.name}: no value for the variable {missing[0]!r}; "
                "the input has to be a JSON object with a key of that name"
            )
        return {name: _as_text(values[name]) for name in self.task.variables}

    async def _fetch(self, component: str, prompt: TaskPrompt, text: str) -> tuple[list[str], list[Example]]:
        documents: list[str] = []
        examples: list[Example] = []
        for step in prompt.context:
            started = time.perf_counter()
            query = substitute(step.query, {"input": text})
            if step.source == SOLVED_CASES:
                turns = await self.solved.similar(query, step.top_k, text)
                examples += turns
                found = [turn.model_dump() for turn in turns]
            else:
                texts = await self._search(step, query)
                documents += [piece for piece in texts if piece not in documents]
                found = [{"text": piece} for piece in texts]
            self.trace.append(
                Step(
                    kind="retrieval",
                    component=component,
                    input={"source": step.source, "query": query, "top_k": step.top_k},
                    output=found,
                    seconds=round(time.perf_counter() - started, 4),
                )
            )
        return documents, examples

    async def _search(self, step: ContextStep, query: str) -> list[str]:
        source = self.sources.get(step.source)
        if source is None:
            raise ConfigurationError(f"task {self.task.name}: no context source {step.source!r}")
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return [document.text for document in await source.fetch(query, step.top_k)]
        except TimeoutError as error:
            raise SourceError(f"context source {step.source!r}: no answer within {FETCH_SECONDS:g} s") from error


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _as_text(value: Any) -> str:
    """A value as it stands in a prompt: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
