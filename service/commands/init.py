"""`ratchet init`: a project to start from."""

from pathlib import Path
from typing import Annotated

import typer

from ratchet.errors import ConfigurationError
from service.commands.options import AsJson
from service.console import cell, out, print_json

TEMPLATE = Path(__file__).parent.parent / "template"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; made if need be.")],
    as_json: AsJson = False,
) -> None:
    """Write a small example project: rules, prompts, one task with cases and documents. Nothing is overwritten."""
    files = sorted(file for file in TEMPLATE.rglob("*") if file.is_file())
    names = [file.relative_to(TEMPLATE) for file in files]
    there = [str(name) for name in names if (folder / name).exists()]
    if there:
        raise ConfigurationError(f"{folder}: {there[0]} exists already; nothing was written")
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder; nothing was written")
    for file, name in zip(files, names, strict=True):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    if as_json:
        print_json({"folder": str(folder), "files": [str(name) for name in names]})
        return
    for name in names:
        out.print(cell(f"  {folder / name}"), soft_wrap=True)
    out.print(cell(f"next: cd {folder} && ratchet doctor && ratchet improve greeter"), soft_wrap=True)
