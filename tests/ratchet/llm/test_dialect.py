import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from chat_server import Answer, ChatServer, OpenModels, completion
from pydantic import BaseModel, Field
from shop import Project

from ratchet.errors import ModelError, ModelReplyError, UnfinishedReplyError
from ratchet.llm import Meter, cut_to, metered
from ratchet.llm.reply import anything

pytestmark = pytest.mark.anyio
Body = dict[str, Any]
Endpoint = Callable[[Body], Answer]
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


class Mark(BaseModel):
    why: Annotated[str, cut_to(20), Field(max_length=20)]
    good: bool


GOOD = Answer(body=completion('{"why": "it is", "good": true}'))
ASKED: list[Any] = [{"role": "user", "content": "Is it good?"}]
WITH_SYSTEM: list[Any] = [{"role": "system", "content": "Be strict."}, *ASKED]


def refusal(message: Any, status: int = 400, **more: Any) -> Answer:
    return Answer(status, json.dumps({"error": {"message": message, "type": "invalid_request_error", **more}}))


def limit_of(body: Body) -> int | None:
    return next((body[name] for name in LIMITS if name in body), None)


def no_temperature(body: Body) -> Answer:
    if "temperature" in body:
        return refusal("Unsupported value: 'temperature' does not support 0.0 with this model.", param="temperature")
    return GOOD


def other_temperature(body: Body) -> Answer:
    return refusal("temperature: only 1 is allowed for this model", 422) if "temperature" in body else GOOD


def only_max_tokens(body: Body) -> Answer:
    """Refuses what it does not know as FastAPI does, with the place of the surplus field and its value."""
    extra = [name for name in body if name == "max_completion_tokens"]
    detail = [{"type": "extra_forbidden", "loc": ["body", name], "input": body} for name in extra]
    return Answer(422, json.dumps({"object": "error", "message": {"detail": detail}})) if extra else GOOD


def no_limit_at_all(body: Body) -> Answer:
    named = next((name for name in LIMITS if name in body), None)
    return refusal(f"Unknown field {named}") if named else GOOD


def no_response_format(body: Body) -> Answer:
    return refusal("This response_format type is unavailable now") if "response_format" in body else GOOD


def json_object_only(body: Body) -> Answer:
    form = body.get("response_format", {}).get("type")
    if form == "json_schema":
        return refusal("'response_format.type' must be 'json_object' or 'text'")
    return GOOD if form == "json_object" else refusal("response_format is required here")


def no_structured_output(body: Body) -> Answer:
    form = body.get("response_format", {}).get("type")
    told = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."
    return refusal(told) if form == "json_schema" else GOOD


def no_system_role(body: Body) -> Answer:
    return refusal("System role not supported") if body["messages"][0]["role"] != "user" else GOOD


def no_developer(body: Body) -> Answer:
    told = "Unsupported value: 'messages[0].role' does not support 'system' with this model."
    return refusal(told, param="messages[0].role") if body["messages"][0]["role"] != "user" else GOOD


def picky(body: Body) -> Answer:
    """Takes none of it, and says so one by one."""
    for part in (no_response_format, no_temperature, no_limit_at_all, no_system_role):
        if part(body) is not GOOD:
            return part(body)
    return GOOD


ENDPOINTS: dict[Endpoint, int] = {
    no_temperature: 1,
    other_temperature: 1,
    only_max_tokens: 1,
    no_limit_at_all: 2,
    no_response_format: 2,
    json_object_only: 1,
    no_structured_output: 1,
    no_system_role: 1,
    no_developer: 1,
    picky: 6,
}
"""How often each has to refuse a request until it is put right."""


def serve(server: ChatServer, endpoint: Endpoint) -> None:
    server.answer = lambda server: endpoint(server.requests[-1])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.__name__)
async def test_request_is_put_as_the_endpoint_takes_it_and_that_is_remembered(
    server: ChatServer, open_models: OpenModels, endpoint: Endpoint
) -> None:
    models = open_models(retries=0)
    serve(server, endpoint)
    with metered(Meter()) as meter:
        assert (await models.fill("agent", WITH_SYSTEM, Mark)).good
        assert (server.calls, meter.calls) == (ENDPOINTS[endpoint] + 1, 1)
        assert (await models.fill("agent", [*WITH_SYSTEM, *ASKED], Mark)).good
    assert (server.calls, meter.calls) == (ENDPOINTS[endpoint] + 2, 2)


@pytest.mark.parametrize("endpoint", [no_response_format, json_object_only])
async def test_form_is_asked_for_in_words_where_no_schema_is_taken(
    server: ChatServer, open_models: OpenModels, endpoint: Endpoint
) -> None:
    serve(server, endpoint)
    await open_models().fill("agent", ASKED, Mark)
    asked = server.requests[-1]["messages"][-1]["content"]
    assert asked.startswith("Is it good?\n\nAnswer with one JSON object")
    assert '"good": {"title": "Good", "type": "boolean"}' in asked


async def test_words_of_the_system_stand_in_the_first_message_where_it_has_no_role(
    server: ChatServer, open_models: OpenModels
) -> None:
    serve(server, no_system_role)
    turns = [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Sure?"}]
    await open_models().reply("agent", [*WITH_SYSTEM, *turns])
    assert server.requests[-1]["messages"] == [{"role": "user", "content": "Be strict.\n\nIs it good?"}, *turns]


async def test_calls_under_way_together_learn_once(server: ChatServer, open_models: OpenModels) -> None:
    serve(server, only_max_tokens)
    models = open_models()
    for number in range(8):
        await models.reply("agent", [{"role": "user", "content": str(number)}], max_tokens=9)
    assert server.requests[-1]["max_tokens"] == 9
    assert server.calls == 9


@pytest.mark.parametrize(
    "answer",
    [
        refusal("No such field: colour"),
        refusal("This model's maximum context length is 8192 tokens, max_tokens included.", code="context_length"),
        refusal("temperature", 404),
        refusal("You cannot use this model for that."),
        Answer(400, "<html>Bad Request</html>"),
    ],
)
async def test_other_refusals_are_told_at_once(server: ChatServer, open_models: OpenModels, answer: Answer) -> None:
    server.always(answer)
    with pytest.raises(Exception, match="agent model openai:m"):
        await open_models().reply("agent", ASKED, max_tokens=9, temperature=0.5)
    assert server.calls == 1


async def test_endpoint_that_refuses_every_way_is_told(server: ChatServer, open_models: OpenModels) -> None:
    server.always(refusal("temperature max_tokens response_format"))
    with pytest.raises(ModelError, match=r"agent model openai:m: request refused \(.*temperature"):
        await open_models().fill("agent", ASKED, Mark)
    assert server.calls == 6


def thinks(tokens: int) -> Endpoint:
    """A model that thinks for so many tokens before it says anything."""

    def endpoint(body: Body) -> Answer:
        limit = limit_of(body)
        return GOOD if limit is None or limit > tokens else Answer(body=completion("", "length", reasoning="Well,"))

    return endpoint


@pytest.mark.parametrize("tokens", [300, 800, 3000])
async def test_model_that_thinks_before_it_answers_gets_room_and_keeps_it(
    server: ChatServer, open_models: OpenModels, tokens: int
) -> None:
    models = open_models(retries=0)
    serve(server, thinks(tokens))
    with metered(Meter()) as meter:
        assert (await models.fill("agent", ASKED, Mark)).good
        assert (server.calls, meter.calls) == (2, 2)
        assert (await models.fill("agent", WITH_SYSTEM, Mark)).good
    assert (server.calls, meter.calls) == (3, 3)


async def test_room_is_for_requests_of_which_only_a_whole_reply_is_of_use(
    server: ChatServer, open_models: OpenModels
) -> None:
    models = open_models()
    serve(server, thinks(800))
    await models.fill("agent", ASKED, Mark)
    assert (await models.reply("agent", ASKED, max_tokens=50, check=anything)).ending == "cut_off"
    assert limit_of(server.requests[-1]) == 50


@pytest.mark.parametrize("retries", [0, 3])
async def test_model_that_never_comes_to_an_end_is_not_asked_for_ever(
    server: ChatServer, open_models: OpenModels, retries: int
) -> None:
    serve(server, thinks(10**6))
    with pytest.raises(UnfinishedReplyError, match=r"is no Mark \(cut off .*; raise RATCHET_AGENT_MAX_TOKENS"):
        await open_models(retries=retries).fill("agent", ASKED, Mark)
    assert server.calls == 2


async def test_reply_that_is_whole_at_last_and_of_another_form_is_told_as_such(
    server: ChatServer, open_models: OpenModels
) -> None:
    def endpoint(body: Body) -> Answer:
        whole = (limit_of(body) or 0) > 800
        return Answer(body=completion("It is good." if whole else "", "stop" if whole else "length"))

    serve(server, endpoint)
    with pytest.raises(ModelReplyError, match=r"is no Mark: 'It is good\.'$"):
        await open_models(retries=0).fill("agent", ASKED, Mark)
    assert server.calls == 2


async def test_room_that_does_not_fit_into_the_context_is_taken_back(
    server: ChatServer, open_models: OpenModels
) -> None:
    def endpoint(body: Body) -> Answer:
        limit = limit_of(body) or 0
        told = f"'max_tokens' is too large: {limit}. This model's maximum context length is 2048 tokens."
        return refusal(told) if limit > 2000 else Answer(body=completion('{"why": "it', "length"))

    serve(server, endpoint)
    with pytest.raises(UnfinishedReplyError, match="cut off at max_tokens"):
        await open_models().fill("agent", ASKED, Mark)
    assert [limit_of(body) for body in server.requests] == [200, 4200, 200]


async def test_embedded_model_gets_no_room(project: Project, server: ChatServer, open_models: OpenModels) -> None:
    from ratchet.llm.dialect import Dialect

    dialect = Dialect(room=0)
    request = {"messages": ASKED, "max_tokens": 50, "temperature": None}
    assert not dialect.give_room(dialect.phrase(request, whole=True))


async def test_refusal_by_a_reply_is_told_as_such(server: ChatServer, open_models: OpenModels) -> None:
    server.always(Answer(body=completion(None, refusal="I will not judge.")))
    with pytest.raises(ModelReplyError, match=r"no Mark \(the model refused to answer\): 'I will not judge\.'"):
        await open_models().fill("agent", ASKED, Mark)
