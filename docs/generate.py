"""Writes the parts of the documentation that can be derived: graph pictures, command help, the index of decisions.

``python -m docs.generate`` writes it; with ``--check`` nothing is written, and a stale file is named and exits 1.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from langgraph.graph.state import CompiledStateGraph
from typer.core import TyperCommand, TyperGroup

from graph.agent import graph as agent
from graph.improve import graph as improve
from graph.serve import graph as serve
from service.cli import COMMANDS, load_command
from service.exit_codes import MEANINGS

DOCS = Path(__file__).parent
ROOT = DOCS.parent
WIDTH = 100
"""Columns of the help texts."""
GRAPHS: dict[str, CompiledStateGraph[Any, Any, Any, Any]] = {"agent": agent, "serve": serve, "improve": improve}
"""The graphs that have a picture, by name."""
_CLI_HEAD = """# The `ratchet` command

This page is written by `make docs` from the command line itself; do not edit it.

Every command that prints data takes `--json`: one object on standard output, all else on standard error. With `--all`
that is `{"tasks": [...]}` with an object for each task. Of every id the beginning is enough, four characters or more.

Every command ends with one of these exit codes. They keep their meaning; with `--all` the most urgent one counts. 3, 4
and 5 are ended with where `--exit-code` is given, and by `try`: nothing went wrong there, which else is 0.

"""


def commands() -> dict[str, TyperCommand]:
    """Every command of the app by name, made to print plain help with paths that are the same on every machine."""
    found: dict[str, TyperCommand] = {}
    for name in COMMANDS:
        command = load_command(name)
        if isinstance(command, TyperGroup):
            inner = command.commands.items()
            found |= {f"{name} {part}": made for part, made in inner if isinstance(made, TyperCommand)}
        else:
            found[name] = command
    for command in found.values():
        command.rich_markup_mode = None
        for parameter in command.params:
            if isinstance(parameter.default, Path) and parameter.default.is_absolute():
                parameter.default = parameter.default.relative_to(ROOT)
    return found


def help_text(name: str, command: TyperCommand) -> str:
    """What ``ratchet NAME --help`` says, without frames and colours."""
    context = command.make_context(f"ratchet {name}", [], resilient_parsing=True, terminal_width=WIDTH)
    return command.get_help(context).strip()


def exit_codes() -> str:
    """The table of exit codes."""
    rows = [f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["| Exit code | Meaning |", "|---|---|", *rows, ""])


def cli_page() -> str:
    """The text of cli.md."""
    parts = [f"## {name}\n\n```text\n{help_text(name, command)}\n```\n" for name, command in commands().items()]
    return "\n".join([f"{_CLI_HEAD}{exit_codes()}", *parts])


def with_part(text: str, name: str, part: str) -> str:
    """`text` with `part` between the markers ``<!-- NAME -->`` and ``<!-- /NAME -->``.

    Raises:
        ValueError: the markers do not stand in `text` once each, in this order.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if (text.count(start), text.count(end)) != (1, 1):
        raise ValueError(f"{start} and {end} have to stand in the text once each")
    before, _, rest = text.partition(start)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{end} stands before {start}")
    return f"{before}{start}\n{part}\n{end}{after}"


def with_graphs(text: str) -> str:
    """`text` with the picture of each graph between its markers, see `with_part`."""
    for name, graph in GRAPHS.items():
        text = with_part(text, f"graph:{name}", f"```mermaid\n{graph.get_graph().draw_mermaid().strip()}\n```")
    return text


def anchor(heading: str) -> str:
    """What a Markdown viewer makes of a heading, to link to it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def with_index(text: str) -> str:
    """`text` with links to its numbered entries between the markers of the index, see `with_part`."""
    entries = re.findall(r"^## ((\d+)\. (.+) \([\d-]+\))$", text, re.MULTILINE)
    return with_part(
        text, "index", "\n".join(f"{number}. [{title}](#{anchor(all_)})" for all_, number, title in entries)
    )


def pages() -> dict[Path, str]:
    """Every generated file with the text it should have."""
    architecture, decisions = DOCS / "architecture.md", DOCS / "decisions.md"
    return {
        architecture: with_graphs(architecture.read_text(encoding="utf-8")),
        decisions: with_index(decisions.read_text(encoding="utf-8")),
        DOCS / "cli.md": cli_page(),
    }


def stale(wanted: dict[Path, str]) -> list[Path]:
    """The files that are missing or have another text than `wanted`."""
    return [file for file, text in wanted.items() if not file.is_file() or file.read_text(encoding="utf-8") != text]


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    check: bool = parser.parse_args(arguments).check
    wanted = pages()
    for file in stale(wanted):
        if check:
            sys.stdout.write(f"{file.relative_to(ROOT)} is stale; run `make docs`\n")
        else:
            file.write_text(wanted[file], encoding="utf-8")
            sys.stdout.write(f"{file.relative_to(ROOT)} is written\n")
    return 1 if check and stale(wanted) else 0


if __name__ == "__main__":
    sys.exit(main())
