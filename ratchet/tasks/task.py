"""A task: what the agent is for, how a run is scored, where context comes from. Read from ``tasks/NAME/task.toml``."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, field_validator, model_validator

from ratchet.config.files import StrictModel, parse_toml, read_text, validate
from ratchet.config.objects import ObjectPath
from ratchet.errors import ConfigurationError, UnknownTaskError
from ratchet.tasks.criteria import Criterion
from ratchet.tasks.expected import Expected, problem_of_expected
from ratchet.tasks.gate import GateConfig
from ratchet.tasks.holdout import HoldoutConfig
from ratchet.tasks.limits import Limits
from ratchet.tasks.search import ProposersConfig, RaceConfig

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class AgentConfig(StrictModel):
    """How the agent is run."""

    use: ObjectPath | None = None
    """``module:name`` of a LangGraph graph, Runnable or async callable; one chat model call if left out."""
    max_tokens: Annotated[int | None, Field(ge=1)] = None
    temperature: Annotated[FiniteFloat | None, Field(ge=0)] = None
    keep_reasoning: bool = False
    """Whether text that the model thinks aloud, between `<think>` tags, is part of the output."""


class DocumentsSource(StrictModel):
    """A folder of ``.md`` and ``.txt`` files, searched by words and meaning."""

    name: Name
    kind: Literal["documents"]
    path: str
    """Relative to the task's folder."""
    passage_words: Annotated[int | None, Field(ge=10)] = None
    """Longer documents are cut into passages of about this many words at sentence ends; whole documents if left out."""


class SqliteSource(StrictModel):
    """An FTS5 table of a SQLite database."""

    name: Name
    kind: Literal["sqlite"]
    path: str
    table: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]


class PythonSource(StrictModel):
    """A LangChain retriever by import path."""

    name: Name
    kind: Literal["python"]
    use: ObjectPath


SourceConfig = Annotated[DocumentsSource | SqliteSource | PythonSource, Field(discriminator="kind")]


class Canary(StrictModel):
    """A known bad output. An evaluator that passes it is broken."""

    input: Annotated[str, Field(min_length=1)]
    output: str
    expected: Expected = None

    @field_validator("expected")
    @classmethod
    def _can_be_compared_with(cls, expected: Expected) -> Expected:
        problem = problem_of_expected(expected)
        if problem:
            raise ValueError(problem)
        return expected


class Task(StrictModel):
    """One task as its file describes it."""

    name: Name
    folder: Path
    description: str
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.7
    components: Annotated[list[Name], Field(min_length=1)]
    variables: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]] = []
    agent: AgentConfig = AgentConfig()
    gate: GateConfig = GateConfig()
    limits: Limits = Limits()
    holdout: HoldoutConfig = HoldoutConfig()
    proposers: ProposersConfig = ProposersConfig()
    race: RaceConfig = RaceConfig()
    criteria: Annotated[list[Criterion], Field(min_length=1)]
    context_sources: list[SourceConfig] = []
    canary: Canary | None = None

    @model_validator(mode="after")
    def _unique_names(self) -> "Task":
        for kind, names in (
            ("criteria", [criterion.name for criterion in self.criteria]),
            ("components", list(self.components)),
            ("context_sources", [source.name for source in self.context_sources]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind}: the name {twice[0]!r} is used twice")
        if any(source.name == "solved_cases" for source in self.context_sources):
            raise ValueError("context_sources: 'solved_cases' is the name of the built-in source")
        return self

    @property
    def graded(self) -> set[str]:
        """Names of the criteria whose scores are compared, not only their passes."""
        return {criterion.name for criterion in self.criteria if criterion.kind == "python" and criterion.graded}

    @property
    def required(self) -> set[str]:
        """Names of the criteria that a run must pass."""
        return {criterion.name for criterion in self.criteria if criterion.required}


def load_task(tasks_dir: Path, name: str) -> Task:
    """The task `name`.

    Raises:
        UnknownTaskError: there is none, with the names there are.
        ConfigurationError: its file is wrong.
    """
    file = tasks_dir / name / "task.toml"
    if not _NAME.fullmatch(name) or not _is_file(file):
        known = ", ".join(task_names(tasks_dir)) or "none"
        own = str(tasks_dir / name[:80])
        raise UnknownTaskError(f"no task {name[:80]!r} in {tasks_dir}/ (there are: {known}); its folder is {own!r}")
    data = parse_toml(read_text(file), file)
    for key in ("name", "folder"):
        if key in data:
            raise ConfigurationError(f"{file}: unknown key {key}")
    return validate(Task, data | {"name": name, "folder": file.parent}, file)


def _is_file(file: Path) -> bool:
    """Whether the file is there.

    Raises:
        ConfigurationError: that cannot be seen.
    """
    try:
        return file.is_file()
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error.strerror})") from error


def task_names(tasks_dir: Path) -> list[str]:
    """Names of all tasks.

    Raises:
        ConfigurationError: their folder cannot be read; one that is missing holds none.
    """
    try:
        names = sorted(os.listdir(tasks_dir))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError(f"{tasks_dir}: cannot be read ({error.strerror})") from error
    return [name for name in names if _NAME.fullmatch(name) and os.path.lexists(tasks_dir / name / "task.toml")]
