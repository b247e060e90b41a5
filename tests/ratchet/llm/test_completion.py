import json
from typing import Any

import pytest
from chat_server import Answer, ChatServer, OpenModels, completion
from langchain_core.messages import AIMessage

from ratchet.errors import ModelReplyError
from ratchet.llm.completion import as_reply, ending_of, require_answer
from ratchet.llm.reply import Reply
from ratchet.records import Ending

pytestmark = pytest.mark.anyio
CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"city": "Oslo"}'}}
BAD_CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"city": '}}
ENDED: dict[str, tuple[str, Ending, str]] = {
    "whole": (completion("Oslo"), "answer", "Oslo"),
    "whole, without a reason": (completion("Oslo", None), "answer", "Oslo"),
    "half": (completion("The capital of", "length"), "cut_off", "The capital of"),
    "nothing but thoughts": (completion("", "length", reasoning_content="Well,"), "cut_off", ""),
    "no content at all": (completion(None, "length"), "cut_off", ""),
    "refused": (completion(None, refusal="I cannot help with that."), "refused", "I cannot help with that."),
    "filtered": (completion("", "content_filter"), "filtered", ""),
    "filtered in the middle": (completion("The capi", "content_filter"), "filtered", "The capi"),
    "a tool": (completion(None, "tool_calls", tool_calls=[CALL]), "tool_call", ""),
    "a tool, badly": (completion("", "tool_calls", tool_calls=[BAD_CALL]), "tool_call", ""),
    "a function": (completion(None, "function_call", function_call=CALL["function"]), "tool_call", ""),
    "a tool beside an answer": (completion("Oslo", "tool_calls", tool_calls=[CALL]), "answer", "Oslo"),
    "parts": (completion([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Oslo"}]), "answer", "Oslo"),
    "reasoning in its own field": (completion("Oslo", reasoning_content="hm"), "answer", "Oslo"),
    "reasoning in the text": (completion("<think>hm</think>Oslo"), "answer", "Oslo"),
    "half a surrogate pair": (completion("Oslo \ud83d"), "answer", "Oslo \ufffd"),
    "a NUL": (completion("Os\0lo"), "answer", "Os\ufffdlo"),
}


def asked() -> list[Any]:
    return [{"role": "user", "content": "Capital of Norway?"}]


@pytest.mark.parametrize("schema", [None, {"type": "object"}], ids=["text", "schema"])
@pytest.mark.parametrize("case", ENDED)
async def test_reply_says_how_it_ended(
    server: ChatServer, open_models: OpenModels, case: str, schema: dict[str, Any] | None
) -> None:
    body, ending, answer = ENDED[case]
    server.always(Answer(body=body))
    reply = await open_models().reply("agent", asked(), schema=schema)
    assert (reply.ending, reply.answer, server.calls) == (ending, answer, 1)
    json.dumps(reply.text).encode()


@pytest.mark.parametrize(
    ("told", "ending"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "cut_off"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "filtered"),
        ({"status": "completed", "incomplete_details": None}, "answer"),
        ({"finish_reason": "SAFETY"}, "filtered"),
        ({"finish_reason": "max_tokens"}, "cut_off"),
        ({}, "answer"),
    ],
)
def test_ending_is_told_by_other_protocols_too(told: dict[str, Any], ending: Ending) -> None:
    assert ending_of(AIMessage(content="Os", response_metadata=told)) == ending


async def test_reply_that_the_endpoint_broke_off_is_unusable(server: ChatServer, open_models: OpenModels) -> None:
    server.always(Answer(body=completion("The cap", "error")))
    with pytest.raises(
        ModelReplyError, match=r"agent model openai:m: unusable reply \(the endpoint broke the reply off"
    ):
        await open_models().reply("agent", asked())
    assert server.calls == 2


async def test_ending_is_kept_with_the_reply(server: ChatServer, open_models: OpenModels) -> None:
    server.always(Answer(body=completion("The capital of", "length")))
    models = open_models()
    first, again = [await models.reply("agent", asked()) for _ in range(2)]
    assert (first.ending, again.ending, again.reused, server.calls) == ("cut_off", "cut_off", True, 1)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(text="Be br", ending="cut_off"), "cut off at max_tokens"),
        (Reply(text="I cannot.", ending="refused"), "refused to answer"),
        (Reply(text="<think>Be brief"), "empty, or reasoning only"),
        (Reply(text=" \n"), "empty, or reasoning only"),
    ],
)
def test_only_a_whole_answer_is_accepted_where_one_is_required(reply: Reply, why: str) -> None:
    with pytest.raises(ModelReplyError, match=why):
        require_answer(reply)
    require_answer(Reply(text="<think>a</think>Be brief."))


def test_reply_without_usage_costs_no_tokens() -> None:
    assert as_reply(AIMessage(content="Oslo")) == Reply(text="Oslo")
