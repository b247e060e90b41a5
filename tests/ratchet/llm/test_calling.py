import asyncio
import json
import time
from typing import Any

import pytest
from chat_server import Answer, ChatServer, OpenModels, completion

from ratchet.errors import BudgetError, ConfigurationError, ModelError, ModelReplyError, ModelUnavailableError
from ratchet.llm import Meter, Models, Reply, metered
from ratchet.llm.calling import Backoff

pytestmark = pytest.mark.anyio

GOOD = json.loads(completion())
UNANSWERED = {
    "429": Answer(429),
    "429 with Retry-After": Answer(429, headers={"retry-after": "0.05"}),
    "408": Answer(408),
    "409": Answer(409),
    "500": Answer(500),
    "503": Answer(503, "<html>Service Unavailable</html>"),
    "529": Answer(529),
    "slow": Answer(seconds=20),
    "drip by drip": Answer(drip=0.01),
    "closed before the answer": Answer(cut=0),
    "closed in the middle": Answer(cut=40),
}
UNUSABLE = {
    "empty": Answer(body=""),
    "not JSON": Answer(body="<html>"),
    "half of it": Answer(body=completion()[:60]),
    "without choices": Answer(body="{}"),
    "no choice": Answer(body=json.dumps(GOOD | {"choices": []})),
    "an error for an answer": Answer(body='{"error": {"message": "busy"}}'),
    "broken off": Answer(body=completion("Hel", finish="error")),
}


def asked(text: str = "Hello") -> list[Any]:
    return [{"role": "user", "content": text}]


def seconds_for(fault: str) -> float:
    """The timeout of a call: short only where it is what is tried, as the machine may be busy."""
    return 0.2 if fault in ("slow", "drip by drip") else 20.0


async def ask_200(models: Models) -> list[Reply]:
    return await asyncio.gather(*(models.reply("agent", asked(str(n))) for n in range(200)))


@pytest.mark.parametrize("fault", UNANSWERED)
async def test_call_without_an_answer_is_tried_again_and_not_charged(
    server: ChatServer, open_models: OpenModels, fault: str
) -> None:
    models = open_models(timeout=seconds_for(fault), retries=1)
    server.always(UNANSWERED[fault])
    with (
        metered(Meter()) as meter,
        pytest.raises(ModelUnavailableError, match="agent model openai:m does not") as caught,
    ):
        await models.reply("agent", asked())
    assert "\n" not in str(caught.value)
    assert (server.calls, meter.calls) == (2, 0)

    server.always(Answer())
    with metered(meter):
        assert (await models.reply("agent", asked())).text == "hi"
    assert meter.calls == 1


@pytest.mark.parametrize("fault", UNUSABLE)
async def test_unusable_reply_is_tried_once_more_and_charged_each_time(
    server: ChatServer, open_models: OpenModels, fault: str
) -> None:
    models = open_models()
    server.always(UNUSABLE[fault])
    with metered(Meter()) as meter, pytest.raises(ModelReplyError, match="agent model openai:m: unusable") as caught:
        await models.reply("agent", asked(), schema={"type": "object"})
    assert "\n" not in str(caught.value)
    assert (server.calls, meter.calls) == (2, 2)

    server.always(Answer())
    assert (await models.reply("agent", asked())).text == "hi"


@pytest.mark.parametrize("fault", [*UNANSWERED, *UNUSABLE])
async def test_passing_fault_is_not_noticed(server: ChatServer, open_models: OpenModels, fault: str) -> None:
    server.first((UNANSWERED | UNUSABLE)[fault])
    with metered(Meter()) as meter:
        reply = await open_models(timeout=seconds_for(fault)).reply("agent", asked(), schema={"type": "object"})
    assert (reply.text, server.calls) == ("hi", 2)
    assert meter.calls == (1 if fault in UNANSWERED else 2)


async def test_endpoint_that_is_down_is_reported_and_used_when_it_is_back(
    server: ChatServer, open_models: OpenModels
) -> None:
    models = open_models()
    await models.reply("agent", asked("before"))
    await server.stop()
    with metered(Meter()) as meter, pytest.raises(ModelUnavailableError, match="does not answer"):
        await models.reply("agent", asked())
    assert meter.calls == 0
    await server.start()
    assert (await models.reply("agent", asked())).text == "hi"


async def test_endpoint_may_come_back_between_two_tries(server: ChatServer, open_models: OpenModels) -> None:
    models = open_models(Backoff(first=0.1))
    await server.stop()
    reply = asyncio.create_task(models.reply("agent", asked()))
    await asyncio.sleep(0.05)
    await server.start()
    assert (await reply).text == "hi"


@pytest.mark.parametrize("retries", [0, 1, 4])
async def test_tries_are_bounded_by_the_setting(server: ChatServer, open_models: OpenModels, retries: int) -> None:
    models = open_models(Backoff(first=0.001), retries=retries)
    for number, fault in enumerate((Answer(500), Answer(body="<html>"))):
        server.always(fault)
        with pytest.raises(ModelError):
            await models.reply("agent", asked(str(number)))
        assert server.calls == (1 + retries if number == 0 else 1 + min(1, retries))
        server.calls = 0


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, "{}", ModelError),
        (401, "{}", ConfigurationError),
        (402, "{}", ConfigurationError),
        (403, "{}", ConfigurationError),
        (404, "{}", ConfigurationError),
        (413, "{}", ModelError),
        (422, "{}", ModelError),
        (429, '{"error": {"message": "m", "code": "insufficient_quota"}}', ConfigurationError),
        (429, '{"error": {"message": "m", "type": "insufficient_quota"}}', ConfigurationError),
    ],
)
async def test_fault_that_will_not_pass_is_not_tried_again(
    server: ChatServer, open_models: OpenModels, status: int, body: str, kind: type[Exception]
) -> None:
    server.always(Answer(status, body))
    with pytest.raises(kind, match="agent model openai:m") as caught:
        await open_models().reply("agent", asked())
    assert (type(caught.value), server.calls) == (kind, 1)
    assert "\n" not in str(caught.value)


async def test_quota_that_is_used_up_says_so(server: ChatServer, open_models: OpenModels) -> None:
    server.always(Answer(429, '{"error": {"message": "m", "code": "insufficient_quota"}}'))
    with pytest.raises(ConfigurationError, match=r"the account's quota is used up .* add credit or set another model"):
        await open_models().reply("agent", asked())


@pytest.mark.parametrize("status", [429, 500])
async def test_retry_after_is_waited_for(server: ChatServer, open_models: OpenModels, status: int) -> None:
    server.first(Answer(status, headers={"retry-after": "0.3"}))
    started = time.perf_counter()
    await open_models().reply("agent", asked())
    assert time.perf_counter() - started >= 0.3


async def test_retry_after_of_one_call_holds_back_the_others(server: ChatServer, open_models: OpenModels) -> None:
    models = open_models()
    server.first(Answer(429, headers={"retry-after": "0.3"}))
    started = time.perf_counter()
    with metered(Meter()) as meter:
        first = asyncio.create_task(models.reply("agent", asked("first")))
    await server.called(1)
    while meter.calls:  # noqa: ASYNC110 until the client has read the answer
        await asyncio.sleep(0.005)
    await models.reply("agent", asked("second"))
    assert time.perf_counter() - started >= 0.3
    await first


async def test_waits_are_bounded_in_all(server: ChatServer, open_models: OpenModels) -> None:
    server.always(Answer(500, headers={"retry-after": "30"}))
    async with asyncio.timeout(15):
        with pytest.raises(ModelUnavailableError):
            await open_models(Backoff(first=0.01, total=25.0)).reply("agent", asked())
    assert server.calls == 1


async def test_no_slot_is_held_between_two_tries(server: ChatServer, open_models: OpenModels) -> None:
    models = open_models(concurrency=1)
    server.first(Answer(500, headers={"retry-after": "20"}))
    first = asyncio.create_task(models.reply("agent", asked("first")))
    await server.called(1)
    await models.reply("agent", asked("second"))
    assert server.statuses == [500, 200]
    assert not first.done()
    first.cancel()


async def test_cancelled_call_gives_its_slot_back(server: ChatServer, open_models: OpenModels) -> None:
    models = open_models(concurrency=1)
    for answer in (Answer(seconds=20), Answer(500, headers={"retry-after": "20"})):
        server.first(answer)
        before = server.calls
        call = asyncio.create_task(models.reply("agent", asked(), repeat=None))
        await server.called(before + 1)
        await asyncio.sleep(0.02)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(15):
            assert (await models.reply("agent", asked(), repeat=None)).text == "hi"


async def test_budget_holds_for_further_tries(server: ChatServer, open_models: OpenModels) -> None:
    server.always(Answer(body="<html>"))
    with metered(Meter(limit=1)) as meter, pytest.raises(BudgetError):
        await open_models().reply("agent", asked())
    assert (server.calls, meter.calls) == (1, 1)


async def test_budget_is_exact_while_calls_fail_and_are_tried_again(
    server: ChatServer, open_models: OpenModels
) -> None:
    models = open_models(retries=10)
    server.answer = lambda server: Answer(500 if server.calls % 3 == 0 else 200, seconds=0.01)
    with metered(Meter(limit=15)) as meter:
        results = await asyncio.gather(
            *(models.reply("agent", asked(str(n))) for n in range(40)), return_exceptions=True
        )
    assert sum(isinstance(result, BudgetError) for result in results) == 25
    assert server.statuses.count(200) == meter.calls == 15


@pytest.mark.parametrize(("asked_for", "concurrency", "together"), [(20, 32, 20), (9, 4, 4), (3, 8, 3)])
async def test_calls_start_at_once_up_to_what_the_setting_allows(
    server: ChatServer, open_models: OpenModels, asked_for: int, concurrency: int, together: int
) -> None:
    """No call is answered before so many are under way together: a busy machine only takes longer."""
    server.together = together
    models = open_models(concurrency=concurrency)
    replies = await asyncio.gather(*(models.reply("agent", asked(str(n))) for n in range(asked_for)))
    assert len(replies) == server.calls == asked_for
    assert server.most_in_flight == together


async def test_calls_in_flight_settle_at_what_the_endpoint_bears(server: ChatServer, open_models: OpenModels) -> None:
    accepted: list[int] = []

    def answer(server: ChatServer) -> Answer:
        if server.in_flight > 8:
            return Answer(429)
        accepted.append(server.in_flight)
        return Answer(seconds=0.05)

    server.answer = answer
    replies = await ask_200(open_models(concurrency=32, retries=3))
    assert [reply.text for reply in replies] == ["hi"] * 200
    assert server.statuses.count(429) < 0.25 * server.calls
    assert 7 <= max(accepted[100:]) <= 8
