import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "benchmarks").rglob("*.py"))
STEMS = {file.stem for file in FILES}
ALONE = {"run_dspy", "run_gepa"}
"""Scripts for the peers' own environments, where nothing of the repository is on the path but what is beside them."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_benchmarks_import_each_other_by_their_whole_names(file: Path) -> None:
    nodes = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    short = {node.module for node in nodes} & STEMS

    assert short == ({"answers"} if file.stem in ALONE else set())
