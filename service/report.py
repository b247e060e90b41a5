"""What a reviewer reads in a minute: long tables first, so that cause, change and numbers are what stays in view."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ratchet.approval import diff
from ratchet.cycles.silent import with_silent_roles
from ratchet.prompting import TaskPrompt
from ratchet.records import CandidateResult, CaseDifference, Diagnosis, Measure, Proposal, Validation
from ratchet.store.documents import ReviewAnswer
from ratchet.store.rows import FailureRow
from ratchet.store.statuses import WAITING
from service.console import Grid, cell, entry, percent, whole, wide, words
from service.whole_cycle import WholeCycle

CASES_SHOWN = 6
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def review(cycle: WholeCycle, *, with_failures: bool = False) -> RenderableType:
    """A cycle: what failed and what was tried, then cause, change, numbers and what it cost."""
    document = cycle.document
    parts: list[RenderableType] = [_head(cycle)]
    if with_failures:
        parts.append(failed_runs(cycle.failures))
    diagnosis = Diagnosis.model_validate(document["diagnosis"]) if document.get("diagnosis") else None
    proposal = Proposal.model_validate(document["proposal"]) if document.get("proposal") else None
    validation = Validation.model_validate(document["validation"]) if document.get("validation") else None
    if diagnosis:
        parts.append(evidence(diagnosis))
    tried = [CandidateResult.model_validate(item) for item in document.get("candidates", [])]
    if proposal or tried:
        parts.append(candidates(proposal.candidates if proposal else tried))
    if validation:
        parts += differences(validation)
    if proposal:
        by = f" by {proposal.strategy}: {proposal.rationale}"
        parts.append(prompt_change(proposal.before, proposal.after, by))
    if diagnosis:
        parts.append(_cause(diagnosis))
    if validation:
        parts.append(finding(validation))
    parts.append(cell(f"Spent: {cycle.spent.line}"))
    return Group(*(piece for part in parts for piece in (part, "")))


def _head(cycle: WholeCycle) -> Text:
    style = "bold yellow" if cycle.status == "awaiting_approval" else "bold"
    place = f"  {cycle.row['task']}/{cycle.row['component']}  "
    message = with_silent_roles(cycle.document.get("message", ""), cycle.document)
    return words((cycle.id, "bold"), place, (cycle.status, style), f"\n{message}" if message else "")


def prompt_change(before: TaskPrompt, after: TaskPrompt, of: str) -> Text:
    """What would be another in a prompt; `of` says whose change it is."""
    text = words(("Change", "bold"), of)
    for line in diff(before, after).split("\n"):
        text.append("\n").append_text(cell(line, _DIFF_STYLES.get(line[:1], "")))
    return text


def _cause(diagnosis: Diagnosis) -> Text:
    return words((f"Cause: {diagnosis.category}", "bold"), f". {diagnosis.explanation}")


def evidence(diagnosis: Diagnosis) -> Grid:
    """The experiments behind a diagnosis."""
    table = Grid(wide("tried on the failed runs"), whole("now pass", right=True), title="Experiments")
    for experiment in diagnosis.evidence:
        table.add_row(cell(experiment.treatment), f"{experiment.passed} of {experiment.total}")
    if diagnosis.opinion and diagnosis.opinion.category:
        table.add_row(cell("the analyst model's opinion", "dim"), cell(diagnosis.opinion.category, "dim"))
    return table


def candidates(results: list[CandidateResult]) -> Grid:
    """What was tried and how it did."""
    columns = (whole("round"), wide("strategy"), wide("what it does"), whole(""), wide("why"))
    table = Grid(*columns, title="Candidates")
    for result in results:
        style = {"chosen": "green", "refused": "red"}.get(result.status, "")
        what, status = cell(result.rationale), cell(result.status, style)
        table.add_row(str(result.round), cell(result.strategy), what, status, cell(result.reason))
    return table


def finding(validation: Validation) -> RenderableType:
    """The gate's numbers and what they say."""
    said = "\n".join(line for line in (validation.reason, validation.repeats.line) if line)
    if not validation.after.n:
        return cell(f"Held-out cases: none was looked at; {said}")
    columns = (wide(""), whole("before", right=True), whole("after", right=True), whole("cases", right=True))
    table = Grid(*columns, title="Held-out cases")
    before, after = validation.before, validation.after
    table.add_row("success", _with_interval(before), _with_interval(after), str(after.n))
    if validation.production:
        table.add_row("of these from production", "", "", str(validation.production))
    for name, measured in validation.criteria.items():
        table.add_row(cell(name), percent(measured.before), percent(measured.after), str(measured.n))
    _add_costs(table, validation)
    return Group(table, cell(said))


def _add_costs(table: Table, validation: Validation) -> None:
    before, after = validation.cost_before, validation.cost_after
    if before is None or after is None:
        return
    table.add_row("tokens per case", f"{before.tokens:.0f}", f"{after.tokens:.0f}", "")
    if before.seconds is not None and after.seconds is not None:
        table.add_row("seconds per case", f"{before.seconds:.2f}", f"{after.seconds:.2f}", "")


def _with_interval(measure: Measure) -> str:
    return f"{percent(measure.rate)} [{100 * measure.low:.0f}-{100 * measure.high:.0f}]"


def differences(validation: Validation) -> list[RenderableType]:
    """The held-out cases that the change wins, and those that it loses."""
    won = _cases("won", validation.wins, "green")
    return won + _cases("lost", validation.losses, "red")


def _cases(how: str, cases: list[CaseDifference], style: str) -> list[RenderableType]:
    if not cases:
        return []
    more = f", the first {CASES_SHOWN}" if len(cases) > CASES_SHOWN else ""
    parts: list[RenderableType] = [words((f"{len(cases)} {how}{more}", style))]
    for case in cases[:CASES_SHOWN]:
        rows = (("input", case.input[:200]), ("before", case.before[:200]), ("after", case.after[:200]))
        parts.append(entry(cell(_name(case)), rows))
    return parts


def _name(case: CaseDifference) -> str:
    """A case's id, with its means where they say more than won or lost."""
    if {case.before_rate, case.after_rate} <= {None, 0.0, 1.0}:
        return case.case_id
    return f"{case.case_id} ({percent(case.before_rate)} -> {percent(case.after_rate)})"


def failed_runs(rows: Sequence[FailureRow]) -> RenderableType:
    """The failures that a cycle worked on."""
    more = f", the first {CASES_SHOWN}" if len(rows) > CASES_SHOWN else ""
    parts: list[RenderableType] = [words((f"Failures: {len(rows)}{more}", "bold"))]
    for row in rows[:CASES_SHOWN]:
        bundle = row["bundle"]
        told = {
            "input": bundle["input"],
            "output": bundle["output"],
            "expected": bundle["expected"],
            "wrong": "; ".join(bundle["evaluation"]["problems"]),
        }
        shown = [(name, str(text)[:200]) for name, text in told.items() if text is not None]
        parts.append(entry(words(f"{row['id']}  {row['status']}"), shown))
    return Group(*parts)


def next_steps(cycle: WholeCycle) -> Text:
    """What a person can do about a cycle, as commands; or what was answered."""
    if cycle.status == "awaiting_approval":
        lines = [f"ratchet approve {cycle.answer_id}", f"ratchet reject {cycle.answer_id} --feedback '...'"]
        return cell("\n".join(["next:", *lines]))
    item = cycle.review
    if item is None:
        return cell("")
    if item["status"] != "open":
        answer: ReviewAnswer = item["answer"] or {}
        by = f" by {answer['reviewer']}" if "reviewer" in answer else ""
        why = f": {answer['reason']}" if answer.get("reason") else ""
        return cell(f"{item['status']}{by}{why}")
    return cell("\n".join(["next:", *_answers(cycle)]))


def _answers(cycle: WholeCycle) -> list[str]:
    mine = [failure for failure in cycle.failures if failure["cycle_id"] == cycle.id]
    left = [failure["id"] for failure in mine if failure["status"] in WAITING]
    named = f" --failure {left[0]}" if len(left) > 1 else ""
    command = f"  ratchet resolve {cycle.id}"
    on_failures = [f"{command} correct{named} --expected '...'", f"{command} retry --hint '...'"]
    forced = f"{command} force --reason '...'" if cycle.document.get("proposal") else "  (no change that can be forced)"
    return [f"{command} dismiss --reason '...'", *(on_failures if left else ["  (no failure is left to it)"]), forced]
