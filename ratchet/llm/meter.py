"""Counting what model calls cost, and stopping at a budget."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from ratchet.counting import quantity
from ratchet.errors import BudgetError, ConfigurationError, ModelUnavailableError


@dataclass
class Usage:
    """Calls paid, calls answered from the store, tokens, seconds, and the most calls in flight at once of one role."""

    calls: int = 0
    reused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    most_in_flight: int = 0
    in_flight: int = 0
    answered: int = 0
    """Requests that got a whole reply in form, kept ones included,"""
    failed: int = 0
    """those that got none after all tries,"""
    error: str = ""
    """and what the last of them said."""
    oldest: str | None = None
    """When the oldest of the reused replies was kept."""

    def note_reused(self, created_at: str | None) -> None:
        """Count a reply from the store."""
        self.reused += 1
        self.answered += 1
        self.oldest = min(filter(None, (self.oldest, created_at)), default=None)

    def add(self, input_tokens: int, output_tokens: int, seconds: float) -> None:
        """Add what an answered call cost."""
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
        self.seconds += seconds

    def report(self) -> dict[str, Any]:
        """All of it that is a cost."""
        left_out = {"in_flight", "answered", "failed", "error", "oldest"}
        costs = {name: value for name, value in asdict(self).items() if name not in left_out}
        return costs | {"seconds": round(self.seconds, 3)}


@dataclass
class Meter:
    """What is spent while it is active; `limit` bounds the calls paid, `spent` counts those made before."""

    limit: int | None = None
    spent: int = 0
    cycle_id: str | None = None
    roles: dict[str, Usage] = field(default_factory=dict)
    most_in_flight: int = 0
    """Calls in flight at once at most, of all roles together."""

    @property
    def calls(self) -> int:
        """Calls paid in all, earlier ones included."""
        return self.spent + sum(usage.calls for usage in self.roles.values())

    @property
    def oldest(self) -> str | None:
        """When the oldest of all reused replies was kept; None where none was reused."""
        return min((usage.oldest for usage in self.roles.values() if usage.oldest), default=None)

    def reserve(self, role: str) -> Usage:
        """Count one call before it is made.

        Raises:
            BudgetError: it would exceed the limit.
        """
        if self.limit is not None and self.calls >= self.limit:
            raise BudgetError(
                f"the budget of {quantity(self.limit, 'model call')} is used up; raise RATCHET_MAX_CALLS to go on"
            )
        usage = self.of(role)
        usage.calls += 1
        return usage

    @contextmanager
    def call(self, role: str) -> Iterator[Usage]:
        """Count one call while it is under way. It stays charged unless the endpoint did not answer it or refused it.

        Raises:
            BudgetError: it would exceed the limit.
        """
        usage = self.reserve(role)
        usage.in_flight += 1
        usage.most_in_flight = max(usage.most_in_flight, usage.in_flight)
        self.most_in_flight = max(self.most_in_flight, sum(other.in_flight for other in self.roles.values()))
        try:
            yield usage
        except (ModelUnavailableError, ConfigurationError):
            usage.calls -= 1
            raise
        finally:
            usage.in_flight -= 1

    def of(self, role: str) -> Usage:
        """The usage of one role so far."""
        return self.roles.setdefault(role, Usage())

    def silent(self) -> list[str]:
        """A line for each role none of whose requests got a usable reply."""
        return [
            silence(role, usage.failed, usage.error)
            for role, usage in self.roles.items()
            if usage.failed and not usage.answered
        ]

    def report(self) -> dict[str, Any]:
        """Calls, tokens, seconds and the most calls in flight, by role."""
        return {role: usage.report() for role, usage in self.roles.items()}


def silence(role: str, failed: int, error: str) -> str:
    """What is said of a role none of whose requests got a usable reply."""
    return f"the {role} model gave no usable answer to its {quantity(failed, 'request')}: {error}"


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
