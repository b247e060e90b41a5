from pathlib import Path

import pytest

from ratchet.config.settings import Settings
from ratchet.errors import ConfigurationError


def test_settings_have_defaults_that_need_no_key() -> None:
    settings = Settings.load()
    assert {settings.model_for(role) for role in ("agent", "judge", "analyst", "optimizer")} == {"local"}
    assert settings.checkpoint_file() == Path(".ratchet/checkpoints.sqlite")
    assert settings.application_url() == f"sqlite:///{Path.cwd()}/.ratchet/ratchet.sqlite"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_AGENT_MODEL", "openai:gpt-x")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    settings = Settings.load()
    assert settings.agent_model == "openai:gpt-x"
    assert "sk-secret" not in repr(settings)


def test_settings_come_from_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RATCHET_CONCURRENCY=9\nRATCHET_HOME=elsewhere\nUNRELATED=1\n")
    assert (Settings.load().concurrency, Settings.load().home) == (9, Path("elsewhere"))


def test_settings_take_an_empty_variable_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_MAX_CALLS", "")
    assert Settings.load().max_calls == 600


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("RATCHET_CONCURRENCY", "0", "concurrency: Input should be greater than or equal to 1"),
        ("RATCHET_CONCURRENCY", "many", "concurrency: Input should be a valid integer"),
        ("RATCHET_TIMEOUT", "-1", "timeout: Input should be greater than 0"),
        ("RATCHET_RETRIES", "99", "retries: Input should be less than or equal to 10"),
    ],
)
def test_settings_that_are_wrong_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^settings \(RATCHET_\.\.\.\): {expected}"):
        Settings.load()
