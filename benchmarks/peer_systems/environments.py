"""A virtual environment for each group of peers, made once and kept."""

import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = {
    "gepa": ("gepa==0.1.4", "litellm"),
    "dspy": ("dspy[optuna]==3.4.1",),
    "plot": ("matplotlib",),
}


def python_of(group: str, folder: Path) -> Path:
    """The interpreter of a group's environment, which is made where it is missing.

    Raises:
        subprocess.CalledProcessError: the packages could not be installed.
    """
    place = folder / group
    python = place / "bin" / "python"
    note = place / "packages.txt"
    wanted = "\n".join(PACKAGES[group])
    if not note.is_file() or note.read_text() != wanted:
        print(f"making the environment {place}", file=sys.stderr)
        venv.create(place, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES[group]]
        subprocess.run(pip, check=True, stdout=sys.stderr)
        note.write_text(wanted)
    return python
