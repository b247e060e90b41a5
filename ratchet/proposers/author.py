"""Asking the optimizer model for wording, and what of its answers can be used."""

from ratchet.errors import ModelError, ModelUnavailableError, NoWordingError
from ratchet.llm import Models, Reply, require_answer
from ratchet.proposers.reply_text import wording_in
from ratchet.proposers.sentences import words

LONGEST_SENTENCE = 400
"""Characters of a sentence; a longer one is no small edit."""
LOOPING = 0.25
"""A text of many words of which a smaller share than this is different is a model caught in a loop."""
MANY = 20


async def ask_for_text(models: Models, content: str, max_tokens: int, repeat: int = 0) -> str:
    """The optimizer model's text without what stands around it; empty where it gave nothing that can be used.

    Raises:
        ModelUnavailableError, ConfigurationError, BudgetError.
    """
    try:
        return await write(models, content, max_tokens, repeat)
    except ModelUnavailableError:
        raise
    except ModelError:
        return ""


async def write(models: Models, content: str, max_tokens: int, repeat: int = 0) -> str:
    """The optimizer model's text without what stands around it.

    Raises:
        NoWordingError: it had nothing to say that can be used.
        ModelError: it did not answer, or not with a whole reply.
        ConfigurationError, BudgetError.
    """
    reply = await models.reply(
        "optimizer",
        [{"role": "user", "content": content}],
        max_tokens=max_tokens,
        temperature=0.7,
        repeat=repeat,
        check=lambda reply: wording_of(reply, content),
    )
    return wording_of(reply, content)


def wording_of(reply: Reply, request: str) -> str:
    """The wording in a whole reply to `request`.

    Raises:
        NoWordingError: the reply holds nothing that can be used.
        ModelReplyError: the reply is not whole, declines, or holds several texts.
    """
    if reply.ending != "answer" or reply.text.strip():
        require_answer(reply)
    text = usable(wording_in(reply.answer, request))
    if not text:
        raise NoWordingError(f"no wording that can be used: {reply.answer[:80]!r}")
    return text


def usable(text: str) -> str:
    """`text`, or nothing where it holds no word or says the same few words over and over."""
    found = words(text)
    looping = len(found) >= MANY and len(set(found)) < LOOPING * len(found)
    return "" if not found or looping else text


def one_sentence(text: str, prompt: str) -> str:
    """The first line of `text`; nothing where it is too long for a sentence or stands in `prompt` already."""
    line = text.splitlines()[0].strip() if text else ""
    return "" if len(line) > LONGEST_SENTENCE or line in prompt else line


def room(text: str) -> int:
    """Tokens a new version may take: twice the present one's words, and some."""
    return min(1500, 120 + 4 * len(text.split()))
