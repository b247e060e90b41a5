import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ratchet.config.files import StrictModel, first_problem, parse_json, parse_toml, read_text, real_path, validate
from ratchet.errors import ConfigurationError
from ratchet.tasks.criteria import Numeric


class Inner(StrictModel):
    count: int


class Form(StrictModel):
    name: str
    inner: list[Inner] = []


def refusal(data: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        validate(Form, data, "some/file.toml")
    message = str(caught.value)
    assert message.startswith("some/file.toml: ")
    assert "\n" not in message
    return message.removeprefix("some/file.toml: ")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"name": "a", "colour": 1}, "unknown key colour"),
        ({}, "name is missing"),
        ({"name": 3}, "name: Input should be a valid string (got 3)"),
        ({"name": "a", "inner": [{"count": 1}, {}]}, "inner[1].count is missing"),
        ({"name": "a", "inner": [{"count": "x", "more": 1}]}, "inner[0].count: Input should be a valid integer"),
        ([], "the top level: Input should be a valid dictionary"),
        (None, "the top level: Input should be a valid dictionary"),
    ],
)
def test_validate_names_key_and_expectation(data: Any, expected: str) -> None:
    assert refusal(data).startswith(expected)


def test_validate_counts_further_problems() -> None:
    assert refusal({"a": 1, "b": 2}).endswith("(and 2 more)")


def test_validate_cuts_long_values() -> None:
    assert len(refusal({"name": ["x" * 5000]})) < 200


def test_validate_stays_one_line_for_a_key_with_a_line_break() -> None:
    refusal({"name": "a", "two\nlines": 1})


def test_strict_model_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Inner(count=1).count = 2  # type: ignore[misc]


def test_first_problem_names_the_top_level() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(int).validate_python("x")
    assert first_problem(caught.value).startswith("the top level: Input should be a valid integer")


def test_read_text_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.json: no such file$"):
        read_text(tmp_path / "gone.json")


def test_read_text_names_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r": cannot be read \(Is a directory\)$"):
        read_text(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"caf\xe9 {}", r"line 1 \(byte 3\); save it as UTF-8$"),
        (b"one\r\ntwo\r\ncaf\xe9", r"line 3 \(byte 13\); save it as UTF-8$"),
        ("é".encode("utf-16"), r"line 1 \(byte 0\); it looks like UTF-16, save it as UTF-8$"),
        ("é".encode("utf-16-be"), r"line 1 \(byte 1\); save it as UTF-8$"),
    ],
)
def test_read_text_names_the_line_that_is_not_utf8(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "latin.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"latin\.json: not UTF-8 text, " + words):
        read_text(tmp_path / "latin.json")


def test_read_text_keeps_the_exact_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}\r\n\xc3\xa9\n")
    assert read_text(tmp_path / "a.json") == "{}\r\né\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "a": 2}', "f.json: the key 'a' stands there twice"),
        ('{"x": {"b": 1, "b": 1}}', "f.json: the key 'b' stands there twice"),
        ('{"a": 1,\n "b" 2}', "f.json: not JSON, line 2 column 6: Expecting ':' delimiter"),
        ("", "f.json: not JSON, line 1 column 1: Expecting value"),
        ("{'a': 1}", "f.json: not JSON, line 1 column 2: "),
    ],
)
def test_parse_json_says_where_the_mistake_is(text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_json(text, "f.json")
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize("parse", [parse_json, parse_toml])
def test_parse_refuses_text_nested_too_deeply(parse: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^f: "):
        parse("a = " * (parse is parse_toml) + "[" * 100_000, "f")


def test_parse_toml_says_where_the_mistake_is() -> None:
    with pytest.raises(ConfigurationError, match=r"^f\.toml: not TOML: .*line 2") as caught:
        parse_toml("a = 1\nb = \n", "f.toml")
    assert "\n" not in str(caught.value)


def test_parse_toml_refuses_a_key_twice() -> None:
    with pytest.raises(ConfigurationError, match="not TOML"):
        parse_toml("a = 1\na = 2\n", "f.toml")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("key", ["weight", "tolerance"])
def test_number_that_is_none_is_refused(key: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^task.toml: {key}: Input should be a finite number"):
        validate(Numeric, {"name": "n", "kind": "numeric", **parse_toml(f"{key} = {text}", "task.toml")}, "task.toml")


DIGITS = "7" * 5000


@pytest.mark.parametrize("text", [DIGITS, f"[1, {DIGITS}]", f'{{"a": {{"b": -{DIGITS}}}}}'])
def test_parse_json_refuses_a_number_that_python_does_not_read(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^f\.json: a whole number has more than 4300 digits$"):
        parse_json(text, "f.json")


@pytest.mark.parametrize("text", [f"a = {DIGITS}", f"[t]\na = [{DIGITS}]", f"a = {{b = +{DIGITS}}}"])
def test_parse_toml_refuses_a_number_that_python_does_not_read(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^f\.toml: a whole number has more than 4300 digits$"):
        parse_toml(text, "f.toml")


@pytest.mark.timeout(20)
def test_read_text_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "link.jsonl").symlink_to("pipe.jsonl")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe.jsonl", "link.jsonl", "zero"):
        with pytest.raises(ConfigurationError, match=f"{name}: is a pipe or a device; a file is needed"):
            read_text(tmp_path / name)


def test_read_text_takes_what_a_shell_hands_over() -> None:
    given, taken = os.pipe()
    os.write(taken, b"Answer.")
    os.close(taken)
    try:
        assert read_text(Path(f"/dev/fd/{given}")) == "Answer."
    finally:
        os.close(given)


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000, "loop", "loop/deeper"])
def test_what_leads_nowhere_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for look in (read_text, real_path):
        with pytest.raises(ConfigurationError, match=r"is no path|cannot be (read|followed)"):
            look(tmp_path / name)


def test_real_path_follows_links_also_to_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    assert real_path(tmp_path / "link" / "new.json") == tmp_path.resolve() / "there" / "new.json"
    assert real_path(tmp_path / "link") == tmp_path.resolve() / "there"
