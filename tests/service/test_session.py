"""What commands work with."""

import pytest

from service.session import Session, thread_config

pytestmark = pytest.mark.anyio


async def test_graphs_of_a_session_share_engine_and_threads(session: Session) -> None:
    asked = {"task": "desk", "input": "What is the price of item001?", "expected": "101 coins"}
    served = await session.graph("serve").ainvoke(asked, thread_config("T-1"))
    for name in ("serve", "agent"):
        state = await session.graph(name).aget_state(thread_config("T-1"))
        assert state.values["run_id"] == served["run_id"]
    other = await session.graph("serve").aget_state(thread_config("T-2"))
    assert other.values == {}
    assert await session.engine.store.failures.count_open("desk") == 1
