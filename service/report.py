"""What a reviewer reads in a minute."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from ratchet.approval import diff
from ratchet.cycles.spending import with_silent_roles
from ratchet.records import CandidateResult, CaseDifference, Diagnosis, Measure, Proposal, Validation
from ratchet.store.documents import ReviewAnswer
from ratchet.store.rows import FailureRow
from ratchet.store.statuses import WAITING
from service.console import percent
from service.inbox import WholeCycle

CASES_SHOWN = 6


def review(cycle: WholeCycle) -> RenderableType:
    """A cycle: cause, change, numbers, cases won and lost, what was tried, what it cost."""
    document = cycle.document
    parts: list[RenderableType] = [_head(cycle)]
    if document.get("diagnosis"):
        parts.append(evidence(Diagnosis.model_validate(document["diagnosis"])))
    if document.get("proposal"):
        proposal = Proposal.model_validate(document["proposal"])
        change = diff(proposal.before, proposal.after)
        parts.append(Panel(Syntax(change, "diff", background_color="default", word_wrap=True), title="Change"))
        parts.append(candidates(proposal.candidates))
    elif document.get("candidates"):
        parts.append(candidates([CandidateResult.model_validate(item) for item in document["candidates"]]))
    if document.get("validation"):
        parts += finding(Validation.model_validate(document["validation"]))
    parts.append(Text(f"Spent: {cycle.spent.line}"))
    return Group(*parts)


def _head(cycle: WholeCycle) -> Text:
    head = Text.assemble((cycle.id, "bold"), f"  {cycle.row['task']}/{cycle.row['component']}  ")
    head.append(cycle.status, "bold yellow" if cycle.status == "awaiting_approval" else "bold")
    message = with_silent_roles(cycle.document.get("message", ""), cycle.document)
    return head.append(f"\n{message}") if message else head


def evidence(diagnosis: Diagnosis) -> Table:
    """The experiments behind a diagnosis."""
    table = Table(title=f"Cause: {diagnosis.category}", caption=diagnosis.explanation, title_justify="left")
    table.add_column("tried on the failed runs")
    table.add_column("now pass", justify="right")
    for experiment in diagnosis.evidence:
        table.add_row(experiment.treatment, f"{experiment.passed} of {experiment.total}")
    if diagnosis.opinion and diagnosis.opinion.category:
        table.add_row(Text("the analyst model's opinion", "dim"), Text(diagnosis.opinion.category, "dim"))
    return table


def candidates(results: list[CandidateResult]) -> Table:
    """What was tried and how it did."""
    table = Table(title="Candidates", title_justify="left")
    for name in ("round", "strategy", "what it does", "", "why"):
        table.add_column(name)
    for result in results:
        style = {"chosen": "green", "refused": "red"}.get(result.status, "")
        what, status = Text(result.rationale), Text(result.status, style)
        table.add_row(str(result.round), result.strategy, what, status, Text(result.reason))
    return table


def finding(validation: Validation) -> list[RenderableType]:
    """The gate's numbers, and the cases it won and lost."""
    caption = "\n".join(line for line in (validation.reason, validation.repeats.line) if line)
    if not validation.after.n:
        return [Text(f"Held-out cases: none was looked at; {caption}")]
    table = Table(title="Held-out cases", caption=Text(caption), title_justify="left")
    for name in ("", "before", "after", "cases"):
        table.add_column(name, justify="left" if not name else "right")
    before, after = validation.before, validation.after
    table.add_row("success", _with_interval(before), _with_interval(after), str(after.n))
    if validation.production:
        table.add_row("of these from production", "", "", str(validation.production))
    for name, measured in validation.criteria.items():
        table.add_row(name, percent(measured.before), percent(measured.after), str(measured.n))
    _add_costs(table, validation)
    parts: list[RenderableType] = [table]
    for title, cases, style in (("won", validation.wins, "green"), ("lost", validation.losses, "red")):
        if cases:
            parts.append(_cases(f"{len(cases)} {title}", cases, style))
    return parts


def _add_costs(table: Table, validation: Validation) -> None:
    before, after = validation.cost_before, validation.cost_after
    if before is None or after is None:
        return
    table.add_row("tokens per case", f"{before.tokens:.0f}", f"{after.tokens:.0f}", "")
    if before.seconds is not None and after.seconds is not None:
        table.add_row("seconds per case", f"{before.seconds:.2f}", f"{after.seconds:.2f}", "")


def _with_interval(measure: Measure) -> str:
    return f"{percent(measure.rate)} [{100 * measure.low:.0f}-{100 * measure.high:.0f}]"


def _cases(title: str, cases: list[CaseDifference], style: str) -> Table:
    shown = f"{title}, the first {CASES_SHOWN}" if len(cases) > CASES_SHOWN else title
    table = Table(title=Text(shown, style), title_justify="left")
    for name in ("case", "input", "before", "after"):
        table.add_column(name, overflow="fold")
    for case in cases[:CASES_SHOWN]:
        table.add_row(_name(case), Text(case.input[:120]), Text(case.before[:160]), Text(case.after[:160]))
    return table


def _name(case: CaseDifference) -> str:
    """A case's id, with its means where they say more than won or lost."""
    if {case.before_rate, case.after_rate} <= {None, 0.0, 1.0}:
        return case.case_id
    return f"{case.case_id} ({percent(case.before_rate)} -> {percent(case.after_rate)})"


def failed_runs(rows: Sequence[FailureRow]) -> Table:
    """The failures that a cycle worked on."""
    more = f", the first {CASES_SHOWN}" if len(rows) > CASES_SHOWN else ""
    table = Table(title=f"Failures: {len(rows)}{more}", title_justify="left")
    for name in ("failure", "status", "input", "output", "expected", "wrong"):
        table.add_column(name, overflow="fold")
    for row in rows[:CASES_SHOWN]:
        bundle = row["bundle"]
        wrong = "; ".join(bundle["evaluation"]["problems"])
        texts = (bundle["input"], bundle["output"], str(bundle["expected"]), wrong)
        table.add_row(row["id"], row["status"], *(Text(text[:160]) for text in texts))
    return table


def next_steps(cycle: WholeCycle) -> Text:
    """What a person can do about a cycle, as commands; or what was answered."""
    if cycle.status == "awaiting_approval":
        lines = [f"ratchet approve {cycle.id}", f"ratchet reject {cycle.id} --feedback '...'"]
        return Text("\n".join(["next:", *lines]))
    item = cycle.review
    if item is None:
        return Text("")
    if item["status"] != "open":
        answer: ReviewAnswer = item["answer"] or {}
        by = f" by {answer['reviewer']}" if "reviewer" in answer else ""
        why = f": {answer['reason']}" if answer.get("reason") else ""
        return Text(f"{item['status']}{by}{why}")
    return Text("\n".join(["next:", *_answers(cycle)]))


def _answers(cycle: WholeCycle) -> list[str]:
    mine = [failure for failure in cycle.failures if failure["cycle_id"] == cycle.id]
    left = [failure["id"] for failure in mine if failure["status"] in WAITING]
    named = f" --failure {left[0]}" if len(left) > 1 else ""
    command = f"  ratchet resolve {cycle.id}"
    on_failures = [f"{command} correct{named} --expected '...'", f"{command} retry --hint '...'"]
    forced = f"{command} force --reason '...'" if cycle.document.get("proposal") else "  (no change that can be forced)"
    return [f"{command} dismiss --reason '...'", *(on_failures if left else ["  (no failure is left to it)"]), forced]
