"""From the setting to an embedding model."""

from ratchet.config.settings import Settings
from ratchet.embedding.endpoint import EndpointModel
from ratchet.embedding.model import EmbeddingModel
from ratchet.embedding.packaged import PackagedModel, packaged_files
from ratchet.errors import ConfigurationError


def open_model(settings: Settings) -> EmbeddingModel | None:
    """The model that `RATCHET_EMBEDDING_MODEL` names; None for none, and where the packaged one is not installed.

    Raises:
        ConfigurationError: the setting has no known form.
    """
    setting = settings.embedding_model.strip()
    if setting == "none":
        return None
    if setting == "local":
        files = packaged_files()
        return PackagedModel(files) if files else None
    provider, _, name = setting.partition(":")
    if provider == "openai" and name:
        return EndpointModel(name, settings)
    raise ConfigurationError(
        f"RATCHET_EMBEDDING_MODEL: {setting!r} is no embedding model; use local, openai:NAME or none"
    )
