import pytest
from pydantic import ValidationError

from ratchet.prompting import ContextStep, Example, TaskPrompt
from ratchet.prompting.changes import with_requirements, with_source

FULL = TaskPrompt(
    prompt="Answer. Keep it.",
    examples=[Example(input="i", output="o")],
    context=[ContextStep(source="handbook", top_k=2), ContextStep(source="faq")],
    locked=["Keep it."],
)


def test_with_source_adds_a_step_and_keeps_the_rest() -> None:
    changed = with_source(FULL, "prices", 4)

    assert changed.context == [*FULL.context, ContextStep(source="prices", query="{input}", top_k=4)]
    assert changed.model_copy(update={"context": FULL.context}) == FULL


def test_with_source_fetches_from_a_source_once() -> None:
    changed = with_source(FULL, "handbook", 4, "about {input}")

    assert changed.context == [
        ContextStep(source="faq"), ContextStep(source="handbook", query="about {input}", top_k=4),
    ]  # fmt: skip


def test_with_source_leaves_the_prompt_in_force_as_it_is() -> None:
    before = FULL.model_dump()

    with_source(FULL, "handbook", 9)
    with_requirements(FULL, ["Be brief."])

    assert FULL.model_dump() == before


@pytest.mark.parametrize("top_k", [0, 65])
def test_with_source_refuses_a_depth_that_no_file_may_have(top_k: int) -> None:
    with pytest.raises(ValidationError):
        with_source(FULL, "handbook", top_k)


def test_with_requirements_puts_each_sentence_on_a_line_at_the_end() -> None:
    changed = with_requirements(FULL, ["Be brief.", "Name the menu."])

    assert changed.prompt == "Answer. Keep it.\nBe brief.\nName the menu."
    assert changed.model_copy(update={"prompt": FULL.prompt}) == FULL


@pytest.mark.parametrize("sentences", [[], ["Keep it."], ["Answer.", "Keep it."]])
def test_with_requirements_says_nothing_twice(sentences: list[str]) -> None:
    assert with_requirements(FULL, sentences) == FULL


def test_with_requirements_says_the_same_of_two_criteria_once() -> None:
    assert with_requirements(FULL, ["Be brief.", "Keep it.", "Be brief."]).prompt == "Answer. Keep it.\nBe brief."


def test_with_requirements_again_changes_nothing() -> None:
    once = with_requirements(FULL, ["Be brief.", "Name the menu."])

    assert with_requirements(once, ["Name the menu.", "Be brief."]) == once
