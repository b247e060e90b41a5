import pytest

from ratchet.config.settings import Settings
from ratchet.embedding import open_model, opening
from ratchet.errors import ConfigurationError


def named(setting: str) -> str | None:
    model = open_model(Settings.load(embedding_model=setting, openai_base_url="http://here/v1/"))
    return model.name if model else None


def test_setting_names_the_model() -> None:
    assert named("none") is None
    assert named("local") == "local:l2_supercat_256"
    assert named("openai:small") == "openai:small of http://here/v1"
    assert named(" openai:a/b:c ") == "openai:a/b:c of http://here/v1"


def test_packaged_model_that_is_not_installed_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "packaged_files", lambda: None)

    assert named("local") is None


@pytest.mark.parametrize("setting", ["openai", "openai:", "big", "local:x", "scripted:x.json", "None"])
def test_unknown_setting_is_refused_with_what_there_is(setting: str) -> None:
    with pytest.raises(ConfigurationError, match=r"RATCHET_EMBEDDING_MODEL: '.*use local, openai:NAME or none"):
        named(setting)
