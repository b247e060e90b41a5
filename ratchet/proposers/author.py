"""Asking the optimizer model for wording, and what of its answers can be used."""

import re

from ratchet.errors import ModelError, ModelUnavailableError
from ratchet.llm import Models
from ratchet.proposers.sentences import words

_FENCE = re.compile(r"^```\w*\n(.*?)\n```$", re.DOTALL)
LONGEST_SENTENCE = 400
"""Characters of a sentence; a longer one is no small edit."""
LOOPING = 0.25
"""A text of many words of which a smaller share than this is different is a model caught in a loop."""
MANY = 20


async def ask_for_text(models: Models, content: str, max_tokens: int, repeat: int = 0) -> str:
    """The optimizer model's text without a code fence around it; empty where it gave nothing that can be used.

    Raises:
        ModelUnavailableError, ConfigurationError, BudgetError.
    """
    try:
        reply = await models.reply(
            "optimizer",
            [{"role": "user", "content": content}],
            max_tokens=max_tokens,
            temperature=0.7,
            repeat=repeat,
        )
    except ModelUnavailableError:
        raise
    except ModelError:
        return ""
    text = reply.text.strip()
    fenced = _FENCE.match(text)
    return usable((fenced[1] if fenced else text).strip())


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
