"""Objects of the user's own code, named as ``module:attribute`` in task.toml."""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ratchet.concurrency import to_daemon_thread, user_calls
from ratchet.errors import ConfigurationError

ObjectPath = Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]
"""``module:attribute``, as it is written in task.toml."""
HOME = Path(__file__).parents[2]
"""The folder of Ratchet's packages."""
SECONDS = 60.0
"""An import that takes longer is given up."""


def import_object(path: str, where: str) -> Any:
    """The object that `path` (``module:attribute``) names; modules in the working directory are found too.

    Raises:
        ConfigurationError: it cannot be imported; `where` says who asked for it.
    """
    module, _, attribute = path.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        return getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
        problem = f"{where}: {path!r} cannot be imported: {type(error).__name__}: {error}"
        raise ConfigurationError(problem + _name_clash(module, Path(folder))) from error


def _name_clash(module: str, folder: Path) -> str:
    """What to do where a module of the user's in `folder` has the name of one of Ratchet's packages, else nothing."""
    name = module.partition(".")[0]
    found = getattr(sys.modules.get(name), "__file__", None)
    is_ours = found is not None and Path(found).parent == HOME / name
    is_theirs = folder != HOME and any((folder / place).exists() for place in (name, f"{name}.py"))
    return f"; {name!r} is a package of Ratchet's here, give your module another name" if is_ours and is_theirs else ""


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
    except (Exception, SystemExit) as error:  # the user's code, which may raise anything
        raise ConfigurationError(
            f"{where}: {path!r} cannot be made without arguments ({type(error).__name__}: {error}); name an instance"
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
