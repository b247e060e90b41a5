"""A model's reply, and where replies are kept."""

from collections.abc import Awaitable
from typing import Protocol

from pydantic import BaseModel


class Reply(BaseModel):
    """What a model said, and what it cost. `reused` replies were paid for earlier."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    reused: bool = False


class ReplyStore(Protocol):
    """Keeps replies under a content key. `put` of a key that exists changes nothing."""

    def get(self, key: str, /) -> Awaitable[Reply | None]:
        """The reply kept under `key`."""

    def put(self, key: str, role: str, reply: Reply, cycle_id: str | None, /) -> Awaitable[None]:
        """Keep `reply` under `key`."""
