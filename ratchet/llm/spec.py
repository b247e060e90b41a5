"""What a model setting says: ``openai:NAME``, ``local``, ``local:PATH.gguf`` or ``scripted:TARGET``."""

from typing import Literal, NamedTuple

from ratchet.errors import ConfigurationError

Provider = Literal["openai", "local", "scripted"]


class ModelSpec(NamedTuple):
    """A model setting taken apart."""

    provider: Provider
    name: str
    """Model name, path of the GGUF file (empty: the packaged one), or the scripted target."""

    def __str__(self) -> str:
        return f"{self.provider}:{self.name}" if self.name else self.provider


def parse_spec(text: str, setting: str = "model") -> ModelSpec:
    """`text` as a `ModelSpec`.

    Raises:
        ConfigurationError: unknown form; `setting` is named in the message.
    """
    provider, _, name = text.strip().partition(":")
    if provider == "openai" and name:
        return ModelSpec("openai", name)
    if provider == "scripted" and name:
        return ModelSpec("scripted", name)
    if provider == "local":
        return ModelSpec("local", name)
    raise ConfigurationError(
        f"{setting}: {text!r} is no model; use openai:NAME, local, local:PATH.gguf or scripted:TARGET"
    )
