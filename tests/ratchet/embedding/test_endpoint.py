import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from chat_server import Answer, ChatServer

from ratchet.config.settings import Settings
from ratchet.embedding.endpoint import BATCH, EndpointModel
from ratchet.errors import BudgetError, ConfigurationError, ModelError, ModelReplyError, ModelUnavailableError
from ratchet.llm import Meter, metered
from ratchet.llm.calling import Backoff

pytestmark = pytest.mark.anyio
OpenModel = Callable[..., EndpointModel]


def body(vectors: list[Any], usage: Any = None) -> str:
    """The body of an answer with these vectors, given in reverse order with their places."""
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)][::-1]
    return json.dumps({"object": "list", "model": "m", "data": data, "usage": usage})


def lengths(server: ChatServer) -> Answer:
    """A vector for each text that says how long it is."""
    texts = server.requests[-1]["input"]
    return Answer(body=body([[float(len(text)), 0.0, 1.0] for text in texts], {"prompt_tokens": 7, "total_tokens": 7}))


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    made = ChatServer()
    made.answer = lengths
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def open_model(server: ChatServer) -> AsyncIterator[OpenModel]:
    opened: list[EndpointModel] = []

    def open_one(**overrides: Any) -> EndpointModel:
        given = {"openai_base_url": server.url, "openai_api_key": "k", "retries": 2} | overrides
        opened.append(EndpointModel("m", Settings.load(**given), Backoff(first=0.01)))
        return opened[-1]

    yield open_one
    for model in opened:
        await model.close()


async def test_vectors_come_in_the_order_of_the_texts_with_length_1(server: ChatServer, open_model: OpenModel) -> None:
    rows = await open_model().embed(["a", "three", "fifteen letters"])

    assert np.allclose(rows, [[n / np.hypot(n, 1), 0, 1 / np.hypot(n, 1)] for n in (1, 5, 15)])
    assert server.requests[0]["model"] == "m"
    assert server.requests[0]["input"] == ["a", "three", "fifteen letters"]


async def test_many_texts_go_in_several_requests(server: ChatServer, open_model: OpenModel) -> None:
    rows = await open_model().embed(["x" * (number + 1) for number in range(2 * BATCH + 1)])

    assert sorted(len(request["input"]) for request in server.requests) == [1, BATCH, BATCH]
    assert np.allclose(rows[:, 0] / rows[:, 2], range(1, 2 * BATCH + 2), rtol=1e-4)


async def test_requests_are_counted_and_stop_at_the_budget(server: ChatServer, open_model: OpenModel) -> None:
    model = open_model()
    with metered(Meter(limit=1)) as meter:
        await model.embed(["one"])
        with pytest.raises(BudgetError):
            await model.embed(["two"])

    assert (meter.of("embedding").calls, meter.of("embedding").input_tokens, server.calls) == (1, 7, 1)


@pytest.mark.parametrize("answer", [Answer(503), Answer(429), Answer(body="no JSON"), Answer(cut=3)])
async def test_passing_fault_is_tried_again(server: ChatServer, open_model: OpenModel, answer: Answer) -> None:
    server.answer = lambda asked: answer if asked.calls == 1 else lengths(asked)

    assert len(await open_model().embed(["a"])) == 1
    assert server.calls == 2


@pytest.mark.parametrize(
    ("answer", "error", "calls"),
    [
        (Answer(503, "{}"), ModelUnavailableError, 3),
        (Answer(401, "{}"), ConfigurationError, 1),
        (Answer(404, "{}"), ConfigurationError, 1),
        (Answer(400, "{}"), ModelError, 1),
        (Answer(body=body([])), ModelReplyError, 3),
        (Answer(body=body([[]])), ModelReplyError, 3),
        (Answer(body=body([["x"]])), ModelReplyError, 3),
        (Answer(body=body([[float("nan")]])), ModelReplyError, 3),
        (Answer(body=body([[1.0], [2.0]])), ModelReplyError, 3),
        (Answer(body="{}"), ModelReplyError, 3),
    ],
)
async def test_fault_is_told_in_one_line_that_names_the_model(
    server: ChatServer, open_model: OpenModel, answer: Answer, error: type[Exception], calls: int
) -> None:
    server.always(answer)

    with pytest.raises(error, match=r"^embedding model openai:m[^\n]*$") as raised:
        await open_model().embed(["a"])
    assert type(raised.value) is error
    assert server.calls == calls


async def test_endpoint_that_hangs_is_given_up(server: ChatServer, open_model: OpenModel) -> None:
    server.always(Answer(seconds=5))

    with pytest.raises(ModelUnavailableError, match="timed out"):
        await open_model(timeout=0.05, retries=0).embed(["a"])


async def test_endpoint_that_is_not_there_is_told(open_model: OpenModel) -> None:
    with pytest.raises(ModelUnavailableError, match="embedding model openai:m does not answer"):
        await open_model(openai_base_url="http://127.0.0.1:9/v1", retries=0).embed(["a"])


async def test_model_without_a_key_and_an_address_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="openai:m: set OPENAI_API_KEY, or OPENAI_BASE_URL"):
        await EndpointModel("m", Settings.load()).embed(["a"])


async def test_calls_at_once_are_bounded(server: ChatServer, open_model: OpenModel) -> None:
    server.answer = lambda asked: lengths(asked)._replace(seconds=0.01)
    model = open_model(concurrency=2)

    await asyncio.gather(*(model.embed([f"text {number}"]) for number in range(8)))

    assert server.most_in_flight <= 2


async def test_name_tells_the_endpoint(open_model: OpenModel) -> None:
    assert open_model().name != open_model(openai_base_url="http://other/v1").name
    assert EndpointModel("m", Settings.load()).name == "openai:m of https://api.openai.com/v1"
