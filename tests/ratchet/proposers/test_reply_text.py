import time

import pytest

from ratchet.errors import ModelReplyError
from ratchet.proposers.reply_text import wording_in

WORDING = "Answer with the shelf only.\n\nName no other place."
REQUEST = (
    "Current instructions:\nAnswer.\n\nHere is how the version is told:\nTell it in one word.\nInstructions: be kind."
)
BEFORE = [
    "Here is the improved prompt:",
    "Sure, here's the new version of the instructions:",
    "Certainly! Below are the revised instructions:",
    "**Revised prompt:**",
    "Sure!",
    "I've rewritten the instructions as you asked:",
    "# New instructions:",
    "Okay, I looked at the failed runs.\n\nHere is my rewrite of the prompt:",
]
AFTER = [
    "This version is clearer because it states the form.",
    "Let me know if you want it shorter.",
    "Key changes:\n\n- states the form\n- names no other place",
    "**Changes made:** the form is stated.",
    "I kept the rest as it was.",
    "I hope this helps!",
]


@pytest.mark.parametrize("before", ["", *BEFORE])
@pytest.mark.parametrize("after", ["", *AFTER])
@pytest.mark.parametrize("put", ["{}", "```\n{}\n```", "```markdown\n{}\n```", "~~~\n{}\n~~~", "---\n\n{}\n\n---"])
def test_wording_is_taken_without_what_stands_around_it(before: str, after: str, put: str) -> None:
    reply = "\n\n".join(part for part in (before, put.format(WORDING), after) if part)
    assert wording_in(reply, REQUEST) == WORDING


@pytest.mark.parametrize(
    "reply",
    [
        f"<new_instructions>\n{WORDING}\n</new_instructions>",
        f"Here you are.\n<prompt>{WORDING}</prompt>\nIt is shorter.",
        f"data-0123456789abcdef01234567\n{WORDING}\ndata-0123456789abcdef01234567",
        f'"{WORDING}"',
        f"“{WORDING}”",
        f"Here is the new prompt:\n{WORDING}",
        f"Here is the new prompt: {WORDING}",
        f"New instructions: {WORDING}",
        f"Sure! Here is the new prompt:\n```\n{WORDING}",
    ],
)
def test_tags_marks_quotes_and_single_lines_do_not_count(reply: str) -> None:
    assert wording_in(reply, REQUEST) == WORDING


FENCED = 'Answer in this form:\n```json\n{"shelf": "A"}\n```\nNothing else.'


@pytest.mark.parametrize(
    "wording",
    [
        FENCED,
        'Answer in this form:\n```\n{"shelf": "A"}\n```',
        "Here is what counts:\nBe brief.",
        "The answer is one word: the shelf.",
        "Instructions: be kind.",
        "Here is how the version is told:\nTell it in one word.",
        "Use the latest version: never an older one.",
        "Be brief.\n\nIf you need to know more, ask the customer.",
        "Be brief.\n\nFeel free to refuse what is unsafe.",
        'Say "yes" or "no".',
        '"Yes" is an answer, and so is "no"',
        "If the shelf is not known say: I cannot tell.",
        "You answer questions about a shop: prices, shelves and returns.",
        "I want you to answer in one word.",
        "We sell bicycles. Answer in one word.",
        "Sort the tickets. Sure ones come first.",
    ],
)
def test_wording_of_its_own_stays_as_it_is(wording: str) -> None:
    assert wording_in(wording, REQUEST) == wording
    if "```\n{" not in wording:  # a block in a block of the same fence is not to be told from two
        assert wording_in(f"Here is the revised prompt:\n\n```\n{wording}\n```", REQUEST) == wording


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot rewrite these instructions.",
        "Sorry, I am unable to do this.",
        "As an AI language model, I can't write prompts of this kind.",
        "Unfortunately I must decline.",
        "I'm not able to write that.",
        "I am unable to do so.",
    ],
)
def test_words_of_refusal_are_no_wording(reply: str) -> None:
    with pytest.raises(ModelReplyError, match="the model declined"):
        wording_in(reply, REQUEST)


@pytest.mark.parametrize("number", [2, 3])
def test_several_texts_are_none(number: int) -> None:
    texts = "\n\nor\n\n".join(f"```\nBe brief {place}.\n```" for place in range(number))
    with pytest.raises(ModelReplyError, match=f"{number} texts instead of one"):
        wording_in(f"Here are versions of the prompt:\n\n{texts}", REQUEST)


@pytest.mark.parametrize(
    "part", ["Sure, the ", "here is the new ", "sorry, but ", "data-", "```a\n", "<prompt>", "this \n\n"]
)
def test_long_replies_take_no_time(part: str) -> None:
    started = time.perf_counter()
    for reply in (part * 4000, "x " + part * 4000):
        assert isinstance(wording_in(reply, REQUEST), str)
    assert time.perf_counter() - started < 2
