import asyncio
from typing import Any

import pytest
from shop import Project

from ratchet.engine import Engine
from ratchet.llm import Meter, metered, own_replies
from ratchet.llm.measurement import active_measurement

pytestmark = pytest.mark.anyio
MESSAGES: Any = [{"role": "user", "content": "Where?"}]


async def test_a_measurement_asks_anew_and_takes_up_its_own(project: Project, engine: Engine) -> None:
    async def said() -> str:
        return (await engine.models.reply("agent", MESSAGES)).text

    project.script("agent", "here")
    assert await said() == "here"
    agent = project.script("agent", "there")
    assert await said() == "here"
    with own_replies("P1"):
        assert [await said(), await said(), *await asyncio.gather(said(), said())] == ["there"] * 4
    assert len(agent.calls) == 1
    with own_replies("P2"):
        assert await asyncio.gather(said(), said(), said()) == ["there"] * 3
    assert (len(agent.calls), active_measurement()) == (2, "")
    assert await said() == "there"


async def test_a_meter_says_how_old_the_oldest_reused_reply_is(project: Project, engine: Engine) -> None:
    with metered(Meter()) as first:
        await engine.models.reply("agent", MESSAGES)
        await engine.models.reply("agent", MESSAGES, repeat=1)
    with metered(Meter()) as again:
        for repeat in (1, 0):
            await engine.models.reply("agent", MESSAGES, repeat=repeat)
            await engine.models.reply("judge", MESSAGES, repeat=repeat)
    times = [(await engine.models.reply("agent", MESSAGES, repeat=repeat)).created_at for repeat in (0, 1)]
    assert (first.oldest, again.oldest) == (None, min(times))
    assert again.of("agent").reused == 2
