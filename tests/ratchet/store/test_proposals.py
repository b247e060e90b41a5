import asyncio
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from stored import proposal_row

from ratchet.records import Decision
from ratchet.store import Store
from ratchet.store.proposals import decision_document, release_decision, take_decision

pytestmark = pytest.mark.anyio
NAMES = (f"P-{number}" for number in count())
"""An id of its own for every example of a property."""


async def test_known_lists_what_failed_from_the_same_prompt(store: Store) -> None:
    rows = [
        proposal_row(
            status, id=f"P-{status}-{base}", fingerprint=f"{status}-{base}", reason="why", document={"base_hash": base}
        )
        for status in ("pending", "applied", "approved", "stale", "refused", "rejected", "unproven")
        for base in ("base", "other")
    ]
    await store.proposals.add(rows)
    found = await store.proposals.known("t", "c", "base")
    assert [(row["fingerprint"], row["status"], row["reason"]) for row in found] == [
        (f"{status}-base", status, "why") for status in ("refused", "rejected", "unproven")
    ]
    assert await store.proposals.known("t", "x", "base") == []
    rest = await store.proposals.known("t", "c", "base", without="P-rejected-base")
    assert [row["status"] for row in rest] == ["refused", "unproven"]


async def test_add_of_a_proposal_again_changes_nothing(store: Store) -> None:
    await store.proposals.add([proposal_row()])
    await store.proposals.mark("P", "applied", "done")
    await store.proposals.add([proposal_row(), proposal_row(id="Q")])
    assert [await store.proposals.status(name) for name in ("P", "Q")] == ["applied", "pending"]


async def test_add_of_a_proposal_that_lacks_a_value_is_an_error_and_adds_none(store: Store) -> None:
    with pytest.raises(IntegrityError, match=r"NOT NULL.*proposals\.strategy"):
        await store.proposals.add([proposal_row(), proposal_row(id="Q", strategy=None)])
    assert await store.proposals.get("P") is None


TAKEN = st.tuples(st.sampled_from(["approved", "rejected", "editing"]), st.sampled_from(["ada", "bob"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(TAKEN | st.none(), max_size=8))
def test_first_decision_stands_until_an_edit_is_released(store: Store, steps: list[tuple[Any, str] | None]) -> None:
    """A step is a decision (status and reviewer), or the release of one."""
    name = next(NAMES)
    asyncio.run(store.proposals.add([proposal_row(id=name)]))
    status, decided = "pending", None
    for step in steps:
        if step is None:
            asyncio.run(store.transact([partial(release_decision, proposal_id=name)]))
            status, decided = ("pending", None) if status == "editing" else (status, decided)
        else:
            document = decision_document(Decision(type="approve", reviewer=step[1]), "h")
            status, decided = (step[0], document) if status == "pending" else (status, decided)
            told: list[Any] = []
            take = partial(take_decision, proposal_id=name, status=step[0], decision=document)
            asyncio.run(store.transact([lambda connection, take=take, told=told: told.append(take(connection))]))
            assert told == [decided]
        row = asyncio.run(store.proposals.get(name))
        assert row
        assert (row["status"], row["document"].get("decision")) == (status, decided)
