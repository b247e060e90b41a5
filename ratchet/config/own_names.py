"""Names of Ratchet's own packages that a project uses too.

Ratchet's modules have imported each other when a command or a server has started. From then on the names can be left to
the project: what was imported before goes on working.
"""

import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

HOME = Path(__file__).resolve().parents[2]
"""The folder of Ratchet's packages."""
NAMES = ("prompts", "ratchet", "nodes", "graph", "service")
KEPT = "ratchet_agents:"
"""Before the name under which a module of ours stays in ``sys.modules``; `ratchet_agents.packages` finds it there."""
_lock = threading.Lock()
_looked_at: set[Path] = set()


class ProjectFinder(MetaPathFinder):
    """Finds those of `NAMES` that were left to a project, and nothing else."""

    of_project = True
    """For `ratchet_agents.packages`, which looks for ours."""

    def __init__(self, folder: Path, names: frozenset[str]) -> None:
        self.folder = folder
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the project has the package or module."""
        return PathFinder.find_spec(fullname, [str(self.folder)]) if fullname in self.names else None


def leave_names_to(folder: Path) -> None:
    """From now on those of `NAMES` that the project in `folder` has are the project's, whatever stands first on
    ``sys.path``. What it has is looked for once."""
    with _lock:
        if folder in _looked_at:
            return
        _looked_at.add(folder)
        names = frozenset(name for name in NAMES if has_code(folder, name))
        if not names or _is_checkout(folder):
            return
        ours = [name for name in names if name in sys.modules and is_ours(sys.modules[name], name)]
        for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
            sys.modules[KEPT + name] = sys.modules.pop(name)
        sys.meta_path.insert(0, ProjectFinder(folder, names))


def _is_checkout(folder: Path) -> bool:
    """Whether it is no project, but Ratchet's own source."""
    return folder.resolve() == HOME or (folder / "ratchet_agents").is_dir()


def has_code(folder: Path, name: str) -> bool:
    """Whether the folder has a module or a package of Python code of that name."""
    return (folder / f"{name}.py").is_file() or next((folder / name).rglob("*.py"), None) is not None


def is_ours(module: ModuleType, name: str) -> bool:
    """Whether the top-level module is Ratchet's package of that name."""
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().parent == HOME / name
