"""A model's reply, and where replies are kept."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from pydantic import BaseModel

from ratchet.llm.reasoning import without_reasoning
from ratchet.records import Ending


class Reply(BaseModel):
    """What a model said, how it ended, and what it cost. `reused` replies were paid for earlier."""

    text: str
    """All of it, with what the model thought aloud."""
    ending: Ending = "answer"
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    reused: bool = False

    @property
    def answer(self) -> str:
        """`text` without the reasoning: what is scored, shown and checked."""
        return without_reasoning(self.text)


Check = Callable[[Reply], object]
"""Raises `ModelReplyError` for a reply that is of no use."""


def anything(reply: Reply) -> None:
    """The check that accepts every reply."""


class ReplyStore(Protocol):
    """Keeps replies under a content key. `put` of a key that exists changes nothing."""

    def get(self, key: str, /) -> Awaitable[Reply | None]:
        """The reply kept under `key`."""

    def put(self, key: str, role: str, reply: Reply, cycle_id: str | None, /) -> Awaitable[None]:
        """Keep `reply` under `key`."""
