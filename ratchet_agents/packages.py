"""Finding Ratchet's own packages in a project that has packages of the same names.

`prompts`, `ratchet`, `nodes`, `graph` and `service` stand beside this package. A program's own folder comes first on
``sys.path``, so a `graph.py` there hides ours.
"""

import importlib.util
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

HOME = Path(__file__).resolve().parents[1]
"""The folder that holds all of them."""
NAMES = ("prompts", "ratchet", "nodes", "graph", "service")
KEPT = "ratchet_agents:"
"""Before the name under which a module of ours stays in ``sys.modules`` while its own name is the project's, so that
there is never a second one of it. `ratchet.config.own_names` does the same."""


@contextmanager
def own_packages() -> Iterator[None]:
    """While this is open, `NAMES` are Ratchet's packages. Afterwards those that were hidden are the project's again.

    What was imported meanwhile goes on working, as modules keep what they have imported. So none of ours may import
    another one later than at its top.
    """
    hidden = [name for name in NAMES if not _is_ours(name)]
    if not hidden:
        yield
        return
    theirs, finders = _take_out(hidden), sys.meta_path[:]
    sys.modules.update(
        {name.removeprefix(KEPT): sys.modules[name] for name in [*sys.modules] if _is_kept(name, hidden)}
    )
    sys.meta_path[:] = [finder for finder in finders if not hasattr(finder, "of_project")]
    sys.path.insert(0, str(HOME))
    try:
        yield
    finally:
        sys.path.remove(str(HOME))
        sys.meta_path[:] = finders
        sys.modules.update({KEPT + name: module for name, module in _take_out(hidden).items()})
        sys.modules.update(theirs)


def _is_ours(name: str) -> bool:
    """Whether an import of `name` gives the package in `HOME`."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # a module without a spec: made by hand, so not ours
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve().parent == HOME / name


def _is_kept(name: str, packages: Collection[str]) -> bool:
    return name.startswith(KEPT) and name.removeprefix(KEPT).partition(".")[0] in packages


def _take_out(names: Collection[str]) -> dict[str, ModuleType]:
    """Take the packages `names` with all their modules out of those that are imported."""
    inside = [name for name in sys.modules if name.partition(".")[0] in names]
    return {name: sys.modules.pop(name) for name in inside}
