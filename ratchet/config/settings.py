"""Settings: the one place that reads the environment (prefix ``RATCHET_``) and the ``.env`` file."""

import difflib
import os
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from dotenv import dotenv_values
from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict
from sqlalchemy import URL

from ratchet.config.files import first_problem
from ratchet.errors import ConfigurationError

ENV_FILE = ".env"
PREFIX = "RATCHET_"
ROLES = ("agent", "judge", "analyst", "optimizer")
Tokens = Annotated[int, Field(ge=1)]
Temperature = Annotated[float, Field(ge=0, le=2)]
Host = Annotated[str, Field(pattern=r"^[^\s/:*@]+$")]
Origin = Annotated[str, Field(pattern=r"^https?://[^\s/*@]+$")]


def _items(given: object) -> object:
    """The parts of a text between commas, in lower case."""
    return [item.strip().lower() for item in given.split(",") if item.strip()] if isinstance(given, str) else given


class Settings(BaseSettings):
    """Where things are and which model plays which role.

    A model is ``local`` (the embedded one), ``local:PATH.gguf``, ``openai:NAME`` (any endpoint that speaks the OpenAI
    protocol, through ``OPENAI_BASE_URL``) or ``scripted:TARGET`` (replies by rules or by a Python function).
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True, env_ignore_empty=True,
        env_file_encoding="utf-8-sig", allow_inf_nan=False,
    )  # fmt: skip

    home: Path = Path(".ratchet")
    """Folder of the databases."""
    tasks_dir: Path = Path("tasks")
    rules_file: Path = Path("behavior_rules.json")
    prompts_file: Path = Path("task_prompts.json")
    database_url: str | None = None
    """SQLAlchemy URL of the application database; SQLite in `home` if left out."""
    agent_model: str = "local"
    judge_model: str = "local"
    analyst_model: str = "local"
    optimizer_model: str = "local"
    agent_max_tokens: Tokens | None = None
    """Tokens of each reply of the role at most, whatever the task or the request says; likewise for the others."""
    judge_max_tokens: Tokens | None = None
    analyst_max_tokens: Tokens | None = None
    optimizer_max_tokens: Tokens | None = None
    agent_temperature: Temperature | None = None
    """Temperature of each reply of the role, whatever the task or the request says; likewise for the others."""
    judge_temperature: Temperature | None = None
    analyst_temperature: Temperature | None = None
    optimizer_temperature: Temperature | None = None
    embedding_model: str = "local"
    """What tells which texts mean similar things: ``local`` (the packaged one), ``openai:NAME``, or ``none``."""
    concurrency: Annotated[int, Field(ge=1, le=256)] = 32
    """Model calls in flight at most; fewer where the endpoint asks for it."""
    max_calls: Annotated[int, Field(ge=0)] = 600
    """Model calls that one improvement cycle may pay for, and the serving of training cases before it."""
    min_sources: Annotated[int, Field(ge=1)] = 2
    """Distinct sources that the failures of a cycle come from at least, so that no single user steers it."""
    gepa_calls: Annotated[int, Field(ge=0)] = 0
    """Agent runs that the `gepa` library may make in one cycle, where it is installed; 0 leaves it out."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds until a model call is given up (and retried)."""
    retries: Annotated[int, Field(ge=0, le=10)] = 3
    """Further tries after a refused, failed or timed-out model call."""
    allowed_hosts: Annotated[tuple[Host, ...], NoDecode, BeforeValidator(_items)] = ()
    """Names, without port, by which the server may be asked beside this machine's own; separated by commas."""
    allowed_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_items)] = ()
    """Origins of web pages that may ask the server beside Studio and its own; separated by commas."""
    openai_api_key: SecretStr | None = Field(None, validation_alias=AliasChoices("openai_api_key", "OPENAI_API_KEY"))
    openai_base_url: str | None = Field(None, validation_alias=AliasChoices("openai_base_url", "OPENAI_BASE_URL"))

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """Settings from the environment and ``.env``, with `overrides` on top.

        What else ``.env`` sets becomes part of the environment, as agents, criteria and sources of the user's read it.
        A variable that is set already stays as it is.

        Raises:
            ConfigurationError: naming the variable and what is expected.
        """
        try:
            Path.cwd()  # relative paths, as the defaults are, begin there
        except OSError as error:
            raise ConfigurationError("the working directory was removed; go to another one") from error
        try:
            found = cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            raise ConfigurationError(f"settings (RATCHET_...): {first_problem(error)}") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f".env: not UTF-8 text (byte {error.start})") from error
        except OSError as error:
            raise ConfigurationError(f".env: cannot be read ({error.strerror})") from error
        _export_rest()
        return found

    @field_validator("home", "tasks_dir", "rules_file", "prompts_file")
    @classmethod
    def _with_home_folder(cls, path: Path) -> Path:
        """``~`` as a shell reads it: none has read what stands in ``.env``."""
        try:
            return path.expanduser()
        except RuntimeError as error:
            raise ValueError(f"{error} (HOME is not set)") from error

    def model_for(self, role: str) -> str:
        """The model setting of one of `ROLES`."""
        return str(getattr(self, f"{role}_model"))

    def max_tokens_for(self, role: str, asked: int | None) -> int | None:
        """Tokens of a reply of one of `ROLES` at most: as set, else as the request asks."""
        given: int | None = getattr(self, f"{role}_max_tokens")
        return asked if given is None else given

    def temperature_for(self, role: str, asked: float | None) -> float | None:
        """Temperature of a reply of one of `ROLES`: as set, else as the request asks."""
        given: float | None = getattr(self, f"{role}_temperature")
        return asked if given is None else given

    def application_url(self) -> str:
        """SQLAlchemy URL of the application database."""
        file = str((self.home / "ratchet.sqlite").absolute())
        return self.database_url or URL.create("sqlite", database=file).render_as_string()

    def checkpoint_file(self) -> Path:
        """SQLite file of the LangGraph checkpoints."""
        return self.home / "checkpoints.sqlite"


class UnknownVariable(NamedTuple):
    """A variable that looks like a setting and is none."""

    name: str
    likely: str | None
    """The setting that was probably meant."""

    def __str__(self) -> str:
        meant = f"did you mean {self.likely}?" if self.likely else "the README lists them all"
        return f"{self.name} is no setting; {meant}"


def unknown_variables() -> list[UnknownVariable]:
    """The variables of the environment and of ``.env`` that begin like a setting and are none."""
    known = [PREFIX + name.upper() for name in Settings.model_fields if not name.startswith("openai_")]
    try:
        of_file = DotEnvSettingsSource(Settings).env_vars
    except (OSError, UnicodeDecodeError):  # told by whoever loads the settings
        of_file = {}
    given = sorted({name.upper() for name in (*os.environ, *of_file)} - {*known})
    return [UnknownVariable(name, _likely(name, known)) for name in given if name.startswith(PREFIX)]


def _likely(name: str, known: list[str]) -> str | None:
    """The setting of which `name` is the end, or to which it is close."""
    short = name.removeprefix(PREFIX)
    ending = [other for other in known if short and other.endswith(f"_{short}")]
    close = difflib.get_close_matches(short, [other.removeprefix(PREFIX) for other in known], 1, 0.75)
    return next(iter([*(PREFIX + other for other in close), *ending]), None)


def _export_rest() -> None:
    """Make what ``.env`` says to others part of the environment."""
    for name, value in dotenv_values(ENV_FILE, encoding="utf-8-sig").items():
        if value and not name.upper().startswith(PREFIX):
            os.environ.setdefault(name, value)
