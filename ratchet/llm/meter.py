"""Counting what model calls cost, and stopping at a budget."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ratchet.errors import BudgetError


@dataclass
class Usage:
    """Calls paid, calls answered from the store, tokens and seconds of one role."""

    calls: int = 0
    reused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


@dataclass
class Meter:
    """What is spent while it is active; `limit` bounds the calls paid, `spent` counts those made before."""

    limit: int | None = None
    spent: int = 0
    cycle_id: str | None = None
    roles: dict[str, Usage] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """Calls paid in all, earlier ones included."""
        return self.spent + sum(usage.calls for usage in self.roles.values())

    def reserve(self, role: str) -> Usage:
        """Count one call before it is made.

        Raises:
            BudgetError: it would exceed the limit.
        """
        if self.limit is not None and self.calls >= self.limit:
            raise BudgetError(f"the budget of {self.limit} model calls is used up; raise RATCHET_MAX_CALLS to go on")
        usage = self.of(role)
        usage.calls += 1
        return usage

    def of(self, role: str) -> Usage:
        """The usage of one role so far."""
        return self.roles.setdefault(role, Usage())

    def report(self) -> dict[str, Any]:
        """Calls and tokens by role."""
        return {role: vars(usage) | {"seconds": round(usage.seconds, 3)} for role, usage in self.roles.items()}


_active: ContextVar[Meter | None] = ContextVar("ratchet_meter", default=None)


@contextmanager
def metered(meter: Meter) -> Iterator[Meter]:
    """Charge all model calls made inside (and in tasks started inside) to `meter`."""
    token = _active.set(meter)
    try:
        yield meter
    finally:
        _active.reset(token)


def active_meter() -> Meter:
    """The meter in force; a throw-away one where none is."""
    return _active.get() or Meter()
