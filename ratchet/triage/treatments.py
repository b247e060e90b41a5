"""Treatments: single changes to one component's prompt, tried to learn what a failed run lacked."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ratchet.evaluators import derived_requirements
from ratchet.prompting import Example, TaskPrompt, TaskPrompts
from ratchet.prompting.changes import SIMILAR, with_requirements, with_source
from ratchet.sources.solved_cases import NAME as SOLVED_CASES
from ratchet.tasks import Task

Kind = Literal["context", "prompt", "both"]
DEPTHS = (1, 3)
"""Documents the context treatments fetch, one after the other: a small model needs the one right document, a query that
is less precise needs several. Where the prompt fetches some already, twice as many as it does."""
DEEPEST = 64
"""Documents that a context step may fetch at most."""
STAGES = 6


class Treatment(NamedTuple):
    """A changed prompt of one component and what its success would mean."""

    name: str
    kind: Kind
    component: str
    prompt: TaskPrompt
    source: str | None = None


class Lack(NamedTuple):
    """What is known of a failed run before anything is tried."""

    failed: Sequence[str]
    """Names of the criteria that failed."""
    solved: int
    """Solved cases that could be shown as examples."""
    answers: Sequence[Example] = ()
    """A solved case of each possible answer, where these are few."""


Stage = list[Treatment]
"""Treatments that are tried at the same time; the next stage only where none of them helps."""


def plan(task: Task, prompts: TaskPrompts, components: Sequence[str], lack: Lack) -> list[Stage]:
    """The stages of experiments on a failed run, cheapest and most telling first.

    Stated requirements, then the best document of each source, then similar solved cases, then one of each answer, then
    deeper retrieval, then retrieval and wording together. Each treatment changes one of `components`, the one that
    wrote the output given first; solved cases are shown to that one only, as they are whole inputs with whole outputs.
    What would change nothing is left out.
    """
    stages: list[Stage] = [[] for _ in range(STAGES)]
    for place, component in enumerate(components):
        own = lack if place == 0 else lack._replace(solved=0, answers=())
        label = f"{component}: " if len(components) > 1 else ""
        for stage, treatments in zip(stages, _stages(task, prompts[component], own), strict=True):
            stage += [
                treatment._replace(name=label + treatment.name, component=component)
                for treatment in treatments
                if treatment.prompt != prompts[component]
            ]
    return [stage for stage in stages if stage]


def _stages(task: Task, prompt: TaskPrompt, lack: Lack) -> list[Stage]:
    wording, examples = _requirements(task, prompt, lack), _examples(prompt, lack)
    shallow, deep = _retrievals(task, prompt)
    return [wording, shallow, examples, _answers(prompt, lack), deep, _combinations(shallow, wording, examples)]


def _requirements(task: Task, prompt: TaskPrompt, lack: Lack) -> Stage:
    changed = with_requirements(prompt, derived_requirements(task, lack.failed))
    return [] if changed == prompt else [Treatment("requirements", "prompt", "", changed)]


def _examples(prompt: TaskPrompt, lack: Lack) -> Stage:
    shown = max((step.top_k for step in prompt.context if step.source == SOLVED_CASES), default=0)
    if not lack.solved or shown >= SIMILAR:
        return []
    return [Treatment("examples", "prompt", "", with_source(prompt, SOLVED_CASES, SIMILAR))]


def _answers(prompt: TaskPrompt, lack: Lack) -> Stage:
    """Words that are alike say little about which cases are of a kind; where answers are few, all can be shown."""
    if {example.output for example in lack.answers} <= {example.output for example in prompt.examples}:
        return []
    changed = prompt.model_copy(update={"examples": list(lack.answers)})
    return [Treatment("an example of each answer", "prompt", "", changed)]


def _retrievals(task: Task, prompt: TaskPrompt) -> tuple[Stage, Stage]:
    depths = {step.source: step.top_k for step in prompt.context}
    shallow: Stage = []
    deep: Stage = []
    for source in task.context_sources:
        now = depths.get(source.name)
        first, *rest = DEPTHS if now is None else (min(DEEPEST, 2 * now),)
        shallow.append(_retrieval(prompt, source.name, first))
        deep += [_retrieval(prompt, source.name, depth) for depth in rest]
    return shallow, deep


def _retrieval(prompt: TaskPrompt, source: str, depth: int) -> Treatment:
    deeper = f" (best {depth})" if depth != DEPTHS[0] else ""
    return Treatment(f"context:{source}{deeper}", "context", "", with_source(prompt, source, depth), source)


def _combinations(retrievals: Stage, wording: Stage, examples: Stage) -> Stage:
    """Each retrieval together with all that the wording could say."""
    extra = [*wording, *examples]
    return [
        Treatment(
            " + ".join([retrieval.name, *(item.name for item in extra)]),
            "both",
            "",
            _join(retrieval.prompt, wording, examples),
            retrieval.source,
        )
        for retrieval in retrievals
        if extra
    ]


def _join(prompt: TaskPrompt, wording: Stage, examples: Stage) -> TaskPrompt:
    if wording:
        prompt = prompt.model_copy(update={"prompt": wording[0].prompt.prompt})
    return with_source(prompt, SOLVED_CASES, SIMILAR) if examples else prompt
