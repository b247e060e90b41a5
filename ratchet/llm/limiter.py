"""How many calls an endpoint bears at a time, found out by calling it.

The limit rises by addition and falls by halving: Chiu and Jain, "Analysis of the increase and decrease algorithms for
congestion avoidance in computer networks", 1989. Doubling at the start, and falling once for all calls that were under
way together, are taken from TCP: Jacobson, "Congestion avoidance and control", 1988.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import median

from anyio import CapacityLimiter

from ratchet.errors import ModelUnavailableError

START = 4
"""Calls in flight to an endpoint that nothing is known about."""
SLOWER = 1.75
"""Rounds this many times slower than usual end the doubling. With twice the calls in flight and twice the time for
each, an endpoint does no more work than before (Little's law); the rest is room for chance."""


class Limiter:
    """Bounds the calls in flight to one endpoint; `limit` moves between `least` and `most`.

    A round is as many successful calls as the limit, all begun since the round before. After it the limit doubles, and
    once the endpoint has been overloaded or slow it grows by one; after a slow round it stays. Calls that ended while
    the limit was not used up say nothing about it and do not count. An overload halves the limit, once for all calls
    begun before.
    """

    def __init__(
        self,
        most: int,
        *,
        least: int = 1,
        start: int = START,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._most, self._least = most, least
        self._clock, self._sleep = clock, sleep
        self._slots = CapacityLimiter(min(start, most))
        self._threshold: float = math.inf
        self._paused_until = -math.inf
        self._begun = 0
        self._begun_before_round = 0
        self._begun_before_halving = 0
        self._round: list[float] = []
        self._usual = math.inf
        self._slow_rounds = 0

    @classmethod
    def with_fixed_limit(cls, limit: int) -> "Limiter":
        """A limit that does not move, for an endpoint whose capacity is known."""
        return cls(limit, least=limit, start=limit)

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

        The limit learns from the end of the call: from its time, or from a `ModelUnavailableError`.
        """
        async with self._slots:
            while (left := self._paused_until - self._clock()) > 0:
                await self._sleep(left)
            self._begun += 1
            number, started = self._begun, self._clock()
            try:
                yield
            except ModelUnavailableError as error:
                if error.overloaded:
                    self._slow_down(number, error.retry_after)
                raise
            self._note_success(number, self._clock() - started)

    def _slow_down(self, number: int, retry_after: float | None) -> None:
        if retry_after is not None:
            self._paused_until = max(self._paused_until, self._clock() + retry_after)
        if number <= self._begun_before_halving:
            return
        self._begun_before_halving = self._begun
        self._slots.total_tokens = max(self._least, self.limit // 2)
        self._threshold = self.limit
        self._start_round()

    def _note_success(self, number: int, seconds: float) -> None:
        if number <= self._begun_before_round or self.in_flight < self.limit:
            return
        self._round.append(seconds)
        if len(self._round) < self.limit:
            return
        self._end_round(median(self._round))
        self._start_round()

    def _end_round(self, typical: float) -> None:
        if typical <= SLOWER * self._usual:
            self._usual, self._slow_rounds = typical, 0
            self._speed_up()
            return
        self._slow_rounds += 1
        if self._slow_rounds == 2:  # once may be chance; twice, and this is what a call takes from now on
            self._usual, self._slow_rounds = typical, 0
            self._threshold = min(self._threshold, self.limit)

    def _speed_up(self) -> None:
        grown = min(2 * self.limit, self._threshold) if self.limit < self._threshold else self.limit + 1
        self._slots.total_tokens = int(min(grown, self._most))

    def _start_round(self) -> None:
        self._round = []
        self._begun_before_round = self._begun
