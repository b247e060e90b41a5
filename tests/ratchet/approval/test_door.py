"""The approval door, over a proposal that waits."""

import asyncio
from typing import Any

import pytest
from shop import OpenEngine
from sqlalchemy import update

from ratchet.approval.door import approved_proposal, decide, stored_proposal, take_back_edit
from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, RefusalError
from ratchet.gate import no_proof
from ratchet.prompting import TaskPrompt, change_hash
from ratchet.records import Decision, Diagnosis, Proposal
from ratchet.store.schema import proposals

pytestmark = pytest.mark.anyio
APPROVE = Decision(type="approve", reviewer="ada")
REJECT = Decision(type="reject", reviewer="bob", reason="no need")
FEEDBACK = Decision(type="reject", reviewer="bob", feedback="shorter")
EDIT = Decision(type="edit", reviewer="eve", prompt=TaskPrompt(prompt="Mine."))
STATUS = {"approve": "approved", "edit": "editing", "reject": "rejected"}


@pytest.fixture
async def waiting(engine: Engine) -> Proposal:
    return await put(engine, "C-1")


async def put(engine: Engine, cycle_id: str) -> Proposal:
    before, after = TaskPrompt(prompt="Answer the question."), TaskPrompt(prompt="Better.")
    proposal = Proposal(
        id=f"{cycle_id}-P1", cycle_id=cycle_id, task="shop", component="shop", strategy="s", rationale="r",
        before=before, after=after, base_version=1, change_hash=change_hash(before, after),
    )  # fmt: skip
    diagnosis = Diagnosis(category="prompt", component="shop", failures=[], explanation="")
    found = {"proposal": proposal.model_dump(mode="json"), "validation": no_proof("-", triggering=0).model_dump()}
    await engine.store.cycles.claim(cycle_id, "shop", "shop", "improve", "T", {"diagnosis": diagnosis.model_dump()})
    row = {"id": proposal.id, "cycle_id": cycle_id, "task": "shop", "component": "shop", "strategy": "s"}
    row |= {"fingerprint": "f", "status": "pending", "reason": None, "document": {"base_hash": "b", **found}}
    await engine.store.proposals.add([row])
    await engine.store.cycles.record(cycle_id, found, status="awaiting_approval")
    return proposal


async def state_of(engine: Engine, cycle_id: str = "C-1") -> tuple[Any, ...]:
    cycle = await engine.store.cycles.get(cycle_id) or {}
    audit = [(row["actor"], row["action"]) for row in await engine.audit.rows() if row["action"] != "rules"]
    return await engine.store.proposals.status(f"{cycle_id}-P1"), cycle["status"], audit


@pytest.mark.parametrize(
    ("decision", "again", "expected"),
    [
        (APPROVE, False, ("approved", "awaiting_approval", [])),
        (REJECT, False, ("rejected", "rejected", [("bob", "reject")])),
        (FEEDBACK, True, ("rejected", "running", [("bob", "reject")])),
        (EDIT, False, ("editing", "running", [])),
    ],
)
async def test_decision_takes_effect_whole_and_once(
    engine: Engine, waiting: Proposal, decision: Decision, again: bool, expected: Any
) -> None:
    for _ in range(2):
        await decide(engine, waiting, decision, again=again)
        assert await state_of(engine) == expected
    stored = await stored_proposal(engine, waiting.id)
    assert stored.decision == decision
    assert stored.decided.startswith(decision.reviewer)


@pytest.mark.parametrize("first", [APPROVE, REJECT, FEEDBACK, EDIT], ids=lambda decision: decision.type)
@pytest.mark.parametrize("second", [APPROVE, REJECT, FEEDBACK, EDIT], ids=lambda decision: decision.type)
async def test_whoever_comes_second_hears_who_decided(
    engine: Engine, waiting: Proposal, first: Decision, second: Decision
) -> None:
    await decide(engine, waiting, first, again=first is FEEDBACK)
    before = await state_of(engine)
    with pytest.raises(AlreadyDecidedError, match=rf"C-1: {first.reviewer} .* at \d{{4}}-"):
        await decide(engine, waiting, second.model_copy(update={"reviewer": "late"}))
    assert await state_of(engine) == before


@pytest.mark.parametrize(
    "pair", [(APPROVE, REJECT), (APPROVE, EDIT), (REJECT, EDIT), (FEEDBACK, APPROVE), (EDIT, EDIT), (APPROVE, APPROVE)]
)
async def test_of_two_decisions_at_once_in_two_processes_one_counts(
    engine: Engine, open_engine: OpenEngine, pair: tuple[Decision, Decision]
) -> None:
    engines = [engine, await open_engine()]
    for number in range(6):
        proposal = await put(engine, f"C-{number}")
        given = [decision.model_copy(update={"reviewer": name}) for decision, name in zip(pair, "xy", strict=True)]
        results = await asyncio.gather(
            *(decide(one, proposal, decision) for one, decision in zip(engines, given, strict=True)),
            return_exceptions=True,
        )
        assert sorted(type(result).__name__ for result in results) == ["AlreadyDecidedError", "NoneType"]
        winner = given[results.index(None)]
        stored = await stored_proposal(engine, proposal.id)
        assert (stored.decision, stored.status) == (winner, STATUS[winner.type])
        assert winner.reviewer in str(results[1 - results.index(None)])
        await engine.store.cycles.record(f"C-{number}", {}, status="rejected")


async def test_edit_that_came_to_nothing_puts_the_proposal_back(engine: Engine, waiting: Proposal) -> None:
    await decide(engine, waiting, EDIT)
    for _ in range(2):
        await take_back_edit(engine, waiting)
        assert (await state_of(engine))[:2] == ("pending", "awaiting_approval")
    assert (await stored_proposal(engine, waiting.id)).decision is None
    await decide(engine, waiting, APPROVE)
    await take_back_edit(engine, waiting)
    assert (await state_of(engine))[:2] == ("approved", "awaiting_approval")


async def test_only_what_was_approved_may_go_live(engine: Engine, waiting: Proposal) -> None:
    with pytest.raises(RefusalError, match="is pending: nobody has approved it; nothing was changed"):
        await approved_proposal(engine, waiting.id)
    await decide(engine, waiting, REJECT)
    with pytest.raises(RefusalError, match="is rejected: bob rejected it"):
        await approved_proposal(engine, waiting.id)


@pytest.mark.parametrize("name", ["C-9-P1", "", "None", "C-1", "x" * 500, "../C-1-P1", "C-1-P1\0"])
async def test_unknown_proposal_is_refused(engine: Engine, waiting: Proposal, name: str) -> None:
    with pytest.raises(RefusalError, match="is stored; nothing was changed") as refused:
        await approved_proposal(engine, name)
    assert len(str(refused.value)) < 200


async def test_stored_text_that_its_hash_does_not_fit_is_refused(engine: Engine, waiting: Proposal) -> None:
    await decide(engine, waiting, APPROVE)
    row = await engine.store.proposals.get(waiting.id) or {}
    row["document"]["proposal"]["after"] = {"prompt": "Other."}
    with engine.store.database.write() as connection:
        connection.execute(update(proposals).where(proposals.c.id == waiting.id).values(document=row["document"]))
    with pytest.raises(RefusalError, match="does not fit together"):
        await approved_proposal(engine, waiting.id)


@pytest.mark.parametrize("lost", ["proposal", "validation"])
async def test_proposal_of_which_a_part_is_lost_is_refused(engine: Engine, waiting: Proposal, lost: str) -> None:
    row = await engine.store.proposals.get(waiting.id)
    assert row is not None
    document = {**row["document"], lost: {"other": "shape"}}
    with engine.store.database.write() as connection:
        connection.execute(update(proposals).where(proposals.c.id == waiting.id).values(document=document))
    with pytest.raises(RefusalError, match="does not fit together"):
        await stored_proposal(engine, waiting.id)


async def test_approval_of_an_earlier_release_stands(engine: Engine, waiting: Proposal) -> None:
    await engine.store.proposals.mark(waiting.id, "approved", "the numbers are clear")
    stored = await approved_proposal(engine, waiting.id)
    assert stored.decision == Decision(type="approve", reason="the numbers are clear")
