"""The `ratchet` command. What a command needs is imported when it is asked for: help has to be there at once."""

import logging
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, NamedTuple

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from ratchet import __version__
from ratchet.errors import RatchetError
from ratchet.text import whole_text
from service.console import InterruptError, LogHandler, cell, err, flush_output, one_line, prepare_streams, words
from service.exit_codes import ExitCode, code_of_error

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""What a wrong command line raises."""


class Place(NamedTuple):
    """Where a command is: a function of a module, or an app with commands of its own."""

    module: str
    name: str
    help: str
    """The first paragraph of its docstring."""

    def load(self) -> Any:
        """The function or app itself."""
        return getattr(import_module(f"service.commands.{self.module}"), self.name)


COMMANDS = {
    "demo": Place(
        "demo",
        "demo",
        "Improve the embedded model at the example task, on a copy under HOME, and measure it. Needs no key.",
    ),
    "init": Place(
        "init",
        "init",
        "Write a small example project: rules, prompts, one task with cases and documents. Nothing is overwritten.",
    ),
    "run": Place(
        "running",
        "run",
        "Run the agent once, score it, and store it; a failure is kept for the next improvement.",
    ),
    "improve": Place(
        "improving",
        "improve",
        "Find the cause of the largest group of failures, try fixes, prove the best one, and ask for approval.",
    ),
    "inbox": Place(
        "inbox",
        "inbox",
        "List what waits for a person: changes to approve, and failures that could not be fixed automatically.",
    ),
    "show": Place("showing", "show", "Show a cycle, a run or a failure whole, by its id or the beginning of it."),
    "approve": Place(
        "approving", "approve", "Approve a change; it goes live at once. A version of your own is validated first."
    ),
    "reject": Place(
        "approving",
        "reject",
        "Reject a change; with feedback, another proposal is made (a bounded number of times).",
    ),
    "resolve": Place("resolving", "resolve", "Answer an item of the review queue."),
    "try": Place(
        "trying",
        "try_file",
        "Prove an edit of a prompts file on the held-out cases, against the one in force. Nothing is applied.",
    ),
    "rollback": Place("versions", "rollback", "Bring back an earlier version of a task's prompts, byte for byte."),
    "history": Place("versions", "history", "List the versions of a task's prompts, and the cycles they come from."),
    "failures": Place(
        "failures",
        "failures",
        "Show stored failures by group, the largest first: what they have in common, how many, since when.",
    ),
    "audit": Place("versions", "audit", "Show who changed what and why; --verify checks the chain of hashes."),
    "calibrate": Place(
        "calibrate",
        "calibrate",
        "Compare the judge and the triage with what people said, and say which setting to change.",
    ),
    "doctor": Place("doctor", "doctor", "Say what is configured, what answers, and what to do if not."),
    "cases": Place(
        "cases",
        "cases",
        "The cases of a task: those in its file, and those that people approved from production.",
    ),
    "eval": Place(
        "running",
        "evaluate",
        "Measure the success rate of the prompts in force on the task's cases. Equal runs are paid for once.",
    ),
}
"""All of them, in the order of the help."""


def load_command(name: str) -> TyperCommand | TyperGroup:
    """The command, imported."""
    found = COMMANDS[name].load()
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(name)(found)
        found = single
    made: Any = typer.main.get_command(found)
    made.name = name
    for command in made.commands.values() if isinstance(made, TyperGroup) else [made]:
        command.callback = command.callback and _with_whole_texts(command.callback)
        command.help = "\n\n".join(" ".join(part.split()) for part in str(command.help or "").split("\n\n"))
    return made  # type: ignore[no-any-return]


def _with_whole_texts(function: Callable[..., Any]) -> Callable[..., None]:
    """`function` with halves of surrogate pairs in its texts replaced; a path may have them, as it names a file."""

    @wraps(function)
    def call(**given: Any) -> None:
        function(**{name: _whole(value) for name, value in given.items()})

    return call


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return whole_text(value)
    return [_whole(item) for item in value] if isinstance(value, list) else value


class Commands(TyperGroup):
    """The commands as the help lists them; the one that is asked for is imported."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {name: TyperCommand(name, help=place.help) for name, place in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The name, the command and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else command, rest


app = typer.Typer(
    name="ratchet",
    cls=Commands,
    help="Keeps LLM agents from decaying: finds why runs fail, proves a fix, asks a person, applies it, takes it back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def options(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    """Options before the command."""
    logging.basicConfig(level="WARNING", handlers=[LogHandler()])
    logging.captureWarnings(True)
    logging.getLogger("bm25s").setLevel("WARNING")  # it sets itself to DEBUG
    if version:
        typer.echo(f"ratchet {__version__}")
        raise typer.Exit
    from ratchet.config.settings import unknown_variables

    misspelt = [str(variable) for variable in unknown_variables() if variable.likely]
    if misspelt:
        err.print(words(("warning:", "yellow"), one_line(f" {' '.join(misspelt)}")), soft_wrap=True)


def main() -> None:
    """Run the command line; `service.exit_codes` says what the exit code means."""
    prepare_streams()
    sys.exit(_run())


def _run() -> int:
    try:
        code = app(prog_name="ratchet", standalone_mode=False) or ExitCode.DONE
        if code == ExitCode.INTERRUPTED:  # typer has taken it for an exit
            raise KeyboardInterrupt
        flush_output()
    except UsageError as error:
        return _wrong_use(error)
    except RatchetError as error:
        code = code_of_error(error)
        _tell("no:" if code is ExitCode.NO else "error:", str(error))
    except (InterruptError, KeyboardInterrupt, typer.Abort) as error:
        _tell("", str(error) or "interrupted: what was stored is kept")
        code = ExitCode.INTERRUPTED
    except Exception as error:
        code = _outside_fault(error) or _fault()
    return int(code)


def _outside_fault(error: Exception) -> ExitCode | None:
    """Tell what the system has refused; None where it is a fault of Ratchet."""
    told = import_module("service.system_errors").sentence_of(error)
    if told is None:
        return None
    _tell("error:", told)
    return ExitCode.WRONG_USE


def _fault() -> ExitCode:
    """Told like all else: what it quotes may be a user's or a model's."""
    err.print(cell(traceback.format_exc()), soft_wrap=True)
    return ExitCode.FAULT


def _wrong_use(error: Any) -> int:
    """One line; nothing where the help was printed, as no command was given."""
    if error.format_message():
        see = f"; see `{error.ctx.command_path} --help`" if error.ctx else ""
        _tell("error:", f"{error.format_message().rstrip('.')}{see}")
    return ExitCode.WRONG_USE


def _tell(what: str, message: str) -> None:
    err.print(words((what, "bold red"), one_line(f" {message}" if what else message)), soft_wrap=True)


if __name__ == "__main__":
    main()
