"""A reply in a form: the object is looked for as models write it, and then has to fit."""

import json
from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, BeforeValidator

from ratchet.errors import ModelReplyError
from ratchet.llm.reply import Reply
from ratchet.records import ENDINGS

Form = TypeVar("Form", bound=BaseModel)
_DECODER = json.JSONDecoder(strict=False)
"""Takes raw line breaks in strings, which models write and JSON forbids."""


def cut_to(limit: int) -> BeforeValidator:
    """Cuts a text at `limit` characters: for reasons and explanations, which are worth no refusal."""
    return BeforeValidator(lambda value: value[:limit] if isinstance(value, str) else value)


def parse_form(reply: Reply, form: type[Form]) -> Form:
    """The object in the reply that fits `form`; fences, reasoning, and words around it do not count.

    Raises:
        ModelReplyError: none fits, or several that differ.
    """
    fitting = list(_fitting(reply.answer, form))
    if not fitting:
        why = f" ({ENDINGS[reply.ending]})" if reply.ending != "answer" else ""
        raise ModelReplyError(f"the reply is no {form.__name__}{why}: {reply.answer[:120]!r}")
    if any(one != fitting[0] for one in fitting):
        raise ModelReplyError(f"the reply holds {len(fitting)} different {form.__name__}s: {reply.answer[:120]!r}")
    return fitting[0]


def _fitting(text: str, form: type[Form]) -> Iterator[Form]:
    """The objects in `text` that fit, also those inside of others that do not."""
    place = text.find("{")
    while place >= 0:
        try:
            value, end = _DECODER.raw_decode(text, place)
            fits = form.model_validate(value)
        except (ValueError, RecursionError):  # a ValidationError of pydantic's is a ValueError
            end = place + 1
        else:
            yield fits
        place = text.find("{", end)
