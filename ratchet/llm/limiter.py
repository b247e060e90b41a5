"""How many calls an endpoint bears at a time, found out by calling it.

It starts at the set limit, falls by halving, rises by addition: Chiu and Jain, "Analysis of the increase and
decrease algorithms for congestion avoidance in computer networks", 1989. Falling once for all calls that were under way
together is taken from TCP: Jacobson, "Congestion avoidance and control", 1988.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from anyio import CapacityLimiter

from ratchet.errors import ModelUnavailableError


class Limiter:
    """Bounds the calls in flight to one endpoint; `limit` moves between `least` and `most`.

    It starts at `most`, so that calls of an endpoint that bears them wait for nothing. An overload halves it, once for
    all calls begun before. It grows by one after a round, which is as many successful calls as the limit, all begun
    since the round before. Calls that ended while the limit was not used up say nothing about it and do not count.
    """

    def __init__(
        self,
        most: int,
        *,
        least: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._most, self._least = most, least
        self._clock, self._sleep = clock, sleep
        self._slots = CapacityLimiter(most)
        self._paused_until = -math.inf
        self._begun = 0
        self._begun_before_round = 0
        self._begun_before_halving = 0
        self._successes = 0

    @classmethod
    def with_fixed_limit(cls, limit: int) -> "Limiter":
        """A limit that does not move, for an endpoint whose capacity is known."""
        return cls(limit, least=limit)

    @property
    def limit(self) -> int:
        """Calls in flight at most, as of now."""
        return int(self._slots.total_tokens)

    @property
    def in_flight(self) -> int:
        """Calls that hold a slot, as of now."""
        return self._slots.borrowed_tokens

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot in the order of arrival, and hold it for one call.

        The limit learns from the end of the call: a success, or a `ModelUnavailableError` that tells of an overload.
        """
        async with self._slots:
            while (left := self._paused_until - self._clock()) > 0:
                await self._sleep(left)
            self._begun += 1
            number = self._begun
            try:
                yield
            except ModelUnavailableError as error:
                if error.overloaded:
                    self._slow_down(number, error.retry_after)
                raise
            self._note_success(number)

    def _slow_down(self, number: int, retry_after: float | None) -> None:
        if retry_after is not None:
            self._paused_until = max(self._paused_until, self._clock() + retry_after)
        if number <= self._begun_before_halving:
            return
        self._begun_before_halving = self._begun
        self._slots.total_tokens = max(self._least, self.limit // 2)
        self._start_round()

    def _note_success(self, number: int) -> None:
        if number <= self._begun_before_round or self.in_flight < self.limit:
            return
        self._successes += 1
        if self._successes < self.limit:
            return
        self._slots.total_tokens = min(self.limit + 1, self._most)
        self._start_round()

    def _start_round(self) -> None:
        self._successes = 0
        self._begun_before_round = self._begun
