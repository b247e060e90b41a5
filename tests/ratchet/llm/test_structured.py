import json
from typing import Annotated, Any

import pytest
from chat_server import Answer, ChatServer, OpenModels, completion
from pydantic import BaseModel, Field

from ratchet.errors import ModelReplyError
from ratchet.llm.reply import Reply
from ratchet.llm.structured import cut_to, parse_form

pytestmark = pytest.mark.anyio


class Mark(BaseModel):
    why: Annotated[str, cut_to(20), Field(max_length=20)]
    good: bool


GOOD = '{"why": "it is short", "good": true}'
FORMS = {
    "bare": GOOD,
    "in a fence": f"```json\n{GOOD}\n```",
    "in a fence, with words around it": f"Here it is:\n\n```\n{GOOD}\n```\nI hope this helps {{you}}.",
    "after reasoning": f'<think>{{"why": "no", "good": false}} or not?</think>\n{GOOD}',
    "after reasoning that was opened by the template": f"Is it {{short}}?\n</think>\n\n{GOOD}",
    "before a sentence": f"{GOOD}\n\nLet me know if you need more.",
    "twice the same": f"{GOOD}\n{GOOD}",
    "inside of another object": f'{{"answer": {GOOD}}}',
    "with more keys": '{"why": "it is short", "good": true, "sure": 0.9}',
    "after a set of braces": f"The set {{1, 2}} says: {GOOD}",
}


@pytest.mark.parametrize("name", FORMS)
def test_object_is_found_as_models_write_it(name: str) -> None:
    assert parse_form(Reply(text=FORMS[name]), Mark) == Mark(why="it is short", good=True)


def test_raw_line_breaks_are_read() -> None:
    assert parse_form(Reply(text='{"why": "one\ntwo\tthree", "good": false}'), Mark).why == "one\ntwo\tthree"


def test_reason_that_is_too_long_is_cut() -> None:
    assert parse_form(Reply(text=json.dumps({"why": "It is. " * 50, "good": True})), Mark).why == "It is. It is. It is."


def test_whole_object_of_a_reply_that_was_cut_off_afterwards_counts() -> None:
    assert parse_form(Reply(text=f"{GOOD}\n\nTo explain thi", ending="cut_off"), Mark).good


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no Mark"),
        ("true", "no Mark"),
        ('[{"good": true}]', "no Mark"),
        ('{"why": "x", "good": "perhaps"}', "no Mark"),
        ('{"why": 7, "good": true}', "no Mark"),
        ('{"why": "x", "good": tr', "no Mark"),
        ("{" * 5000, "no Mark"),
        ('{"a":' * 3000, "no Mark"),
        (f"<think>{GOOD}", "no Mark"),
        (f'{GOOD} or rather {{"why": "it is long", "good": false}}', "2 different Marks"),
    ],
)
def test_what_does_not_fit_is_refused(text: str, why: str) -> None:
    with pytest.raises(ModelReplyError, match=why):
        parse_form(Reply(text=text), Mark)


def test_refusal_says_that_the_reply_was_cut_off() -> None:
    with pytest.raises(ModelReplyError, match=r"no Mark \(cut off at max_tokens\): '{\"why\": \"it'"):
        parse_form(Reply(text='{"why": "it', ending="cut_off"), Mark)


@pytest.mark.parametrize("broken", ["I think it is good.", '{"why": "it is sh', '{"why": "x", "good": null}', ""])
async def test_reply_that_does_not_fit_is_asked_for_again_and_never_kept(
    server: ChatServer, open_models: OpenModels, broken: str
) -> None:
    messages: list[Any] = [{"role": "user", "content": "Is it good?"}]
    models = open_models(retries=1)
    server.always(Answer(body=completion(broken)))
    with pytest.raises(ModelReplyError, match="agent model openai:m: the reply is no Mark"):
        await models.fill("agent", messages, Mark)
    assert server.calls == 2
    server.always(Answer(body=completion(GOOD)))
    assert (await models.fill("agent", messages, Mark)).good
    assert (await models.fill("agent", messages, Mark)).good
    assert server.calls == 3


async def test_reply_that_fits_the_second_time_is_kept(server: ChatServer, open_models: OpenModels) -> None:
    messages: list[Any] = [{"role": "user", "content": "Is it good?"}]
    server.first(Answer(body=completion("Well.")), Answer(body=completion(GOOD)))
    models = open_models(retries=1)
    assert [(await models.fill("agent", messages, Mark)).good for _ in range(3)] == [True] * 3
    assert server.calls == 2
