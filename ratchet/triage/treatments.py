"""Treatments: single changes to a prompt, tried to learn what a failure lacked."""

from typing import Literal, NamedTuple

from ratchet.evaluators import requirement
from ratchet.prompting import ContextStep, TaskPrompt
from ratchet.sources.solved_cases import NAME as SOLVED_CASES
from ratchet.tasks import Task

Kind = Literal["context", "prompt", "both"]
DEPTHS = (1, 3)
"""Documents the context treatments fetch, one after the other: a small model needs the one right document, a query that
is less precise needs several. Where the prompt fetches some already, twice as many as it does."""
DEEPEST = 64
"""Documents that a context step may fetch at most."""
SIMILAR = 4
"""Solved cases an examples treatment shows."""


class Treatment(NamedTuple):
    """A changed prompt and what its success would mean."""

    name: str
    kind: Kind
    prompt: TaskPrompt
    source: str | None = None


def with_source(prompt: TaskPrompt, source: str, top_k: int, query: str = "{input}") -> TaskPrompt:
    """`prompt` fetching `top_k` documents from `source`; an earlier step for that source is replaced."""
    kept = [step for step in prompt.context if step.source != source]
    step = ContextStep(source=source, query=query, top_k=top_k)
    return prompt.model_copy(update={"context": [*kept, step]})


def with_requirements(prompt: TaskPrompt, sentences: list[str]) -> TaskPrompt:
    """`prompt` with the sentences it does not hold yet, one per line at its end."""
    new = [sentence for sentence in sentences if sentence not in prompt.prompt]
    return prompt.model_copy(update={"prompt": "\n".join([prompt.prompt, *new])}) if new else prompt


def derived_requirements(task: Task, failed: list[str]) -> list[str]:
    """The requirements of the failed criteria, in the task's order; criteria without wording are left out."""
    found = [requirement(criterion) for criterion in task.criteria if criterion.name in failed]
    return [sentence for sentence in found if sentence]


def single_treatments(task: Task, prompt: TaskPrompt, failed: list[str], solved: int) -> list[Treatment]:
    """One treatment per context source and depth, derived requirements, similar solved cases.

    Those that change nothing are left out.
    """
    depths = {step.source: step.top_k for step in prompt.context}
    found = [
        Treatment(
            f"context:{source.name}" + (f" (best {depth})" if step else ""),
            "context",
            with_source(prompt, source.name, depth),
            source.name,
        )
        for source in task.context_sources
        for step, depth in enumerate(_next_depths(depths.get(source.name)))
    ]
    sentences = derived_requirements(task, failed)
    if sentences:
        found.append(Treatment("requirements", "prompt", with_requirements(prompt, sentences)))
    if solved and depths.get(SOLVED_CASES, 0) < SIMILAR:
        found.append(Treatment("examples", "prompt", with_source(prompt, SOLVED_CASES, SIMILAR)))
    return [treatment for treatment in found if treatment.prompt != prompt]


def _next_depths(now: int | None) -> tuple[int, ...]:
    return DEPTHS if now is None else (min(DEEPEST, 2 * now),)


def combined_treatments(task: Task, prompt: TaskPrompt, failed: list[str], solved: int) -> list[Treatment]:
    """Each context source together with requirements and similar solved cases."""
    singles = single_treatments(task, prompt, failed, solved)
    wording = [treatment for treatment in singles if treatment.kind == "prompt"]
    if not wording:
        return []
    base = with_requirements(prompt, derived_requirements(task, failed))
    if any(treatment.name == "examples" for treatment in wording):
        base = with_source(base, SOLVED_CASES, SIMILAR)
    first = {str(item.source): item for item in reversed(singles) if item.source}
    return [
        Treatment(
            f"{treatment.name} + {' + '.join(item.name for item in wording)}",
            "both",
            with_source(base, source, treatment.prompt.context[-1].top_k),
            source,
        )
        for source, treatment in first.items()
    ]
