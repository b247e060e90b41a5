"""Force: a change that met the gate and was not proven goes live on a person's word."""

from functools import partial

from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, ConfigurationError, RefusalError, StaleBaseError
from ratchet.ledger.audit import append
from ratchet.live.apply import apply_proposal, note_applied, numbers
from ratchet.proposers import edit_refusal
from ratchet.records import Decision, Proposal, Validation
from ratchet.resolving.item import ReviewItem, ReviewRequest, ReviewResult, find_item
from ratchet.store.documents import ReviewAnswer
from ratchet.store.reviews import answer_item, set_item_status
from ratchet.store.statuses import WAITING


async def force(engine: Engine, item: ReviewItem, request: ReviewRequest) -> ReviewResult:
    """Apply the item's proposal through the ledger, at most once, and close the item in the same transaction.

    Raises:
        ConfigurationError: there is no reason, or no proposal that met the gate.
        RefusalError: it violated a rule, or breaks a guard that holds for a person's own version too.
        StaleBaseError: another version is active by now.
        AlreadyDecidedError: another answer was faster.
    """
    if not request.reason.strip():
        raise ConfigurationError("force needs a reason: --reason says why a change that was not proven goes live")
    if (item.cycle["document"].get("validation") or {}).get("rule_violations"):
        raise RefusalError(f"the change of {item.id} violates the pinned rules and cannot be forced")
    proposal, validation = await _met_the_gate(engine, item)
    await _check(engine, item, proposal)
    found = numbers(validation)
    answer: ReviewAnswer = {**request.document(), "proposal": proposal.id}
    answered = [
        partial(answer_item, review_id=item.row["id"], answer=answer, status="forced"),
        partial(
            append, actor=request.reviewer, action="force", task=proposal.task, subject=item.id, reason=request.reason,
            proposal=proposal.id, verdict=validation.verdict, finding=validation.reason, numbers=found,
        ),
    ]  # fmt: skip
    decision = _decision(request.reviewer, request.reason)
    try:
        version = await apply_proposal(engine, proposal, validation, decision, failures_were=WAITING, also=answered)
    except StaleBaseError:
        await complete_forced(engine, item)
        raise
    message = f"version {version['number']} of {proposal.task} is active, forced by {request.reviewer}"
    return ReviewResult(item.id, proposal.task, "forced", message, version=version["number"])


async def complete_forced(engine: Engine, item: ReviewItem) -> None:
    """Do what is left of a force that was interrupted: note an active version, open the item of one that was undone."""
    row = await engine.store.reviews.find(item.row["id"])
    if row is None or row["status"] != "forced" or item.cycle["status"] == "applied":
        return
    answer = row["document"]["answers"][-1]
    proposal = Proposal.model_validate(item.cycle["document"]["proposal"])
    version = await engine.versions.of_proposal(proposal.id)
    if version is None or version["status"] == "undone":
        await engine.store.transact([partial(set_item_status, review_id=row["id"], status="open")])
    elif version["status"] != "applying":
        decision = _decision(answer["reviewer"], answer["reason"])
        await note_applied(engine, proposal, decision, version, WAITING)


async def complete_all_forced(engine: Engine, task: str | None = None) -> None:
    """Do what is left of forces that were interrupted, of one task or of all."""
    for row in await engine.store.reviews.select(task, "forced"):
        cycle = await engine.store.cycles.get(str(row["cycle_id"]))
        if cycle is not None and cycle["status"] != "applied":
            await complete_forced(engine, await find_item(engine, row["id"]))


def _decision(reviewer: str, reason: str) -> Decision:
    return Decision(type="approve", reviewer=reviewer, reason=f"forced: {reason}")


async def _met_the_gate(engine: Engine, item: ReviewItem) -> tuple[Proposal, Validation]:
    document = item.cycle["document"]
    if not document.get("proposal") or not document.get("validation"):
        raise ConfigurationError(f"{item.id} has no change that could be forced: none met the gate")
    proposal = Proposal.model_validate(document["proposal"])
    validation = Validation.model_validate(document["validation"])
    status = await engine.store.proposals.status(proposal.id)
    if status == "applied":
        raise AlreadyDecidedError(f"proposal {proposal.id} is applied already")
    if status != "unproven" or not validation.after.n:
        why = "no held-out case has measured it" if status == "unproven" else f"it is {status or 'unknown'}"
        raise ConfigurationError(f"{item.id} has no change that could be forced: {proposal.id} did not pass, {why}")
    return proposal, validation


async def _check(engine: Engine, item: ReviewItem, proposal: Proposal) -> None:
    bench = await engine.workbench(proposal.task)
    if bench.version != proposal.base_version:
        raise StaleBaseError(
            f"proposal {proposal.id} was made for version {proposal.base_version} of {proposal.task}, the active one "
            f"is {bench.version}; `ratchet resolve {item.id} retry` makes a new one"
        )
    refusal = edit_refusal(bench.task, bench.rules, proposal.before, proposal.after)
    if refusal:
        raise RefusalError(f"{proposal.id} cannot be forced: it {refusal}")
