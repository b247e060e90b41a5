"""Where tests stand: beside the source they decide about, and as much of them as there is to hold."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("prompts", "ratchet", "nodes", "graph", "service")
DECISIONS = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.BoolOp, ast.comprehension, ast.Match)
LEAST_RATIO = 1.1
"""Lines of tests for a line of source."""
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
SOURCES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
MIGRATIONS = ROOT / "ratchet" / "store" / "migrations"


def own_tests(source: Path) -> Path:
    relative = source.relative_to(ROOT)
    return ROOT / "tests" / relative.parent / f"test_{relative.stem.strip('_')}.py"


def decides(source: Path) -> bool:
    return any(isinstance(node, DECISIONS) for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))))


def lines(files: list[Path]) -> int:
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def long_functions(file: Path) -> list[str]:
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION]


def test_sources_are_found() -> None:
    assert len(SOURCES) > 150
    assert {source.relative_to(ROOT).parts[0] for source in SOURCES} == set(PACKAGES)


def test_each_file_that_decides_something_has_a_own_tests_its_name() -> None:
    deciding = [source for source in SOURCES if source.name != "__init__.py" and decides(source)]
    assert [str(source.relative_to(ROOT)) for source in deciding if not own_tests(source).is_file()] == []


def test_there_is_more_test_than_source() -> None:
    assert lines(sorted((ROOT / "tests").rglob("*.py"))) / lines(SOURCES) >= LEAST_RATIO


@pytest.mark.parametrize("package", PACKAGES)
def test_files_and_functions_stay_short(package: str) -> None:
    mine = [source for source in SOURCES if source.is_relative_to(ROOT / package)]
    tables = [source for source in mine if source.is_relative_to(MIGRATIONS)]
    assert [source.name for source in mine if lines([source]) > LONGEST_FILE] == []
    assert [(source.name, name) for source in mine if source not in tables for name in long_functions(source)] == []
