"""`ratchet demo`: the loop on its own example task, with the embedded model."""

from pathlib import Path
from typing import Annotated

import typer

from ratchet.approval import load_policy
from ratchet.concurrency import run_main
from ratchet.config.settings import Settings
from service.commands.options import AsJson
from service.console import Grid, cell, entry, out, percent, print_json, progress, whole, wide, words
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
        out.print(entry(words(("Changes are approved under this policy", "bold")), rules.as_json().items()))
    with progress("demo", "the next call starts afresh") as tell:
        result = run_main(run_demo(settings, rules, cycles, tell))
    if as_json:
        print_json(result.as_json(rules))
        return
    out.print(_table(result))
    numbers = f"{percent(result.before)} -> {percent(result.after)} of {result.steps[0].held_out.n} held-out cases"
    paid = f"{result.calls} model calls, {result.seconds:.0f} s"
    out.print(cell(f"{numbers}, {paid}. Everything is in {result.home}."))
    if len(result.steps) == cycles + 1 and result.steps[-1].status == "applied":
        out.print(f"`ratchet demo --cycles {cycles + 2}` starts afresh and goes on after this.", highlight=False)


def _table(result: DemoResult) -> Grid:
    columns = (whole("version"), whole("success", right=True), whole("95 %", right=True), wide("what happened"))
    table = Grid(*columns, whole("cycle"), title="Success on held-out cases")
    for step in result.steps:
        found = step.held_out
        interval = f"{100 * found.low:.0f}-{100 * found.high:.0f}"
        happened = step.change if step.status in ("start", "applied") else f"{step.change} ({step.status})"
        story = cell(happened + (f"\n{step.reason}" if step.reason else ""))
        table.add_row(str(step.version), percent(found.rate), interval, story, step.cycle_id or "")
    return table
