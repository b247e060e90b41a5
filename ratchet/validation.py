"""From candidates to a finding: the race, then old against new on held-out cases, then the record of both."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from ratchet.cycle import as_trials, cycle_meter, ended
from ratchet.engine import Engine, Workbench
from ratchet.errors import BudgetError
from ratchet.gate import level, unproven
from ratchet.llm import metered
from ratchet.prompting import TaskPrompt, content_hash
from ratchet.proposers import Situation, idea, recall
from ratchet.records import Candidate, CandidateResult, Decision, Diagnosis, Proposal, Validation
from ratchet.repeats import planned_repeats
from ratchet.rotation import settled_cases
from ratchet.selection import prove, search
from ratchet.state import State
from ratchet.trial import Trial, replaced, score_all
from ratchet.vetoes import vetoes

Report = Callable[..., None]
"""Called with ``text`` or with ``done`` and ``total``."""


class _Case(NamedTuple):
    """What is at hand while one proposal is validated."""

    engine: Engine
    bench: Workbench
    """Its held-out cases are those of this test, in their order."""
    production: set[str]
    """Ids of the held-out cases that come from production."""
    diagnosis: Diagnosis
    failures: list[Trial]
    cycle_id: str
    report: Report


async def validate_candidates(engine: Engine, state: State, report: Report) -> State:
    """Search from the candidates of a cycle, and put the best one found to the gate."""
    proposal_id = f"{state['cycle_id']}-P{state.get('round', 1)}"
    case = await _case(engine, state, report, proposal_id)
    candidates = [Candidate.model_validate(candidate) for candidate in state.get("candidates", [])]
    refused = [CandidateResult.model_validate(result) for result in state.get("refused", [])]
    try:
        with metered(await cycle_meter(engine, case.cycle_id)):
            situation = await _situation(case, state.get("feedback", ""))
            memory = await recall(situation, without=proposal_id)
            result = await search(situation, candidates, memory, lambda text: report(text=text))
            standings = result.standings + refused
            if result.winner is None:
                reason = "no candidate beats the prompt in force" if candidates else "no candidate was left to try"
                validation = unproven(reason, triggering=result.triggering)
                return await _unproven(case, None, validation, standings)
            proposal = _proposal(case, result.winner, proposal_id, standings)
            validation = await _prove(case, proposal, result.fixed, result.triggering)
    except BudgetError as error:
        return await _out_of_budget(case, str(error))
    if not validation.proven:
        return await _unproven(case, proposal, validation, standings)
    return await _proven(case, proposal, validation, "pending") | {"problem": None, "decision": None}


async def validate_edit(engine: Engine, state: State, report: Report) -> State:
    """Put a reviewer's version to the gate. Where it is not proven the first proposal stays on the table, with a
    problem that says what was found."""
    decision = Decision.model_validate(state["decision"])
    first = Proposal.model_validate(state["proposal"])
    prompt = decision.prompt or first.after
    proposal_id = f"{first.id}-{prompt.hash[:8]}"
    case = await _case(engine, state, report, proposal_id)
    candidate = Candidate(strategy="edit", rationale=f"edited by {decision.reviewer}", prompt=prompt)
    proposal = _proposal(case, candidate, proposal_id, first.candidates)
    component = case.diagnosis.component
    try:
        with metered(await cycle_meter(engine, case.cycle_id)):
            trials = case.failures[:8]
            scored = await score_all(engine, case.bench, replaced(case.bench.prompts, component, prompt), trials)
            fixed = sum(result.evaluation.passed is True for result in scored)
            validation = await _prove(case, proposal, fixed, len(trials))
    except BudgetError as error:
        return {"problem": f"the edited version could not be validated: {error}", "decision": None}
    if not validation.proven:
        return {"problem": f"the edited version was not proven: {validation.reason}", "decision": None}
    await engine.store.proposals.mark(first.id, "replaced", f"edited by {decision.reviewer}")
    return await _proven(case, proposal, validation, "approved") | {"problem": None}


async def _case(engine: Engine, state: State, report: Report, proposal_id: str) -> _Case:
    """The held-out cases are settled here, before anything is tried. A cycle's proposals share the salt, not the
    choice: what one has worn comes later in the next."""
    bench = await engine.workbench(state["task"])
    cycle_id = str(state["cycle_id"])
    diagnosis = Diagnosis.model_validate(state["diagnosis"])
    trials = as_trials(await engine.store.failures.bundles(diagnosis.failures))
    worked_on = {trial.input.strip() for trial in trials}
    held = await settled_cases(engine, bench, proposal_id, salt=cycle_id, worked_on=worked_on)
    bench = replace(bench, cases=[*bench.train, *held.cases])
    return _Case(engine, bench, held.production, diagnosis, trials, cycle_id, report)


async def _situation(case: _Case, feedback: str) -> Situation:
    failures = await case.engine.store.failures.bundles(case.diagnosis.failures)
    return Situation(case.engine, case.bench, case.diagnosis.component, case.diagnosis, failures, feedback)


async def _prove(case: _Case, proposal: Proposal, fixed: int, triggering: int) -> Validation:
    """The gate's finding on a proposal."""
    if not case.bench.holdout:
        return unproven("there are no held-out cases to prove anything on", triggering=triggering)
    task = case.bench.task.name
    repeats = await planned_repeats(case.engine, case.bench, case.cycle_id, case.diagnosis, len(case.bench.holdout))
    comparison = await prove(
        case.engine,
        case.bench,
        proposal.component,
        proposal.after,
        case.bench.holdout,
        level=await case.engine.store.gate_tests.level(task, proposal.id, level),
        repeats=repeats.count,
        progress=lambda done, total: case.report(text="held-out cases", done=done, total=total),
    )
    against = await vetoes(case.engine, case.bench, proposal.component, proposal.after, comparison)
    seen = {pair.case.id for pair in comparison.pairs}
    finding = comparison.result(fixed=fixed, triggering=triggering, vetoes=against.lines)
    further = {"repeats": repeats, "production": len(seen & case.production)}
    validation = against.on(finding.model_copy(update=further))
    await case.engine.store.gate_cases.note_seen(proposal.id, seen)
    await case.engine.store.gate_tests.finish(
        proposal.id, "vetoed" if validation.verdict == "better" and not validation.proven else validation.verdict
    )
    return validation


def _proposal(case: _Case, candidate: Candidate, proposal_id: str, standings: list[CandidateResult]) -> Proposal:
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
    )


def change_hash(before: TaskPrompt, after: TaskPrompt) -> str:
    """What an answer may name to say which change it is for."""
    return content_hash([before.as_json(), after.as_json()])[:16]


async def _proven(case: _Case, proposal: Proposal, validation: Validation, status: str) -> State:
    await _store(case, proposal, status, validation.reason)
    document, found = proposal.model_dump(mode="json"), validation.model_dump(mode="json")
    await case.engine.store.cycles.record(
        case.cycle_id,
        {"proposal": document, "validation": found},
        status="awaiting_approval",
        verdict=validation.verdict,
    )
    return {"proposal": document, "validation": found}


async def _unproven(
    case: _Case, proposal: Proposal | None, validation: Validation, standings: list[CandidateResult]
) -> State:
    if proposal is not None:
        await _store(case, proposal, "unproven", validation.reason)
    document = proposal.model_dump(mode="json") if proposal else None
    found = validation.model_dump(mode="json")
    tried = [standing.model_dump(mode="json") for standing in standings]
    await case.engine.store.cycles.record(
        case.cycle_id,
        {"proposal": document, "validation": found, "candidates": tried},
        verdict=validation.verdict,
    )
    outcome = ended("inconclusive", validation.reason, kind=validation.verdict, cycle_id=case.cycle_id)
    return {"proposal": document, "validation": found, "outcome": outcome, "problem": None, "decision": None}


async def _out_of_budget(case: _Case, message: str) -> State:
    """Nothing is proven, whatever was seen until then. No proposal is stored: it may be put to the gate again."""
    validation = unproven(message, triggering=len(case.failures))
    found = validation.model_dump(mode="json")
    await case.engine.store.cycles.record(case.cycle_id, {"validation": found}, verdict=validation.verdict)
    outcome = ended("escalated", message, kind="budget", cycle_id=case.cycle_id)
    return {"validation": found, "outcome": outcome}


async def _store(case: _Case, proposal: Proposal, status: str, reason: str) -> None:
    candidate = Candidate(strategy=proposal.strategy, rationale=proposal.rationale, prompt=proposal.after)
    row: dict[str, Any] = {
        "id": proposal.id,
        "cycle_id": proposal.cycle_id,
        "task": proposal.task,
        "component": proposal.component,
        "strategy": proposal.strategy,
        "fingerprint": idea(proposal.component, candidate),
        "status": status,
        "reason": reason,
        "document": {"base_hash": proposal.before.hash, "prompt": proposal.after.as_json()},
    }
    await case.engine.store.proposals.add([row])
