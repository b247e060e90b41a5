import asyncio
import importlib
import json
import sys
import threading
import types
from collections.abc import Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from ratchet.config import objects
from ratchet.config.objects import import_instance, import_object, load_instance, load_object
from ratchet.errors import ConfigurationError


class HangingModule(MetaPathFinder, Loader):
    """Finds modules called `hanging_...`, whose import does not come back before `end` is set."""

    def __init__(self) -> None:
        self.end = threading.Event()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.startswith("hanging_") else None

    def exec_module(self, module: types.ModuleType) -> None:
        self.end.wait()


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    finder = HangingModule()
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    yield
    finder.end.set()


def test_object_of_the_working_directory_is_found(tmp_path: Path) -> None:
    (tmp_path / "shelf_of_objects.py").write_text("wanted = [1]\n")
    assert import_object("shelf_of_objects:wanted", "here") == [1]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no_such_module:f", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("json:nothing", "AttributeError: module 'json' has no attribute 'nothing'"),
        ("json", "AttributeError: "),
        (":f", "ValueError: Empty module name"),
        ("..:f", "TypeError: "),
    ],
)
def test_object_that_is_missing_is_named(path: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^criterion c: '{path}' cannot be imported: {why}"):
        import_object(path, "criterion c")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("def f(:", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit('usage: tool FILE')", "SystemExit: usage: tool FILE"),
    ],
)
def test_module_that_fails_while_it_is_imported_is_told(tmp_path: Path, code: str, why: str) -> None:
    (tmp_path / "failing_module.py").write_text(code)
    with pytest.raises(ConfigurationError, match=rf"'failing_module:f' cannot be imported: {why}"):
        import_object("failing_module:f", "here")


@pytest.mark.anyio
async def test_load_object_gives_up_a_module_that_hangs(hanging: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "SECONDS", 0.05)
    with pytest.raises(ConfigurationError, match=r"here: the import of 'hanging_module:f' took longer than 0\.05 s"):
        await asyncio.wait_for(load_object("hanging_module:f", "here"), 10)
    assert await load_object("json:dumps", "here")


class Thing:
    """Something of a user's."""


class Broken:
    def __init__(self) -> None:
        raise OSError("no disk")


@pytest.fixture
def named(scripts: types.ModuleType) -> str:
    """A module with a class, an object of it, and a class that cannot be made."""
    vars(scripts).update(Thing=Thing, one=Thing(), Broken=Broken)
    return scripts.__name__


def test_class_is_called_and_an_instance_taken_as_it_is(named: str, scripts: types.ModuleType) -> None:
    assert import_object(f"{named}:Thing", "here") is Thing
    assert isinstance(import_instance(f"{named}:Thing", "here"), Thing)
    assert import_instance(f"{named}:one", "here") is scripts.one


def test_class_that_cannot_be_made_is_told(named: str) -> None:
    why = r"^here: '\w+:Broken' cannot be made without arguments \(OSError: no disk\); name an instance$"
    with pytest.raises(ConfigurationError, match=why):
        import_instance(f"{named}:Broken", "here")


@pytest.mark.anyio
async def test_load_instance_gives_up_a_module_that_hangs(
    named: str, hanging: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(await load_instance(f"{named}:Thing", "here"), Thing)
    monkeypatch.setattr(objects, "SECONDS", 0.05)
    with pytest.raises(ConfigurationError, match=r"here: the import of 'hanging_again:f' took longer than 0\.05 s"):
        await asyncio.wait_for(load_instance("hanging_again:f", "here"), 10)


def test_name_of_ours_is_no_advice_where_the_project_has_no_such_module() -> None:
    with pytest.raises(ConfigurationError, match=r"no attribute 'wanted'$"):
        import_object("ratchet:wanted", "here")


@pytest.mark.parametrize(
    "raised", ["KeyboardInterrupt()", "SystemExit(0)", "Outcome('skipped')", "OSError(1, 'two\\nlines')"]
)
def test_whatever_a_module_raises_is_told_in_one_line(tmp_path: Path, raised: str) -> None:
    (tmp_path / "raising_module.py").write_text(f"class Outcome(BaseException): pass\nraise {raised}")
    with pytest.raises(ConfigurationError, match="'raising_module:f' cannot be imported: ") as told:
        import_object("raising_module:f", "here")
    assert raised.partition("(")[0].replace("OSError", "PermissionError") in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["colorsys", "sched", "wave"])
def test_module_of_a_name_of_python_s_is_found_beside_it(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("wanted = 'mine'")
    assert import_object(f"{name}:wanted", "here") == "mine"
    assert not hasattr(importlib.import_module(name), "wanted")


def test_data_in_a_folder_of_a_name_of_python_s_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "data.txt").write_text("x")
    assert import_object("json:dumps", "here") is json.dumps


def test_working_directory_is_the_same_afterwards(tmp_path: Path) -> None:
    (tmp_path / "leaving_module.py").write_text("import os\nos.chdir('/')\nwanted = 1")
    assert import_object("leaving_module:wanted", "here") == 1
    assert Path.cwd() == tmp_path


def test_working_directory_that_was_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ConfigurationError, match="here: the working directory was removed"):
        import_object("json:dumps", "here")
