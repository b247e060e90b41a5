import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import ConfigurationError
from ratchet.prompting import (
    ContextStep,
    Example,
    TaskPrompt,
    content_hash,
    describe_prompt,
    parse_prompts,
    with_component,
)

FULL = TaskPrompt(
    prompt="Line one.\nKeep this.",
    examples=[Example(input="i", output="o")],
    context=[ContextStep(source="handbook", top_k=2)],
    locked=["Keep this."],
)


def test_parse_prompts_takes_text_and_objects() -> None:
    prompts = parse_prompts(json.dumps({"a": "Text.", "b": FULL.as_json()}), "f")
    assert prompts == {"a": TaskPrompt(prompt="Text."), "b": FULL}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "f: expected an object"),
        ("{}", "f: expected an object"),
        ('{"a": 1}', "f: a: the top level"),
        ('{"a": ""}', "f: a: prompt: String should have at least 1 character"),
        ('{"a": {"text": "x"}}', "f: a: prompt is missing"),
        ('{"a": {"prompt": "x", "model": 1}}', "f: a: unknown key model"),
        ('{"a": {"prompt": "x", "examples": [{"input": "i"}]}}', "f: a: examples[0].output is missing"),
        ('{"a": {"prompt": "x", "context": [{"source": "s", "top_k": 0}]}}', "f: a: context[0].top_k"),
        ('{"a": {"prompt": "x", "locked": ["gone"]}}', "f: a: the locked text 'gone' is not in the prompt"),
        ('{"a": "x", "a": "y"}', "f: the key 'a' stands there twice"),
        ('{"a": "\\ud800"}', "f: a: prompt"),
    ],
)
def test_parse_prompts_names_component_and_key(text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_prompts(text, "f")
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)


def test_as_json_leaves_out_what_says_nothing() -> None:
    assert TaskPrompt(prompt="x").as_json() == {"prompt": "x"}
    assert FULL.as_json()["context"] == [{"source": "handbook", "top_k": 2}]


def test_with_component_leaves_the_others_as_they_were() -> None:
    text = '{"other": "as text", "a": {"prompt": "old", "locked": []}, "last": {"prompt": "é"}}'
    changed = json.loads(with_component(text, "a", TaskPrompt(prompt="new")))
    assert list(changed.items()) == [("other", "as text"), ("a", {"prompt": "new"}), ("last", {"prompt": "é"})]


def test_describe_prompt_shows_every_part() -> None:
    assert describe_prompt(FULL) == (
        "Line one.\nKeep this.\n[context] handbook: query '{input}', top 2\n"
        "[example] user: i\n[example] assistant: o\n[locked] Keep this."
    )


def test_content_hash_ignores_key_order_only() -> None:
    assert content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    assert len({content_hash(value) for value in ({"a": 1}, {"a": "1"}, [1], ["a", 1], {"a": 1.5}, None)}) == 6


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.lists(st.tuples(st.text("ab{}"), st.text("c")))
)
def test_task_prompt_survives_the_file_and_keeps_its_hash(text: str, pairs: list[tuple[str, str]]) -> None:
    prompt = TaskPrompt(prompt=text, examples=[Example(input=i, output=o) for i, o in pairs])
    read = parse_prompts(with_component('{"b": "x"}', "a", prompt), "f")["a"]
    assert read == prompt
    assert read.hash == prompt.hash
