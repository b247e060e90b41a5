from typing import Any

import pytest
from shop import Project

from ratchet.cycles.silent import silent_roles
from ratchet.cycles.spending import charged_to
from ratchet.engine import Engine
from ratchet.errors import ModelError
from ratchet.llm import Fault
from ratchet.store.documents import CycleDocument

pytestmark = pytest.mark.anyio
REFUSED = "optimizer model scripted:scripts_of_this_test:optimizer: request refused (Error code: 400 - scripted fault)"


def asked(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


async def ask(engine: Engine, role: str, text: str) -> None:
    async with charged_to(engine, "C"):
        await engine.models.reply(role, asked(text))


@pytest.fixture
async def document(engine: Engine) -> Any:
    await engine.store.cycles.claim("C", "shop", "shop", "improve", "t", {})

    async def read() -> CycleDocument:
        row = await engine.store.cycles.get("C")
        assert row
        return row["document"]

    return read


async def test_roles_are_counted_over_all_steps_of_a_cycle(project: Project, engine: Engine, document: Any) -> None:
    project.script("optimizer", Fault(400, body='{"error": {"message": "scripted fault"}}'))
    await ask(engine, "agent", "one")
    for text in ("one", "two"):
        with pytest.raises(ModelError):
            await ask(engine, "optimizer", text)
    roles = (await document())["roles"]
    assert {role: (told["answered"], told["failed"]) for role, told in roles.items()} == {
        "agent": (1, 0),
        "optimizer": (0, 2),
    }
    line = f"the optimizer model gave no usable answer to its 2 requests: {REFUSED}"
    assert silent_roles(await document()) == {"optimizer": line}
    project.script("optimizer", "Be kind.")
    await ask(engine, "optimizer", "three")
    assert silent_roles(await document()) == {}


async def test_calls_are_charged_to_the_cycle(engine: Engine, document: Any) -> None:
    async with charged_to(engine, "C") as meter:
        assert meter.limit == engine.settings.max_calls
        await engine.models.reply("agent", asked("one"))
    assert (await engine.store.replies.spent_by("C")).by_role == {"agent": 1}


async def test_step_that_asks_nobody_notes_nothing(engine: Engine, document: Any) -> None:
    async with charged_to(engine, "C"):
        pass
    async with charged_to(engine, "C-gone"):
        await engine.models.reply("agent", asked("one"))
    assert "roles" not in await document()
