from pathlib import Path

import pytest

from ratchet.errors import ConfigurationError
from ratchet.llm import ModelSpec, embedded_endpoint, parse_spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("openai:gpt-5", ModelSpec("openai", "gpt-5")),
        ("openai:org/model:tag", ModelSpec("openai", "org/model:tag")),
        ("local", ModelSpec("local", "")),
        (" local ", ModelSpec("local", "")),
        ("scripted:m:f", ModelSpec("scripted", "m:f")),
    ],
)
def test_parse_spec_takes_every_form(text: str, spec: ModelSpec) -> None:
    assert parse_spec(text) == spec
    assert str(spec) == text.strip()


def test_parse_spec_takes_an_existing_file(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").touch()
    assert parse_spec(f"local:{tmp_path}/m.gguf").name == f"{tmp_path}/m.gguf"


@pytest.mark.parametrize("text", ["", "gpt-5", "openai:", "openai", "anthropic:x", "scripted:"])
def test_parse_spec_names_setting_and_forms(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^RATCHET_AGENT_MODEL: .* is no model; use openai:NAME, local"):
        parse_spec(text, "RATCHET_AGENT_MODEL")


def test_embedded_endpoint_names_a_missing_file() -> None:
    with pytest.raises(ConfigurationError, match=r"local:gone\.gguf: there is no such file"):
        embedded_endpoint("gone.gguf")
