import ast
import hashlib
import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED = CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
INITS = sorted(file for name in SHIPPED for file in (ROOT / name).rglob("__init__.py"))
APACHE = "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4"
"""SHA-256 of the licence's text as its authors publish it, without the empty first line."""


@pytest.mark.parametrize("name", SHIPPED)
def test_package_comes_from_the_repository(name: str) -> None:
    file = importlib.import_module(name).__file__

    assert file is not None
    assert Path(file) == ROOT / name / "__init__.py"


@pytest.mark.parametrize("name", SHIPPED)
def test_package_says_that_it_is_typed(name: str) -> None:
    assert (ROOT / name / "py.typed").read_bytes() == b""


def test_every_package_is_shipped_checked_and_under_contract() -> None:
    there = {file.parent.name for file in ROOT.glob("*/__init__.py")}

    assert there == set(SHIPPED)
    assert there <= set(CONFIG["tool"]["mypy"]["packages"])
    assert there == set(CONFIG["tool"]["importlinter"]["root_packages"])


@pytest.mark.parametrize("file", INITS, ids=lambda file: str(file.relative_to(ROOT)))
def test_package_lists_what_it_offers(file: Path) -> None:
    defined = [node for node in ast.parse(file.read_text(encoding="utf-8")).body if not isinstance(node, ast.Expr)]
    module = importlib.import_module(".".join(file.parent.relative_to(ROOT).parts))

    assert not defined or module.__all__
    assert [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)] == []


def test_licence_is_the_one_that_is_named() -> None:
    text = (ROOT / "LICENSE").read_bytes()

    assert CONFIG["project"]["license"] == "Apache-2.0"
    assert hashlib.sha256(text).hexdigest() == APACHE
