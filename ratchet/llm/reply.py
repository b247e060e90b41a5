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
    created_at: str | None = None
    """When it was kept; None of one that was just given."""

    @property
    def answer(self) -> str:
        """`text` without the reasoning: what is scored, shown and checked."""
        return without_reasoning(self.text)


Check = Callable[[Reply], object]
"""Raises `ModelReplyError` for a reply that is of no use."""


def anything(reply: Reply) -> None:
    """The check that accepts every reply."""


class ReplyStore(Protocol):
    """Keeps replies by a hash of the request. Measurements have their own, see `ratchet.llm.measurement`; a second
    `put` of the same changes nothing."""

    def get(self, request: str, measurement: str, /) -> Awaitable[Reply | None]:
        """The newest reply kept for `request`; that of the `measurement`, where one is named."""

    def put(self, request: str, role: str, reply: Reply, cycle_id: str | None, measurement: str, /) -> Awaitable[None]:
        """Keep `reply` for `request`."""
