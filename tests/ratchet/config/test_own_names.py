import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from ratchet.config import own_names
from ratchet.config.own_names import HOME, KEPT, NAMES, ProjectFinder, has_code, is_ours, leave_names_to
from ratchet_agents import packages


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """A package `inner_shelf` of ours with a module, imported already."""
    home = tmp_path / "home"
    modules = {name: types.ModuleType(name) for name in ("inner_shelf", "inner_shelf.part")}
    modules["inner_shelf"].__file__ = str(home / "inner_shelf" / "__init__.py")
    monkeypatch.setattr(own_names, "HOME", home)
    monkeypatch.setattr(own_names, "NAMES", ("inner_shelf",))
    monkeypatch.setattr(own_names, "_looked_at", set())
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    sys.modules.update(modules)
    yield modules["inner_shelf"]
    for name in [name for name in sys.modules if "inner_shelf" in name]:
        del sys.modules[name]


def test_name_that_the_project_has_is_the_project_s_from_then_on(tmp_path: Path, ours: types.ModuleType) -> None:
    (tmp_path / "inner_shelf.py").write_text("OWNER = 'project'")
    leave_names_to(tmp_path)

    import inner_shelf  # type: ignore[import-not-found]

    assert inner_shelf.OWNER == "project"
    assert sys.modules[f"{KEPT}inner_shelf"] is ours
    assert f"{KEPT}inner_shelf.part" in sys.modules
    assert "inner_shelf.part" not in sys.modules


def test_name_that_the_project_has_not_stays_ours(tmp_path: Path, ours: types.ModuleType) -> None:
    (tmp_path / "inner_shelf").mkdir()
    (tmp_path / "inner_shelf" / "prompt.md").write_text("text")
    leave_names_to(tmp_path)

    assert sys.modules["inner_shelf"] is ours
    assert not any(isinstance(finder, ProjectFinder) for finder in sys.meta_path)


def test_module_that_the_program_has_imported_stays(tmp_path: Path, ours: types.ModuleType) -> None:
    ours.__file__ = str(tmp_path / "inner_shelf.py")
    (tmp_path / "inner_shelf.py").write_text("")
    leave_names_to(tmp_path)

    assert sys.modules["inner_shelf"] is ours


def test_checkout_of_ours_is_no_project(tmp_path: Path, ours: types.ModuleType) -> None:
    (tmp_path / "ratchet_agents").mkdir()
    (tmp_path / "inner_shelf.py").write_text("")
    leave_names_to(tmp_path)

    assert sys.modules["inner_shelf"] is ours


@pytest.mark.parametrize(("file", "found"), [("a.py", True), ("a/b/c.py", True), ("a/b.txt", False), ("b.py", False)])
def test_code_is_what_an_import_would_find(tmp_path: Path, file: str, found: bool) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("")
    assert has_code(tmp_path, "a") is found


def test_both_sides_mean_the_same() -> None:
    assert (NAMES, KEPT, HOME) == (packages.NAMES, packages.KEPT, packages.HOME)
    assert all(is_ours(sys.modules[name], name) for name in NAMES if name in sys.modules)
    assert hasattr(ProjectFinder, "of_project")
