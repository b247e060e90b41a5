"""What is measured is asked anew: a reply that was kept before says nothing about the model behind its name today."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_active: ContextVar[str] = ContextVar("ratchet_measurement", default="")


@contextmanager
def own_replies(measurement: str) -> Iterator[None]:
    """Inside (and in tasks started inside) only those kept replies are taken that the same measurement has paid for.

    So a measurement that is taken up again after a crash pays for nothing twice.
    """
    token = _active.set(measurement)
    try:
        yield
    finally:
        _active.reset(token)


def active_measurement() -> str:
    """The measurement in force; "" where any kept reply will do."""
    return _active.get()
