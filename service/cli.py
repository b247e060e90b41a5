"""The `ratchet` command."""

import logging
import sys

import typer
from rich.logging import RichHandler
from rich.text import Text

from ratchet import __version__
from ratchet.config.settings import unknown_variables
from ratchet.errors import AlreadyDecidedError, RatchetError, RefusalError, StaleBaseError
from service.commands.approving import approve, inbox, reject, show
from service.commands.calibrate import calibrate
from service.commands.cases import cases
from service.commands.demo import demo
from service.commands.doctor import doctor
from service.commands.failures import failures
from service.commands.improving import improve
from service.commands.init import init
from service.commands.resolving import resolve
from service.commands.running import evaluate, run
from service.commands.versions import audit, history, rollback
from service.console import err
from service.machine import write_any_text

app = typer.Typer(
    name="ratchet",
    help="Keeps LLM agents from decaying: finds why runs fail, proves a fix, asks a person, applies it, takes it back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    demo,
    init,
    run,
    improve,
    inbox,
    show,
    approve,
    reject,
    resolve,
    rollback,
    history,
    failures,
    audit,
    calibrate,
    doctor,
):
    app.command()(command)
app.add_typer(cases, name="cases")
app.command("eval")(evaluate)


@app.callback(invoke_without_command=True)
def options(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    """Options before the command."""
    logging.basicConfig(level="WARNING", format="%(message)s", handlers=[RichHandler(console=err, show_path=False)])
    logging.getLogger("bm25s").setLevel("WARNING")  # it sets itself to DEBUG
    if version:
        typer.echo(f"ratchet {__version__}")
        raise typer.Exit
    misspelt = [str(variable) for variable in unknown_variables() if variable.likely]
    if misspelt:
        err.print(Text.assemble(("warning:", "yellow"), f" {' '.join(misspelt)}"), soft_wrap=True)


def main() -> None:
    """Run the command line: exit code 0 done, 1 the answer is no, 2 wrong use or configuration."""
    write_any_text()
    try:
        app()
    except (AlreadyDecidedError, RefusalError, StaleBaseError) as error:
        _tell("no:", error)
        sys.exit(1)
    except RatchetError as error:
        _tell("error:", error)
        sys.exit(2)


def _tell(what: str, error: RatchetError) -> None:
    err.print(Text.assemble((what, "bold red"), f" {error}"), soft_wrap=True)


if __name__ == "__main__":
    main()
