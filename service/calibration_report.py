"""The tables of a calibration."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from ratchet.calibration import JudgeAgreement, TriageAgreement
from ratchet.calibration.labels import CATEGORIES
from ratchet.calibration.triage_agreement import NONE, Confusion
from ratchet.counting import quantity
from ratchet.records import Measure
from service.console import Grid, cell, percent, whole, wide

PROBLEMS_SHOWN = 5


def calibration_tables(
    judges: Sequence[JudgeAgreement], triage: TriageAgreement | None, skipped: int, advice: Sequence[str]
) -> Iterator[RenderableType]:
    """All that was measured, as tables and lines."""
    for found in judges:
        yield _judge(found)
        if found.traps:
            yield _traps(found)
    if triage:
        if triage.n:
            yield _triage(triage)
            yield _confusion("Triage by experiments", triage.confusion)
            yield _confusion("The analyst model alone", triage.analyst_confusion)
        yield from _left_out(triage)
    if skipped:
        yield cell(f"Lines without a label, skipped: {skipped}")
    yield _advice(advice)


def _judge(found: JudgeAgreement) -> Grid:
    asks = f", {found.repeats} asks each" if found.repeats > 1 else ""
    table = _shares(f"Judge of {found.criterion}: {found.model}{asks}, {quantity(found.n, 'labelled output')}")
    table.note = f"{quantity(found.calls, 'model call')} paid, {found.reused} reused"
    _add(table, "accuracy", found.accuracy, "of all outputs: its verdict is the person's")
    _add(table, "agreement", found.agreement, "the same, of the outputs that got a verdict")
    _add(table, "false passes", found.false_pass, "of the wrong outputs")
    _add(table, "false fails", found.false_fail, "of the right outputs")
    _add(table, "errors", found.errors, "of all outputs: no verdict in form")
    return table


def _traps(found: JudgeAgreement) -> Grid:
    table = _shares("Led astray")
    if found.traps:
        _add(table, "order", found.traps.order, "verdict changes with the places of answer and reference")
        _add(table, "verbosity", found.traps.verbosity, "a wrong output passes with an empty paragraph after it")
        _add(table, "repeats", found.traps.repeats, "asked again, the judge disagrees with itself")
    return table


def _triage(found: TriageAgreement) -> Grid:
    table = _shares(f"Triage: {quantity(found.n, 'labelled failure')}, analyst {found.analyst_model}")
    table.note = f"{quantity(found.calls, 'model call')} paid, {found.reused} reused"
    _add(
        table, "experiments", found.accuracy, f"they name the label; {found.calls_per_failure:g} model calls a failure"
    )
    alone = f"its opinion names the label; {found.analyst_calls_per_failure:g} model calls a failure"
    _add(table, "analyst alone", found.analyst, alone)
    return table


def _shares(title: str) -> Grid:
    columns = (wide(""), whole("share", right=True), whole("95 %", right=True), whole("of", right=True))
    return Grid(*columns, wide("what it is"), title=title)


def _add(table: Table, name: str, share: Measure, meaning: str) -> None:
    interval = f"{100 * share.low:.0f}-{100 * share.high:.0f}" if share.n else "-"
    table.add_row(name, percent(share.rate if share.n else None), interval, str(share.n), cell(meaning))


def _confusion(title: str, counts: Confusion) -> Grid:
    table = Grid(whole("people say"), title=title)
    columns = [name for name in (*CATEGORIES, NONE) if any(name in row for row in counts.values()) or name in counts]
    for name in columns:
        table.add_column(name, justify="right")
    for label in CATEGORIES:
        if label in counts:
            row = counts[label]
            cells = (cell(str(row.get(name, 0)), "green" if name == label else "") for name in columns)
            table.add_row(label, *cells)
    return table


def _left_out(found: TriageAgreement) -> Iterator[RenderableType]:
    if found.did_not_fail:
        yield cell(f"Did not fail when served, left out: {len(found.did_not_fail)}")
        yield _list(found.did_not_fail)
    if found.problems:
        yield cell(f"Could not be triaged: {len(found.problems)}")
        yield _list(found.problems)


def _list(lines: Sequence[str], most: int = PROBLEMS_SHOWN) -> Table:
    rows = Table.grid(padding=(0, 1))
    for line in lines[:most]:
        rows.add_row("-", cell(line))
    if len(lines) > most:
        rows.add_row("", f"and {len(lines) - most} more")
    return rows


def _advice(lines: Sequence[str]) -> RenderableType:
    return Group(cell("Advice", "bold"), _list(lines, len(lines)))
