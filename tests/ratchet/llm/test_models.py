import asyncio
from typing import Any

import pytest
from pydantic import BaseModel
from shop import OpenEngine, Project

from ratchet.engine import Engine
from ratchet.errors import BudgetError, ConfigurationError, ModelError, ModelReplyError, ModelUnavailableError
from ratchet.llm import Fault, Meter, metered

pytestmark = pytest.mark.anyio


class Form(BaseModel):
    reason: str
    verdict: bool


def asked(text: str = "Hello there") -> list[Any]:
    return [{"role": "user", "content": text}]


async def test_reply_is_reused_by_content(project: Project, engine: Engine) -> None:
    script = project.script("agent", lambda messages, request: f"reply {len(script.calls)}")
    first = await engine.models.reply("agent", asked())
    again = await engine.models.reply("agent", asked())
    assert (first.text, again.text, len(script.calls)) == ("reply 1", "reply 1", 1)
    assert (first.reused, again.reused) == (False, True)


async def test_reply_is_reused_by_another_process(project: Project, open_engine: OpenEngine) -> None:
    script = project.script("agent", "hi")
    for engine in (await open_engine(), await open_engine()):
        await engine.models.reply("agent", asked())
    assert len(script.calls) == 1


@pytest.mark.parametrize(
    "other",
    [{"repeat": 1}, {"max_tokens": 5}, {"temperature": 0.5}, {"temperature": 0.0}, {"schema": {"type": "object"}}],
)
async def test_reply_to_another_request_is_paid_for(project: Project, engine: Engine, other: dict[str, Any]) -> None:
    script = project.script("agent", "hi")
    await engine.models.reply("agent", asked())
    await engine.models.reply("agent", asked(), **other)
    await engine.models.reply("agent", asked(), **other)
    assert len(script.calls) == 2


@pytest.mark.parametrize(
    ("role", "setting", "sent"),
    [
        ("agent", {"agent_max_tokens": 900}, (900, 0.3)),
        ("judge", {"judge_temperature": 0.9}, (64, 0.9)),
        ("optimizer", {"optimizer_max_tokens": 7, "optimizer_temperature": 0.0}, (7, 0.0)),
        ("analyst", {"judge_max_tokens": 900}, (64, 0.3)),
    ],
)
async def test_setting_of_a_role_decides_the_request_and_the_key(
    project: Project, open_engine: OpenEngine, role: str, setting: dict[str, Any], sent: tuple[Any, ...]
) -> None:
    script = project.script(role, "hi")
    for engine in (await open_engine(), await open_engine(**setting), await open_engine(**setting)):
        await engine.models.reply(role, asked(), max_tokens=64, temperature=0.3)
    request = script.requests[-1]
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    assert (limit, request["temperature"]) == sent
    assert len(script.calls) == (1 if sent == (64, 0.3) else 2)


async def test_reply_of_another_model_is_paid_for(project: Project, engine: Engine) -> None:
    agent, judge = project.script("agent", "a"), project.script("judge", "b")
    assert [(await engine.models.reply(role, asked())).text for role in ("agent", "judge")] == ["a", "b"]
    assert len(agent.calls) == len(judge.calls) == 1


async def test_equal_requests_under_way_share_one_call(project: Project, engine: Engine) -> None:
    async def slowly(messages: Any, request: Any) -> str:
        await asyncio.sleep(0.05)
        return "hi"

    script = project.script("agent", slowly)
    replies = await asyncio.gather(*(engine.models.reply("agent", asked()) for _ in range(8)))
    assert {reply.text for reply in replies} == {"hi"}
    assert len(script.calls) == 1


async def test_sharing_survives_the_end_of_the_first_caller(project: Project, engine: Engine) -> None:
    async def slowly(messages: Any, request: Any) -> str:
        await asyncio.sleep(0.1)
        return "hi"

    script = project.script("agent", slowly)
    first = asyncio.create_task(engine.models.reply("agent", asked()))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(engine.models.reply("agent", asked()))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).text == "hi"
    assert len(script.calls) == 1


async def test_repeat_none_always_pays_and_keeps_the_first(project: Project, engine: Engine) -> None:
    script = project.script("agent", lambda messages, request: f"reply {len(script.calls)}")
    texts = [(await engine.models.reply("agent", asked(), repeat=None)).text for _ in range(3)]
    assert texts == ["reply 1", "reply 2", "reply 3"]
    assert (await engine.models.reply("agent", asked())).text == "reply 1"


async def test_request_carries_the_options(project: Project, engine: Engine) -> None:
    script = project.script("agent", {"reason": "r", "verdict": True})
    await engine.models.reply("agent", asked(), max_tokens=7, temperature=0.5)
    await engine.models.fill("agent", asked(), Form, max_tokens=9)
    plain, form = script.requests
    assert (plain["temperature"], "response_format" in plain) == (0.5, False)
    assert 7 in (plain.get("max_tokens"), plain.get("max_completion_tokens"))
    assert form["temperature"] == 0.0
    assert form["response_format"]["json_schema"]["schema"]["required"] == ["reason", "verdict"]


async def test_fill_gives_the_form(project: Project, engine: Engine) -> None:
    project.script("judge", {"reason": "r", "verdict": False})
    assert await engine.models.fill("judge", asked(), Form) == Form(reason="r", verdict=False)


@pytest.mark.parametrize("reply", ["", "no json", "{}", "[]", '{"reason": "r"}'])
async def test_fill_refuses_another_form(project: Project, engine: Engine, reply: str) -> None:
    project.script("judge", reply)
    with pytest.raises(ModelReplyError, match=r"judge model scripted:.*: the reply is no Form"):
        await engine.models.fill("judge", asked(), Form)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ModelError),
        (401, ConfigurationError),
        (403, ConfigurationError),
        (404, ConfigurationError),
        (429, ModelUnavailableError),
        (500, ModelUnavailableError),
        (503, ModelUnavailableError),
    ],
)
async def test_status_becomes_a_clear_error(
    project: Project, engine: Engine, status: int, kind: type[Exception]
) -> None:
    project.script("agent", Fault(status))
    with pytest.raises(kind, match=r"agent model scripted:scripts_of_this_test:agent.*scripted fault") as caught:
        await engine.models.reply("agent", asked())
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "null",
        "[]",
        '"text"',
        "{}",
        '{"choices": []}',
        '{"choices": null}',
        '{"choices": [{}]}',
        '{"choices": [{"message": null}]}',
        '{"choices": [{"message": {"role": "assistant", "content": 7}}]}',
    ],
)
async def test_unusable_body_is_a_model_error(project: Project, engine: Engine, body: str) -> None:
    project.script("agent", Fault(200, body=body))
    with pytest.raises(ModelError, match="agent model"):
        await engine.models.reply("agent", asked())


async def test_model_that_is_too_slow_is_given_up(project: Project, open_engine: OpenEngine) -> None:
    engine = await open_engine(timeout=0.2)
    project.script("agent", Fault(200, delay=20, body="{}"))
    async with asyncio.timeout(10):
        with pytest.raises(ModelUnavailableError, match="does not answer"):
            await engine.models.reply("agent", asked())


async def test_failed_reply_is_not_kept(project: Project, engine: Engine) -> None:
    project.script("agent", Fault(500))
    with pytest.raises(ModelUnavailableError):
        await engine.models.reply("agent", asked())
    project.script("agent", "hi")
    assert (await engine.models.reply("agent", asked())).text == "hi"


async def test_calls_in_flight_are_bounded(project: Project, open_engine: OpenEngine) -> None:
    engine = await open_engine(concurrency=3)
    running, most = 0, 0

    async def counting(messages: Any, request: Any) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return "hi"

    project.script("agent", counting)
    await asyncio.gather(*(engine.models.reply("agent", asked(str(n))) for n in range(12)))
    assert most == 3


async def test_budget_is_never_exceeded(project: Project, engine: Engine) -> None:
    script = project.script("agent", "hi")
    with metered(Meter(limit=5, spent=2)) as meter:
        results = await asyncio.gather(
            *(engine.models.reply("agent", asked(str(n))) for n in range(10)), return_exceptions=True
        )
    assert len(script.calls) == 3
    assert sum(isinstance(result, BudgetError) for result in results) == 7
    assert meter.calls == 5


async def test_budget_of_nothing_still_reuses(project: Project, engine: Engine) -> None:
    project.script("agent", "hi")
    await engine.models.reply("agent", asked())
    with metered(Meter(limit=0)) as meter:
        assert (await engine.models.reply("agent", asked())).text == "hi"
        with pytest.raises(BudgetError, match=r"budget of 0 model calls is used up; raise RATCHET_MAX_CALLS"):
            await engine.models.reply("agent", asked("new"))
    assert (meter.of("agent").reused, meter.calls) == (1, 0)


async def test_meter_counts_calls_and_tokens_by_role(project: Project, engine: Engine) -> None:
    project.script("agent", "one two three")
    project.script("judge", "one")
    with metered(Meter(cycle_id="C-1")) as meter:
        await engine.models.reply("agent", asked("a b c d"))
        await engine.models.reply("agent", asked("a b"))
        await engine.models.reply("judge", asked("a"))
        await engine.models.reply("judge", asked("a"))
    report = meter.report()
    assert {role: (u["calls"], u["reused"], u["input_tokens"], u["output_tokens"]) for role, u in report.items()} == {
        "agent": (2, 0, 6, 6),
        "judge": (1, 1, 1, 1),
    }
    assert (await engine.store.replies.spent_by("C-1")).calls == 3


async def test_roles_on_one_model_share_its_limit(project: Project, open_engine: OpenEngine) -> None:
    running, most = 0, 0

    async def counting(messages: Any, request: Any) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return "hi"

    name = project.add("both", counting)
    engine = await open_engine(concurrency=3, agent_model=f"scripted:{name}", judge_model=f"scripted:{name}")
    with metered(Meter()) as meter:
        await asyncio.gather(
            *(engine.models.reply(role, asked(f"{role} {n}")) for n in range(6) for role in ("agent", "judge"))
        )
    assert most == meter.most_in_flight == 3
    assert all(usage["most_in_flight"] <= 3 for usage in meter.report().values())


async def test_call_that_was_not_answered_is_not_charged(project: Project, engine: Engine) -> None:
    project.script("agent", Fault(500))
    with metered(Meter(limit=1)) as meter, pytest.raises(ModelUnavailableError):
        await engine.models.reply("agent", asked())
    assert meter.calls == 0


@pytest.mark.parametrize("reply", [Fault(400), Fault(503), Fault(200, body="<html>"), "no form"])
async def test_requests_without_a_usable_reply_are_counted_by_role(
    project: Project, engine: Engine, reply: Any
) -> None:
    project.script("judge", reply)
    with metered(Meter()) as meter:
        with pytest.raises(ModelError):
            await engine.models.fill("judge", asked(), Form)
        await engine.models.reply("analyst", asked())
        assert [line.split(":")[0] for line in meter.silent()] == [
            "the judge model gave no usable answer to its 1 request"
        ]
        project.script("judge", {"reason": "r", "verdict": True})
        await engine.models.fill("judge", asked(), Form)
    assert meter.silent() == []
    with metered(Meter()) as meter:
        await engine.models.fill("judge", asked(), Form)
    assert (meter.of("judge").answered, meter.calls) == (1, 0)


async def test_openai_without_key_or_address_says_what_to_set(open_engine: OpenEngine) -> None:
    engine = await open_engine(agent_model="openai:gpt-x")
    with pytest.raises(ConfigurationError, match="openai:gpt-x: set OPENAI_API_KEY, or OPENAI_BASE_URL"):
        await engine.models.reply("agent", asked())
