import re
import time
from pathlib import Path

import pytest

import prompts
from prompts import WordingError, names, placeholders, render, substitute

FOLDER = Path(prompts.__file__).parent
HOSTILE = [
    "{x.__class__}",
    "{x:>200000000}",
    '{"a":1}',
    "{{",
    "}}{",
    "{0}",
    "{mark!r}",
    "%s %(mark)s $mark",
    "{mark} {question} {prompt}",
]


@pytest.fixture
def wordings() -> dict[str, set[str]]:
    return {name: placeholders((FOLDER / f"{name}.md").read_text(encoding="utf-8")) for name in names()}


def test_names_are_the_files_of_the_folder() -> None:
    assert names() == [
        "diagnosis", "form", "judge", "judge_answer", "judge_reference", "minimal_edit", "padded", "rewrite",
        "sentence_change",
    ]  # fmt: skip


@pytest.mark.parametrize("name", names())
def test_render_takes_exactly_the_placeholders_of_each_file(name: str, wordings: dict[str, set[str]]) -> None:
    values = {key: f"<{key}-value>" for key in wordings[name]}
    text = render(name, **values)
    assert not placeholders(text)
    assert all(value in text for value in values.values())


@pytest.mark.parametrize("name", names())
def test_render_names_each_missing_value(name: str, wordings: dict[str, set[str]]) -> None:
    for left_out in wordings[name]:
        values = dict.fromkeys(wordings[name] - {left_out}, "v")
        with pytest.raises(WordingError, match=rf"prompts/{name}\.md: missing values \['{left_out}'\]"):
            render(name, **values)


@pytest.mark.parametrize("name", names())
def test_render_refuses_a_value_without_placeholder(name: str, wordings: dict[str, set[str]]) -> None:
    with pytest.raises(WordingError, match=r"values without a placeholder \['surplus'\]"):
        render(name, **dict.fromkeys(wordings[name], "v"), surplus="v")


@pytest.mark.parametrize("name", ["nope", "../prompts/judge", "judge.md", ""])
def test_render_of_an_unknown_wording_lists_those_there_are(name: str) -> None:
    with pytest.raises(
        WordingError, match="there are: diagnosis, form, judge, judge_answer, judge_reference, minimal_edit"
    ):
        render(name)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", names())
def test_render_leaves_values_as_they_are(name: str, value: str, wordings: dict[str, set[str]]) -> None:
    source = (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()
    started = time.process_time()
    text = render(name, **dict.fromkeys(wordings[name], value))
    assert time.process_time() - started < 0.5
    pieces = re.split(r"\{[a-z][a-z0-9_]*\}", source)
    assert text == value.join(pieces)


def test_substitute_replaces_only_named_tokens_in_one_pass() -> None:
    assert substitute("{a} {b} {c} {{a}}", {"a": "{b}", "b": "2"}) == "{b} 2 {c} {{b}}"


def test_placeholders_ignores_braces_that_are_no_names() -> None:
    assert placeholders('{a} {A} {1} { b } {"c"} {d_1} {e.f}') == {"a", "d_1"}
