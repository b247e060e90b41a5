"""Help and inbox are there at once: what they do not need is not imported."""

import subprocess
import sys
from importlib import import_module
from inspect import getdoc
from pathlib import Path

import pytest
import typer

from service.cli import COMMANDS, load_command

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("langchain_core", "langchain_openai", "langgraph", "openai", "sklearn", "scipy", "numpy", "alembic", "bm25s")
STORE = ("sqlalchemy", "pydantic_settings", "jsonschema")


def imported(project: Path, environment: dict[str, str], *arguments: str) -> set[str]:
    """The top-level modules that a command imports, each once."""
    command = [sys.executable, "-X", "importtime", "-m", "service.cli", *arguments]
    variables = environment | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True, check=True)
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("inbox",), ("inbox", "--json")])
def test_command_that_is_asked_often_imports_nothing_heavy(
    project: Path, environment: dict[str, str], arguments: tuple[str, ...]
) -> None:
    imported(project, environment, "inbox")  # makes the database, for which migrations are needed once

    found = imported(project, environment, *arguments)

    assert {"typer", "rich"} <= found
    assert found & set(HEAVY) == set()
    assert ("inbox" in arguments) == bool(found & set(STORE))


def test_command_that_calls_models_imports_their_client(project: Path, environment: dict[str, str]) -> None:
    assert {"langchain_openai", "langgraph"} <= imported(project, environment, "run", "desk", "Hello")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_the_first_paragraph_of_its_docstring(name: str) -> None:
    place = COMMANDS[name]
    found = place.load()
    told = found.info.help if isinstance(found, typer.Typer) else getdoc(found)
    assert " ".join(str(told).split("\n\n")[0].split()) == place.help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded(name: str) -> None:
    assert load_command(name).name == name


def test_names_that_are_imported_later_are_those_of_the_package() -> None:
    package = import_module("ratchet.llm")
    assert package.Models.__module__ == "ratchet.llm.models"
    assert package.Fault.__module__ == "ratchet.llm.scripted"
    with pytest.raises(AttributeError, match="no attribute 'Model'"):
        _ = package.Model
