"""A finished command."""

import json
from typing import Any, NamedTuple


class Done(NamedTuple):
    """What it left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object it printed."""
        return json.loads(self.out)  # type: ignore[no-any-return]
