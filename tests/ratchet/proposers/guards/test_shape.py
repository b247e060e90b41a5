from typing import Any

import pytest
from shop import TASK, Project

from ratchet.prompting import ContextStep, Example, TaskPrompt
from ratchet.proposers.guards.shape import MAX_EXAMPLES, lost_parts, no_change, too_long, unknown_source
from ratchet.tasks import Task, load_task

OLD = TaskPrompt(prompt="Answer in {tone} words. Keep it legal.", locked=["Keep it legal."])


@pytest.fixture
def task(project: Project) -> Task:
    project.write_task(toml='variables = ["tone", "place"]\n' + TASK + "[limits]\nprompt_chars = 100\n")
    return load_task(project.folder / "tasks", "shop")


def changed(**parts: Any) -> TaskPrompt:
    return OLD.model_copy(update=parts)


def examples(count: int) -> list[Example]:
    return [Example(input=str(number), output="o") for number in range(count)]


@pytest.mark.parametrize(
    "parts", [{"prompt": OLD.prompt + " "}, {"examples": examples(1)}, {"context": [ContextStep(source="handbook")]}]
)
def test_any_part_that_differs_is_a_change(parts: dict[str, Any]) -> None:
    assert no_change(OLD, changed(**parts)) is None
    assert no_change(OLD, OLD.model_copy(deep=True)) == "is the same as the prompt in force"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Answer in { tone } words. Keep it legal.", "drops the variable {tone}"),
        ("Answer in {Tone} words. Keep it legal.", "drops the variable {tone}"),
        ("Answer in tone words. Keep it legal.", "drops the variable {tone}"),
        ("Answer in {tone} words. Keep it  legal.", "drops the locked text 'Keep it legal.'"),
        ("Be brief, in {tone}. Keep it legal. Name the {place}.", None),
    ],
)
def test_variables_and_locked_text_have_to_stay_to_the_letter(task: Task, text: str, reason: str | None) -> None:
    assert lost_parts(task, OLD, changed(prompt=text)) == reason


def test_variable_that_was_not_used_may_stay_unused(task: Task) -> None:
    old = TaskPrompt(prompt="Answer.")

    assert lost_parts(task, old, TaskPrompt(prompt="Answer briefly.")) is None


@pytest.mark.parametrize("locked", [[], ["Keep it"], ["Keep it legal.", "Answer"]])
def test_what_is_locked_is_for_people_to_say(task: Task, locked: list[str]) -> None:
    assert lost_parts(task, OLD, changed(locked=locked)) == "changes what is locked"


def test_reason_shows_the_beginning_of_a_long_locked_text(task: Task) -> None:
    old = TaskPrompt(prompt="x" * 300, locked=["x" * 300])

    assert lost_parts(task, old, TaskPrompt(prompt="y", locked=old.locked)) == f"drops the locked text {'x' * 60!r}"


@pytest.mark.parametrize(("before", "after", "refused"), [(10, 100, False), (10, 101, True), (150, 150, False),
                                                           (150, 120, False), (150, 151, True)])  # fmt: skip
def test_prompt_may_be_as_long_as_the_limit_or_as_it_was(task: Task, before: int, after: int, refused: bool) -> None:
    reason = too_long(task, TaskPrompt(prompt="x" * before), TaskPrompt(prompt="x" * after))

    assert reason == ("is longer than 100 characters" if refused else None)


def test_number_of_examples_is_bounded(task: Task) -> None:
    assert too_long(task, OLD, changed(examples=examples(MAX_EXAMPLES))) is None
    assert too_long(task, OLD, changed(examples=examples(MAX_EXAMPLES + 1))) == "has more than 32 examples"


@pytest.mark.parametrize(
    ("sources", "reason"),
    [
        ([], None),
        (["handbook", "solved_cases"], None),
        (["handbook", "Handbook"], "fetches from 'Handbook', which is no source of the task"),
        (["web"], "fetches from 'web', which is no source of the task"),
    ],
)
def test_context_is_fetched_from_sources_of_the_task_only(task: Task, sources: list[str], reason: str | None) -> None:
    steps = [ContextStep(source=source) for source in sources]

    assert unknown_source(task, changed(context=steps)) == reason
