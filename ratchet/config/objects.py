"""Objects of the user's own code, named as ``module:attribute`` in task.toml."""

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field

from ratchet.concurrency import is_our_own, to_daemon_thread, user_calls
from ratchet.config.own_names import has_code, leave_names_to
from ratchet.errors import ConfigurationError, one_line

ObjectPath = Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]
"""``module:attribute``, as it is written in task.toml."""
BESIDE = "ratchet_project"
"""Package under which modules of a project are imported whose own name is taken."""
SECONDS = 60.0
"""An import that takes longer is given up."""


def import_object(path: str, where: str) -> Any:
    """The object that `path` (``module:attribute``) names.

    Modules in the working directory are found too, whether or not they share their name with one of ours or Python's.

    Raises:
        ConfigurationError: it cannot be imported; `where` says who asked for it.
    """
    module, _, attribute = path.partition(":")
    try:
        folder = Path.cwd()
    except OSError as error:
        raise ConfigurationError(f"{where}: the working directory was removed, go to another one") from error
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    leave_names_to(folder)
    try:
        with _same_directory(folder):
            return _find(module, attribute, folder)
    except BaseException as error:  # importing runs the user's code, which may raise anything
        if is_our_own(error):
            raise
        problem = f"{where}: {path!r} cannot be imported: {one_line(error)}"
        raise ConfigurationError(problem + _name_clash(module, folder)) from error


@contextmanager
def _same_directory(folder: Path) -> Iterator[None]:
    """The working directory is `folder` again afterwards: our own paths begin there."""
    try:
        yield
    finally:
        os.chdir(folder)


def _find(module: str, attribute: str, folder: Path) -> Any:
    name = module.partition(".")[0]
    if name in sys.stdlib_module_names and _is_hidden(name, folder):
        return getattr(_import_beside(module, folder), attribute)
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError):
        if not _is_hidden(name, folder):
            raise
        return getattr(_import_beside(module, folder), attribute)


def _is_hidden(name: str, folder: Path) -> bool:
    """Whether the project in `folder` has a module or package of that name, and an import finds another one."""
    if not name or not has_code(folder, name):
        return False
    mine = {folder / f"{name}.py", folder / name, folder / name / "__init__.py"}
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # made by hand: it has no spec
        return False
    if spec is None:
        return False
    found = [spec.origin or "", *(spec.submodule_search_locations or [])]
    return not mine & {Path(place) for place in found}


def _import_beside(module: str, folder: Path) -> ModuleType:
    """The project's module under another name, so that nobody who means the other one of its name gets it."""
    beside = sys.modules.setdefault(BESIDE, ModuleType(BESIDE))
    beside.__path__ = [str(folder)]
    return importlib.import_module(f"{BESIDE}.{module}")


def _name_clash(module: str, folder: Path) -> str:
    """What to do where a module of the user's has the name of another one that comes first, else nothing."""
    name = module.partition(".")[0]
    if not _is_hidden(name, folder):
        return ""
    owner = "Python" if name in sys.stdlib_module_names else "an installed package"
    return f"; {name!r} is a module of {owner} too: give yours another name, or import its parts as `from . import`"


def import_instance(path: str, where: str) -> Any:
    """The object that `path` names; a class is called without arguments.

    Raises:
        ConfigurationError: it cannot be imported or made; `where` says who asked for it.
    """
    named = import_object(path, where)
    if not inspect.isclass(named):
        return named
    try:
        return named()
    except BaseException as error:  # the user's code, which may raise anything
        if is_our_own(error):
            raise
        raise ConfigurationError(
            f"{where}: {path!r} cannot be made without arguments ({one_line(error)}); name an instance"
        ) from error


async def load_object(path: str, where: str) -> Any:
    """`import_object` from a coroutine.

    Raises:
        ConfigurationError: it cannot be imported within `SECONDS`.
    """
    return await _load(import_object, path, where)


async def load_instance(path: str, where: str) -> Any:
    """`import_instance` from a coroutine.

    Raises:
        ConfigurationError: it cannot be imported and made within `SECONDS`.
    """
    return await _load(import_instance, path, where)


async def _load(load: Callable[[str, str], Any], path: str, where: str) -> Any:
    try:
        async with user_calls.within(SECONDS):
            return await to_daemon_thread(load, path, where)
    except TimeoutError as error:
        raise ConfigurationError(f"{where}: the import of {path!r} took longer than {SECONDS:g} s") from error
