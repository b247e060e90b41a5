"""From candidates to a finding: the race, then old against new on held-out cases, then the record of both."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from ratchet.cycles.spending import charged_to
from ratchet.engine import Engine, Trial, Workbench, as_trials, score_all, shown_cases, with_prompt
from ratchet.errors import BudgetError
from ratchet.gate import error_level, no_proof, prove
from ratchet.gate.calls import gate_calls
from ratchet.gate.holdout import settled_cases
from ratchet.gate.repeats import planned_repeats
from ratchet.gate.vetoes import vetoes
from ratchet.grouping import representative_sample
from ratchet.llm import own_replies
from ratchet.prompting import change_hash
from ratchet.proposers import Refused, Situation, fingerprint_of, recall, refusal
from ratchet.records import (
    Candidate,
    CandidateResult,
    Decision,
    Diagnosis,
    FailureBundle,
    Proposal,
    Repeats,
    Validation,
    Verdict,
)
from ratchet.search import SearchResult, race_policy, search
from ratchet.store.cycles import record_progress
from ratchet.store.documents import CycleDocument
from ratchet.store.proposals import add_proposal, decision_document, proposal_status
from ratchet.store.rows import NewProposal
from ratchet.store.statuses import ProposalStatus
from ratchet.text import normal_form

Report = Callable[..., None]
"""Called with ``text`` or with ``done`` and ``total``."""

EDIT_FAILURES = 8
"""Failed inputs that a reviewer's version is tried on before it meets the gate."""


class Claim(NamedTuple):
    """A cycle and what was found out in it, as its nodes pass it on."""

    task: str
    cycle_id: str
    diagnosis: Diagnosis


class Finding(NamedTuple):
    """What came of putting a change to the gate. The store has all of it already."""

    proposal: Proposal | None
    """None where no candidate was good enough for the gate, or where the budget ended."""
    validation: Validation
    out_of_budget: bool = False
    """Nothing was decided: the same change may be put to the gate again."""

    @property
    def proven(self) -> bool:
        """Whether the change may go on to a reviewer."""
        return self.proposal is not None and self.validation.proven


class _Case(NamedTuple):
    """What is at hand while one proposal is validated."""

    engine: Engine
    bench: Workbench
    """Its held-out cases are those of this test, in their order."""
    production: set[str]
    """Ids of the held-out cases that come from production."""
    planned: int
    """How many held-out cases the test was planned for."""
    diagnosis: Diagnosis
    failures: list[FailureBundle]
    cycle_id: str
    report: Report

    @property
    def trials(self) -> list[Trial]:
        """The failed inputs, each once."""
        return as_trials(self.failures)

    def representative_trials(self, count: int) -> list[Trial]:
        """At most so many of them, the sources in turn, old and new ones."""
        one_of_each = list({normal_form(failure.input): failure for failure in self.failures}.values())
        return as_trials(representative_sample(one_of_each, count))


async def validate_candidates(
    engine: Engine,
    claim: Claim,
    candidates: list[Candidate],
    refused: list[CandidateResult],
    report: Report,
    *,
    round_number: int = 1,
    feedback: str = "",
) -> Finding:
    """Search from the candidates of a cycle, and put the best one found to the gate.

    `round_number` counts the proposals of the cycle; `feedback` is what a person asked of this one. The candidates meet
    the guards once more: the rules, or the prompt in force, may be others than when they were proposed.
    """
    proposal_id = f"{claim.cycle_id}-P{round_number}"
    case = await _case(engine, claim, report, proposal_id)
    candidates, late = _guard(case, candidates, feedback)
    refused = refused + late
    try:
        async with charged_to(engine, case.cycle_id):
            result = await _search(case, candidates, feedback, without=proposal_id)
            standings = result.standings + refused
            if result.winner is None:
                reason = "no candidate beats the prompt in force" if candidates else "no candidate was left to try"
                return await _record_unproven(case, None, no_proof(reason, triggering=result.triggering), standings)
            proposal = _proposal(case, result.winner, proposal_id, standings, round_number)
            validation = await _prove(case, proposal, result.fixed, result.triggering)
    except BudgetError as error:
        return await _out_of_budget(case, str(error))
    if not validation.proven:
        return await _record_unproven(case, proposal, validation, standings)
    return await _record_proven(case, proposal, validation, "pending")


async def validate_edit(engine: Engine, claim: Claim, first: Proposal, decision: Decision, report: Report) -> Finding:
    """Put a reviewer's version of the proposal `first` to the gate. Where it is not proven nothing is stored: the first
    proposal stays on the table."""
    prompt = decision.prompt or first.after
    proposal_id = f"{first.id}-{prompt.hash[:8]}"
    case = await _case(engine, claim, report, proposal_id)
    candidate = Candidate(strategy="edit", rationale=f"edited by {decision.reviewer}", prompt=prompt)
    proposal = _proposal(case, candidate, proposal_id, first.candidates, first.round)
    component = case.diagnosis.component
    try:
        async with charged_to(engine, case.cycle_id):
            trials = case.representative_trials(EDIT_FAILURES)
            scored = await score_all(engine, case.bench, with_prompt(case.bench.prompts, component, prompt), trials)
            fixed = sum(result.evaluation.passed is True for result in scored)
            validation = await _prove(case, proposal, fixed, len(trials))
    except BudgetError as error:
        return Finding(None, no_proof(str(error), triggering=len(case.trials)), out_of_budget=True)
    if not validation.proven:
        return Finding(proposal, validation)
    await engine.store.proposals.mark(first.id, "replaced", f"edited by {decision.reviewer}")
    return await _record_proven(case, proposal, validation, "approved", decision)


async def _case(engine: Engine, claim: Claim, report: Report, proposal_id: str) -> _Case:
    """The held-out cases are settled here, before anything is tried. A cycle's proposals share the salt, not the
    choice: what one has worn comes later in the next."""
    bench = await engine.workbench(claim.task)
    failures = await engine.store.failures.bundles(claim.diagnosis.failures)
    worked_on = {normal_form(failure.input) for failure in failures}
    under_way = await settled_cases(engine, bench, proposal_id, salt=claim.cycle_id, worked_on=worked_on)
    bench = replace(bench, cases=[*bench.train, *under_way.cases])
    return _Case(
        engine, bench, under_way.production, under_way.planned, claim.diagnosis, failures, claim.cycle_id, report
    )


def _situation(case: _Case, feedback: str) -> Situation:
    return Situation(case.engine, case.bench, case.diagnosis.component, case.diagnosis, case.failures, feedback)


def _guard(case: _Case, candidates: list[Candidate], feedback: str) -> tuple[list[Candidate], list[CandidateResult]]:
    """Those that the guards let through, and how the others fared."""
    situation = _situation(case, feedback)
    reasons = [refusal(situation, candidate.prompt) for candidate in candidates]
    judged = list(zip(candidates, reasons, strict=True))
    refused = [Refused(candidate, reason).result for candidate, reason in judged if reason is not None]
    return [candidate for candidate, reason in judged if reason is None], refused


async def _search(case: _Case, candidates: list[Candidate], feedback: str, without: str) -> SearchResult:
    """The best of the candidates, and of what further rounds make of it."""
    situation = _situation(case, feedback)
    return await search(
        situation,
        candidates,
        await recall(case.engine.store.proposals, situation, without),
        lambda text: case.report(text=text),
        reserve=lambda: _gate_reserve(case),
        policy=await race_policy(case.bench.task),
    )


async def _gate_reserve(case: _Case) -> int:
    """Model calls that the gate may need; how often it runs each case is decided here, if it was not before."""
    repeats = await _repeats(case)
    return gate_calls(case.bench, case.failures, len(case.bench.holdout), repeats.count)


async def _repeats(case: _Case) -> Repeats:
    return await planned_repeats(case.engine, case.bench, case.cycle_id, case.diagnosis, len(case.bench.holdout))


async def _prove(case: _Case, proposal: Proposal, fixed: int, triggering: int) -> Validation:
    """The gate's finding on a proposal."""
    if not case.bench.holdout:
        return no_proof("there are no held-out cases to prove anything on", triggering=triggering)
    shown = _newly_shown(case, proposal)
    if shown:
        reason = f"the change shows what is held out as examples: {', '.join(shown)}"
        return no_proof(reason, triggering=triggering)
    task = case.bench.task.name
    repeats = await _repeats(case)
    level = await case.engine.store.gate_tests.level(task, proposal.id, error_level)
    with own_replies(proposal.id):  # what one side was measured with before is no match for the other side of today
        comparison = await prove(
            case.engine,
            case.bench,
            proposal.component,
            proposal.after,
            case.bench.holdout,
            planned=case.planned,
            level=level,
            repeats=repeats.count,
            progress=lambda done, total: case.report(text="held-out cases", done=done, total=total),
        )
        against = await vetoes(case.engine, case.bench, proposal.component, proposal.after, comparison)
    seen = {pair.case.id for pair in comparison.pairs}
    finding = comparison.result(fixed=fixed, triggering=triggering, vetoes=against.lines)
    further = {"repeats": repeats, "production": len(seen & case.production)}
    validation = against.on(finding.model_copy(update=further))
    await case.engine.store.gate_cases.note_seen(proposal.id, seen)
    await case.engine.store.gate_tests.finish(proposal.id, validation.gate_verdict)
    return validation


def _newly_shown(case: _Case, proposal: Proposal) -> list[str]:
    """Ids of the held-out cases that are examples of the new prompt and were none of the one in force."""
    before, after = (shown_cases([side], case.bench.holdout) for side in (proposal.before, proposal.after))
    return [name for name in after if name not in before]


def _proposal(
    case: _Case, candidate: Candidate, proposal_id: str, standings: list[CandidateResult], round_number: int
) -> Proposal:
    component = case.diagnosis.component
    before = case.bench.prompts[component]
    return Proposal(
        id=proposal_id,
        cycle_id=case.cycle_id,
        task=case.bench.task.name,
        component=component,
        strategy=candidate.strategy,
        rationale=candidate.rationale,
        before=before,
        after=candidate.prompt,
        base_version=case.bench.version,
        change_hash=change_hash(before, candidate.prompt),
        candidates=standings,
        round=round_number,
    )


async def _record_proven(
    case: _Case,
    proposal: Proposal,
    validation: Validation,
    status: ProposalStatus,
    decision: Decision | None = None,
) -> Finding:
    row = _row_of(proposal, validation, status, decision)
    document: CycleDocument = {
        "proposal": proposal.model_dump(mode="json"),
        "validation": validation.model_dump(mode="json"),
    }
    await case.engine.store.transact([partial(_put_on_table, row=row, document=document, verdict=validation.verdict)])
    return Finding(proposal, validation)


def _put_on_table(connection: Connection, *, row: NewProposal, document: CycleDocument, verdict: Verdict) -> None:
    """Store a proven proposal, and let its cycle wait, unless somebody has decided on it by now: a node may run twice,
    and two processes may have run it."""
    add_proposal(connection, row)
    if proposal_status(connection, row["id"]) == row["status"]:
        record_progress(connection, row["cycle_id"], document, status="awaiting_approval", verdict=verdict)


async def _record_unproven(
    case: _Case, proposal: Proposal | None, validation: Validation, standings: list[CandidateResult]
) -> Finding:
    if proposal is not None:
        await case.engine.store.proposals.add([_row_of(proposal, validation, "unproven")])
    document: CycleDocument = {
        "proposal": proposal.model_dump(mode="json") if proposal else None,
        "validation": validation.model_dump(mode="json"),
        "candidates": [standing.model_dump(mode="json") for standing in standings],
    }
    await case.engine.store.cycles.record(case.cycle_id, document, verdict=validation.verdict)
    return Finding(proposal, validation)


async def _out_of_budget(case: _Case, message: str) -> Finding:
    """Nothing is proven, whatever was seen until then. No proposal is stored: it may be put to the gate again."""
    validation = no_proof(message, triggering=len(case.trials))
    document: CycleDocument = {"proposal": None, "validation": validation.model_dump(mode="json")}
    await case.engine.store.cycles.record(case.cycle_id, document, verdict=validation.verdict)
    return Finding(None, validation, out_of_budget=True)


def _row_of(
    proposal: Proposal, validation: Validation, status: ProposalStatus, decision: Decision | None = None
) -> NewProposal:
    """The proposal whole: what makes it live later believes this row. `decision`: what it was approved by."""
    candidate = Candidate(strategy=proposal.strategy, rationale=proposal.rationale, prompt=proposal.after)
    row: NewProposal = {
        "id": proposal.id,
        "cycle_id": proposal.cycle_id,
        "task": proposal.task,
        "component": proposal.component,
        "strategy": proposal.strategy,
        "fingerprint": fingerprint_of(proposal.component, candidate),
        "status": status,
        "reason": validation.reason,
        "document": {
            "base_hash": proposal.before.hash,
            "prompt": proposal.after.as_json(),
            "proposal": proposal.model_dump(mode="json"),
            "validation": validation.model_dump(mode="json"),
        },
    }
    if decision is not None:
        row["document"]["decision"] = decision_document(decision, proposal.change_hash)
    return row
