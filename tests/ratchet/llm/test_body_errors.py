import json
import time
from typing import Any

import pytest
from chat_server import Answer, ChatServer, OpenModels, completion

from ratchet.errors import ConfigurationError, ModelReplyError, ModelUnavailableError
from ratchet.llm import Meter, metered
from ratchet.llm.body_errors import told_status

pytestmark = pytest.mark.anyio
ASKED: list[Any] = [{"role": "user", "content": "Hello"}]
WITH_CHOICE = json.loads(completion("", None))
IN_CHOICE = json.loads(completion("", "error"))
IN_CHOICE["choices"][0]["error"] = {"message": "Provider returned error", "code": 502}
OVERLOADS: dict[str, Any] = {
    "code": {"error": {"message": "Rate limit exceeded: free-models-per-min", "code": 429}},
    "code beside a choice": WITH_CHOICE | {"error": {"message": "Provider returned error", "code": 429}},
    "code as text": {"error": {"message": "slow down", "code": "429"}},
    "kind": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    "words alone": {"error": "Too Many Requests"},
    "no error object": {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded"},
    "status": {"object": "error", "message": "engine is busy", "status": 503},
}


@pytest.mark.parametrize("name", OVERLOADS)
async def test_overload_in_the_body_is_backed_off_and_tried_as_often_as_the_setting_says(
    server: ChatServer, open_models: OpenModels, name: str
) -> None:
    told = Answer(body=json.dumps(OVERLOADS[name]))
    server.first(told, told, told)
    with metered(Meter()) as meter:
        assert (await open_models(retries=3).reply("agent", ASKED)).text == "hi"
    assert (server.calls, meter.calls) == (4, 1)
    server.always(told)
    with pytest.raises(ModelUnavailableError, match="does not answer") as caught:
        await open_models(retries=1).reply("agent", ASKED)
    assert caught.value.overloaded


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "m", "code": 401}}, ConfigurationError),
        ({"error": {"message": "m", "code": "insufficient_quota"}}, ConfigurationError),
        ({"error": {"message": "m", "code": 500}}, ModelUnavailableError),
        (IN_CHOICE, ModelUnavailableError),
        ({"error": {"message": "something else"}}, ModelReplyError),
    ],
)
async def test_other_errors_in_the_body_are_what_their_status_is(
    server: ChatServer, open_models: OpenModels, body: Any, kind: type[Exception]
) -> None:
    server.always(Answer(body=json.dumps(body)))
    with pytest.raises(kind) as caught:
        await open_models(retries=0).reply("agent", ASKED)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "body",
    [
        completion("Rate limit: 429, too many requests, quota."),
        json.dumps(WITH_CHOICE | {"error": None}),
        "", "null", "[]", "{}", '{"choices": []}', "<html>429</html>", "[" * 9000, '{"object": "list", "data": []}',
    ],
)  # fmt: skip
def test_what_is_no_error_keeps_its_status(body: str) -> None:
    assert told_status(body.encode()) is None


DAY = {"error": {"message": "Rate limit reached for requests per day", "code": "rate_limit_exceeded"}}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(429, json.dumps(DAY), {"retry-after": "86400"}), "will not answer for 24 hours .*per day"),
        (Answer(429, json.dumps(DAY)), "will not answer for a day or longer"),
        (Answer(429, "{}", {"retry-after": "600"}), "will not answer for 10 minutes"),
        (Answer(503, "{}", {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}), r"will not answer for [\d,]+ days"),
        (Answer(200, json.dumps({"error": {"message": "free-models-per-day", "code": 429}})), "a day or longer"),
        (Answer(429, '{"error": {"message": "Limit on tokens (TPD) used"}}'), "for a day or longer"),
    ],
)
async def test_limit_that_does_not_lift_soon_is_given_up_at_once_and_told(
    server: ChatServer, open_models: OpenModels, answer: Answer, told: str
) -> None:
    server.always(answer)
    models = open_models(retries=3)
    started = time.perf_counter()
    for _ in range(2):
        with pytest.raises(ModelUnavailableError, match=told):
            await models.reply("agent", ASKED)
    assert (server.calls, time.perf_counter() - started < 10) == (2, True)


async def test_daily_words_with_a_short_wait_are_waited_for(server: ChatServer, open_models: OpenModels) -> None:
    server.first(Answer(429, json.dumps(DAY), {"retry-after": "0.1"}))
    assert (await open_models().reply("agent", ASKED)).text == "hi"
