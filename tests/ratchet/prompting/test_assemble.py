"""Assembled messages: as they are built from parts, and as the agent's model gets them in whole runs."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import OpenEngine, Project

from ratchet.prompting import Example, Rules, TaskPrompt, build_messages, system_prompt

RULES = Rules(rules=("Never lie.", "Stay {polite}."), hash="h")
SNAPSHOTS = Path(__file__).parent / "snapshots"
CASES = [
    {"input": "Where is the red lamp kept?", "expected": "attic", "split": "train"},
    {"input": "What does the lamp cost?", "expected": "9 euros", "split": "train"},
    {"input": "Who made the sofa?", "expected": "Ada", "split": "train"},
    {"input": "Where is the green lamp kept?", "expected": "never shown", "split": "holdout"},
]
DOCUMENTS = {
    "lamps.md": "The blue lamp is kept in the {cellar}.\n\nAll lamps are old.",
    "keys.md": "Keys and lamps are kept apart, for the key may be lost or stolen by a visitor.",
    "sofas.md": "The sofa costs 90 euros.",
}
SHAPES: dict[str, Any] = {
    "bare": "Answer the question.",
    "documents": {"prompt": "Answer the question.", "context": [{"source": "handbook", "top_k": 2}]},
    "solved_cases": {"prompt": "Answer the question.", "context": [{"source": "solved_cases", "top_k": 2}]},
    "everything": {
        "prompt": "Answer the question.\nAnswer in at most 5 words.",
        "examples": [{"input": "Where is the {key} kept?", "output": "cellar"}],
        "context": [{"source": "solved_cases", "top_k": 1}, {"source": "handbook", "query": "{input}", "top_k": 1}],
        "locked": ["Answer the question."],
    },
}
texts = st.text(st.sampled_from("ab {}!\n$%") | st.characters(exclude_categories=["Cs"]), max_size=30)
hostile = st.sampled_from(
    [
        "{a}",
        "{b}",
        "{a.__class__}",
        "{{a}}",
        "{0}",
        "%(a)s",
        "${a}",
        "$a",
        "{% if a %}",
        "{{ 7*7 }}",
        "\\g<0>",
        "{",
        "}",
    ]
)
anything = st.lists(texts | hostile, min_size=1, max_size=4).map("".join)


def test_build_messages_of_a_bare_prompt() -> None:
    assert build_messages(RULES, TaskPrompt(prompt="Answer."), "When?") == [
        {"role": "system", "content": "RULES (never break):\n- Never lie.\n- Stay {polite}.\nTASK:\nAnswer."},
        {"role": "user", "content": "When?"},
    ]


def test_build_messages_with_everything() -> None:
    prompt = TaskPrompt(
        prompt="Answer as {tone} in {unknown}.", examples=[Example(input="own in", output="own out")], locked=["Answer"]
    )
    messages = build_messages(
        RULES,
        prompt,
        "{tone}?",
        documents=["First {tone}.", "Second."],
        examples=[Example(input="far", output="1"), Example(input="near", output="2")],
        variables={"tone": "{unknown}"},
    )
    assert messages == [
        {
            "role": "system",
            "content": "RULES (never break):\n- Never lie.\n- Stay {polite}.\nTASK:\n"
            "Answer as {unknown} in {unknown}.\n\nThe answer is in this text:\nFirst {tone}.\n\nSecond.",
        },
        {"role": "user", "content": "own in"},
        {"role": "assistant", "content": "own out"},
        {"role": "user", "content": "far"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "near"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "{tone}?"},
    ]


def test_system_prompt_without_rules_has_no_such_section() -> None:
    text = system_prompt(Rules(rules=(), hash="h"), TaskPrompt(prompt="Do it."), [], {})
    assert text == "TASK:\nDo it."


def test_system_prompt_never_interprets_documents_or_rules() -> None:
    text = system_prompt(RULES, TaskPrompt(prompt="{x}"), ["{x}"], {"x": "value", "polite": "rude"})
    assert (
        text == "RULES (never break):\n- Never lie.\n- Stay {polite}.\nTASK:\nvalue\n\nThe answer is in this text:\n{x}"
    )


@given(st.lists(anything, min_size=1, max_size=4), anything, st.lists(anything, max_size=3), anything)
def test_rules_come_first_word_for_word_whatever_follows(
    rules: list[str], prompt: str, documents: list[str], value: str
) -> None:
    messages = build_messages(
        Rules(rules=tuple(rules), hash="h"),
        TaskPrompt(prompt=f"Answer. {prompt}"),
        value,
        documents=documents,
        examples=[Example(input=value, output=value)],
        variables={"a": value, "b": "{a}"},
    )

    section = "".join(f"- {rule}\n" for rule in rules)
    assert messages[0]["content"].startswith(f"RULES (never break):\n{section}TASK:\n")
    assert [message["role"] for message in messages].count("system") == 1


@given(anything, anything, st.lists(anything, min_size=1, max_size=3))
def test_no_text_is_executed_or_filled_in_as_a_template(value: str, text: str, documents: list[str]) -> None:
    messages = build_messages(
        Rules(rules=(), hash="h"),
        TaskPrompt(prompt="<{a}>"),
        text,
        documents=documents,
        examples=[Example(input=text, output=value)],
        variables={"a": value, "b": "never shown"},
    )

    shown = "\n\n".join(documents)
    assert [message["content"] for message in messages] == [
        f"TASK:\n<{value}>\n\nThe answer is in this text:\n{shown}", text, value, text,
    ]  # fmt: skip


@given(st.lists(st.tuples(anything, anything), max_size=5), st.integers(0, 5), anything)
def test_examples_are_turns_and_the_input_is_the_last(turns: list[tuple[str, str]], own: int, text: str) -> None:
    examples = [Example(input=said, output=answer) for said, answer in turns]

    messages = build_messages(
        RULES, TaskPrompt(prompt="Answer.", examples=examples[:own]), text, examples=examples[own:]
    )

    assert [message["role"] for message in messages] == ["system", *["user", "assistant"] * len(turns), "user"]
    assert [message["content"] for message in messages[1:]] == [*(part for turn in turns for part in turn), text]


@pytest.mark.anyio
@pytest.mark.parametrize("shape", SHAPES)
async def test_run_sends_the_messages_of_the_snapshot(project: Project, open_engine: OpenEngine, shape: str) -> None:
    """A snapshot that is missing is written, and the test fails once: look at the file before you keep it."""
    shutil.rmtree(project.folder / "tasks/shop/documents")
    project.write_task(cases=CASES, documents=DOCUMENTS)
    project.write_prompts({"shop": SHAPES[shape]})
    script = project.script("agent", "cellar")
    engine = await open_engine()
    bench = await engine.workbench("shop")

    await engine.run(bench, "Where is the blue lamp kept?", prompts=bench.prompts)

    (messages,) = script.calls
    shown = "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in messages) + "\n"
    file = SNAPSHOTS / f"{shape}.txt"
    if not file.exists():
        file.write_text(shown, encoding="utf-8")
        pytest.fail(f"{file} was missing and is written")
    assert shown == file.read_text(encoding="utf-8")
