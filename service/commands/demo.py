"""`ratchet demo`: the loop on its own example task, with the embedded model."""

from pathlib import Path
from typing import Annotated

import typer
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ratchet.approval import load_policy
from ratchet.concurrency import run_main
from ratchet.config.settings import Settings
from service.commands.options import AsJson
from service.console import out, percent, print_json, progress
from service.demo import DemoResult, demo_settings, run_demo

POLICY = Path(__file__).parent.parent / "demo_policy.toml"


def demo(
    policy: Annotated[
        Path,
        typer.Option(help="Under which conditions changes are approved.", show_default="the policy that ships with it"),
    ] = POLICY,
    cycles: Annotated[int, typer.Option(min=1, help="How many at most; one that changes nothing is the last.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Improve the embedded model at the example task, on a copy under HOME, and measure it. Needs no key."""
    rules = load_policy(policy)
    settings = demo_settings(Settings.load())
    if not as_json:
        written = "\n".join(f"{name} = {value}" for name, value in rules.as_json().items())
        out.print(Panel(Text(written), title="Changes are approved under this policy", expand=False))
    with progress("demo") as tell:
        result = run_main(run_demo(settings, rules, cycles, tell))
    if as_json:
        print_json(result.as_json(rules))
        return
    out.print(_table(result))
    out.print(
        f"{percent(result.before)} -> {percent(result.after)} of {result.steps[0].held_out.n} held-out cases, "
        f"{result.calls} model calls, {result.seconds:.0f} s. Everything is in {result.home}.",
        highlight=False,
    )
    if len(result.steps) == cycles + 1 and result.steps[-1].status == "applied":
        out.print(f"`ratchet demo --cycles {cycles + 2}` starts afresh and goes on after this.", highlight=False)


def _table(result: DemoResult) -> Table:
    table = Table(title="Success on held-out cases", title_justify="left")
    for name in ("version", "success", "95 % interval", "what happened", "cycle"):
        table.add_column(name)
    for step in result.steps:
        found = step.held_out
        interval = f"{100 * found.low:.0f}-{100 * found.high:.0f}"
        happened = step.change if step.status in ("start", "applied") else f"{step.change} ({step.status})"
        story = Text(happened + (f"\n{step.reason}" if step.reason else ""))
        table.add_row(str(step.version), percent(found.rate), interval, story, step.cycle_id or "")
    return table
