import os
from pathlib import Path

import pytest

from ratchet.config.settings import ROLES, Settings, unknown_variables
from ratchet.errors import ConfigurationError
from ratchet.store import Database


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
        ("RATCHET_JUDGE_MAX_TOKENS", "0", "judge_max_tokens: Input should be greater than or equal to 1"),
        ("RATCHET_AGENT_TEMPERATURE", "3", "agent_temperature: Input should be less than or equal to 2"),
        ("RATCHET_TIMEOUT", "inf", "timeout: Input should be a finite number"),
        ("RATCHET_TIMEOUT", "nan", "timeout: Input should be a finite number"),
        ("RATCHET_ALLOWED_HOSTS", "a.example,http://b.example", r"allowed_hosts\[1\]: String should match"),
        ("RATCHET_ALLOWED_HOSTS", "*", r"allowed_hosts\[0\]: String should match"),
        ("RATCHET_ALLOWED_ORIGINS", "b.example", r"allowed_origins\[0\]: String should match"),
        ("RATCHET_ALLOWED_ORIGINS", "https://b.example/", r"allowed_origins\[0\]: String should match"),
        ("RATCHET_RETRIES", "99", "retries: Input should be less than or equal to 10"),
    ],
)
def test_settings_that_are_wrong_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^settings \(RATCHET_\.\.\.\): {expected}"):
        Settings.load()


@pytest.mark.parametrize("role", ROLES)
def test_limit_and_temperature_of_a_role_go_before_what_is_asked(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    assert (Settings.load().max_tokens_for(role, 80), Settings.load().temperature_for(role, None)) == (80, None)
    monkeypatch.setenv(f"RATCHET_{role.upper()}_MAX_TOKENS", "3000")
    monkeypatch.setenv(f"RATCHET_{role.upper()}_TEMPERATURE", "0")
    settings = Settings.load()
    assert (settings.max_tokens_for(role, 80), settings.temperature_for(role, 0.7)) == (3000, 0.0)
    others = [other for other in ROLES if other != role]
    assert {settings.max_tokens_for(other, 80) for other in others} == {80}


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("RATCHET_AGENT_MODLE", "RATCHET_AGENT_MODEL"),
        ("RATCHET_JUDGE_MAXTOKENS", "RATCHET_JUDGE_MAX_TOKENS"),
        ("ratchet_concurency", "RATCHET_CONCURRENCY"),
        ("RATCHET_MODEL", "RATCHET_AGENT_MODEL"),
        ("RATCHET_TASK_DIR", "RATCHET_TASKS_DIR"),
        ("RATCHET_SERVICE_HOST", None),
        ("RATCHET_", None),
    ],
)
@pytest.mark.parametrize("in_file", [True, False])
def test_variable_that_is_no_setting_is_named_with_the_likely_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, likely: str | None, in_file: bool
) -> None:
    if in_file:
        (tmp_path / ".env").write_text(f"export RATCHET_HOME=elsewhere\n{name}=x\nUNRELATED=1\n")
    else:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("RATCHET_AGENT_MODEL", "local")
    (found,) = unknown_variables()
    assert (found.name, found.likely) == (name.upper(), likely)
    assert str(found).startswith(f"{name.upper()} is no setting; ")


def test_settings_and_the_variables_of_others_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.setenv(f"RATCHET_{field.upper()}" if "openai" not in field else field.upper(), "1")
    monkeypatch.setenv("RATCHETS", "1")
    assert unknown_variables() == []


def test_env_file_that_is_no_text_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"RATCHET_HOME=caf\xe9\n")
    assert unknown_variables() == []
    with pytest.raises(ConfigurationError, match=r"^\.env: not UTF-8 text \(byte 16\)$"):
        Settings.load()


@pytest.mark.parametrize(
    "name", ["50%20off", "what?", "p#1", "a b", "c:d", "%(here)s", "a?mode=memory", "ünï 工程", "it's"]
)
def test_database_lies_below_the_home_whatever_its_name(tmp_path: Path, name: str) -> None:
    settings = Settings.load(home=tmp_path / name)
    Database(settings.application_url()).close()
    assert (tmp_path / name / "ratchet.sqlite").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfRATCHET_HOME=x y\nRATCHET_MAX_CALLS=7",
        b"RATCHET_HOME=x y\r\nRATCHET_MAX_CALLS=7\r\n",
        b"export RATCHET_HOME='x y'\nexport RATCHET_MAX_CALLS=\"7\"\n",
    ],
)
def test_env_file_is_read_as_editors_write_it(tmp_path: Path, text: bytes) -> None:
    (tmp_path / ".env").write_bytes(text)
    assert (Settings.load().home, Settings.load().max_calls) == (Path("x y"), 7)


def test_home_folder_is_meant_by_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".env").write_text("RATCHET_HOME=~/kept\n")
    assert Settings.load().home == tmp_path / "kept"


def test_working_directory_that_was_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ConfigurationError, match=r"^the working directory was removed; go to another one$"):
        Settings.load()


def test_env_file_reaches_the_users_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("MY_SERVICE_KEY", "OPENAI_API_KEY", "RATCHET_MAX_CALLS", "MY_EMPTY", "MY_OTHER")
    for name in names:
        monkeypatch.setenv(name, "")  # so that the end of the test takes it away again
        monkeypatch.delenv(name)
    monkeypatch.setenv("MY_OTHER", "of the shell")
    lines = ("MY_SERVICE_KEY=k1", "OPENAI_API_KEY=k2", "RATCHET_MAX_CALLS=7", "MY_EMPTY=", "MY_OTHER=of the file")
    (tmp_path / ".env").write_text("\n".join(lines))

    settings = Settings.load()

    assert settings.max_calls == 7
    assert [os.environ.get(name) for name in names] == ["k1", "k2", None, None, "of the shell"]


def test_wrong_env_file_sets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SERVICE_KEY", "")
    monkeypatch.delenv("MY_SERVICE_KEY")
    (tmp_path / ".env").write_text("RATCHET_MAX_CALLS=many\nMY_SERVICE_KEY=k1\n")

    with pytest.raises(ConfigurationError, match="max_calls"):
        Settings.load()

    assert "MY_SERVICE_KEY" not in os.environ
