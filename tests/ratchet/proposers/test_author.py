from typing import Any

import pytest
from chat_server import completion
from shop import OpenEngine, Project

from ratchet.llm import Fault
from ratchet.proposers.author import ask_for_text, one_sentence, room, usable
from ratchet.proposers.minimal_edit import MinimalEdit
from ratchet.proposers.rewrite import Rewrite

NOT_WHOLE = [
    Fault(200, body=completion("Answer with the shelf only, and", "length")),
    Fault(200, body=completion("<think>They want it short. Answer with", "length")),
    Fault(200, body=completion('{"number": 1, "sentence": "Name the shelf', "length")),
    Fault(200, body=completion(None, refusal="I will not write that.")),
    Fault(200, body=completion("Answer with", "content_filter")),
    Fault(200, body=completion(None, "tool_calls", tool_calls=[{"id": "c", "type": "function", "function": {}}])),
    "<think>Answer with the shelf only.</think>",
    "<think>Answer with the shelf only.",
    "I'm sorry, but I can't help with that.",
]


@pytest.mark.parametrize("text", ["", "...", "-\n-", "adults " * 20, "a b c d " * 10])
def test_usable_drops_what_says_nothing(text: str) -> None:
    assert usable(text) == ""


@pytest.mark.parametrize("text", ["Be brief.", "adults, adults", "Answer in {tone} words. " + "Then stop. " * 3])
def test_usable_keeps_wording(text: str) -> None:
    assert usable(text) == text


def test_one_sentence_is_short_and_new() -> None:
    assert one_sentence(" Be brief.\nAnd kind.", "Answer.") == "Be brief."
    assert one_sentence("Answer.", "Answer. Be brief.") == ""
    assert one_sentence("x" * 401, "Answer.") == ""
    assert one_sentence("", "Answer.") == ""


def test_room_grows_with_the_text_up_to_a_bound() -> None:
    assert room("one two") < room("word " * 100) < room("word " * 10_000) == room("word " * 20_000)


@pytest.mark.anyio
@pytest.mark.parametrize("reply", NOT_WHOLE)
async def test_what_is_no_whole_text_never_becomes_a_candidate(project: Project, situation: Any, reply: Any) -> None:
    project.write_prompts({"shop": {"prompt": "Answer the question. Keep it legal.", "locked": ["Keep it legal."]}})
    project.script("optimizer", reply)
    start = await situation()
    for proposer in (Rewrite(), MinimalEdit()):
        assert await proposer.propose(start) == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    "reply",
    [
        "<think>Shorter, then.</think>\nName the shelf only.",
        "Sure, here is the new prompt:\n\n```\nName the shelf only.\n```\n\nThis version is shorter.",
        'New sentence: "Name the shelf only."',
    ],
)
async def test_text_is_taken_without_its_chat(project: Project, situation: Any, reply: str) -> None:
    project.script("optimizer", reply)
    start = await situation()
    assert [made.prompt.prompt for made in await Rewrite().propose(start)] == ["Name the shelf only."]
    added = (await MinimalEdit().propose(start))[0]
    assert (added.rationale, added.prompt.prompt.splitlines()[-1]) == ("adds one sentence", "Name the shelf only.")


@pytest.mark.anyio
@pytest.mark.parametrize("reply", NOT_WHOLE)
async def test_unusable_text_is_not_kept(project: Project, open_engine: OpenEngine, reply: Any) -> None:
    models = (await open_engine()).models
    project.script("optimizer", reply)
    assert await ask_for_text(models, "Write it.", max_tokens=9) == ""
    project.script("optimizer", "Name the shelf.")
    assert await ask_for_text(models, "Write it.", max_tokens=9) == "Name the shelf."
