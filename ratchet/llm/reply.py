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
    """Keeps replies under a content key, a hash of model and request, so that equal work is paid for once.

    - Given: `key`, a hex digest; `role`, who was asked; `cycle_id`, who pays, None outside of a cycle.
    - Returned: the reply as it was put, but for `reused`, which is for whoever asks to set.
    - Never mutated: a reply that is kept. `put` of a key that exists changes nothing, so that the first one stays.
    - Data: a key that nobody has put is None.
    - Raised: whatever the database raises. A reply that could not be kept is paid for, and the run ends.
    """

    def get(self, key: str, /) -> Awaitable[Reply | None]:
        """The reply kept under `key`."""

    def put(self, key: str, role: str, reply: Reply, cycle_id: str | None, /) -> Awaitable[None]:
        """Keep `reply` under `key`."""
