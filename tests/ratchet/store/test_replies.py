import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from ratchet.llm import Reply
from ratchet.records import Spent
from ratchet.store import Store

pytestmark = pytest.mark.anyio
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


async def test_reply_put_twice_keeps_the_first(store: Store) -> None:
    await store.replies.put("k", "agent", Reply(text="first", input_tokens=1), "C")
    await store.replies.put("k", "judge", Reply(text="second"), "D")
    kept = await store.replies.get("k")
    assert kept is not None
    assert (kept.text, kept.input_tokens) == ("first", 1)
    assert ((await store.replies.spent_by("C")).calls, (await store.replies.spent_by("D")).calls) == (1, 0)
    assert await store.replies.get("other") is None


async def test_each_measurement_has_replies_of_its_own_and_others_get_the_newest(store: Store) -> None:
    async def kept(measurement: str = "") -> tuple[str | None, bool]:
        found = await store.replies.get("k", measurement)
        return (found.text, bool(found.created_at)) if found else (None, False)

    await store.replies.put("k", "agent", Reply(text="before"), None)
    assert (await kept(), await kept("P1")) == (("before", True), (None, False))
    await store.replies.put("k", "agent", Reply(text="now"), "C", "P1")
    await store.replies.put("k", "agent", Reply(text="again"), "C", "P1")
    await store.replies.put("k", "agent", Reply(text="late"), None)
    assert (await kept(), await kept("P1"), await kept("P2")) == (("now", True), ("now", True), (None, False))
    assert (await store.replies.count(), (await store.replies.spent_by("C")).calls) == (2, 1)


async def test_what_a_cycle_spent_is_told_by_role_with_its_tokens(store: Store) -> None:
    for number, (role, cycle) in enumerate([("agent", "C"), ("agent", "C"), ("judge", "C"), ("agent", "D")]):
        await store.replies.put(f"k{number}", role, Reply(text="t", input_tokens=1000 + number, output_tokens=2), cycle)

    spent = await store.replies.spent_by("C")
    assert spent == Spent(calls=3, input_tokens=3003, output_tokens=6, by_role={"agent": 2, "judge": 1})
    assert spent.line == "3 model calls (agent 2, judge 1), 3,003 tokens in and 6 out"
    assert (await store.replies.spent_by("E")).line == "0 model calls, 0 tokens in and 0 out"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(TEXT, TEXT)
def test_replies_keep_any_text(store: Store, key: str, text: str) -> None:
    async def kept() -> Reply | None:
        await store.replies.put(f"{key}/{text}", "agent", Reply(text=text), None)
        return await store.replies.get(f"{key}/{text}")

    found = asyncio.run(kept())
    assert found is not None
    assert found.model_copy(update={"created_at": None}) == Reply(text=text)


async def test_reply_without_a_role_is_an_error(store: Store) -> None:
    with pytest.raises(IntegrityError, match=r"NOT NULL.*replies\.role"):
        await store.replies.put("k", None, Reply(text="t"), None)  # type: ignore[arg-type]
    assert await store.replies.get("k") is None
