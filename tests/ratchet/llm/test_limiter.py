import asyncio
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ratchet.errors import ModelReplyError, ModelUnavailableError
from ratchet.llm.limiter import Limiter

pytestmark = pytest.mark.anyio


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, awake))
        await awake

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for until, awake in self._sleepers:
            if until <= self.now and not awake.done():
                awake.set_result(None)


class Traffic:
    """Calls through a limiter that last until they are told to end, the oldest first."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.limiter = Limiter(**options, clock=self.clock, sleep=self.clock.sleep)
        self.under_way: list[asyncio.Future[None]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, count: int) -> None:
        self.tasks += [asyncio.create_task(self._call()) for _ in range(count)]
        await self.settle()

    async def _call(self) -> None:
        async with self.limiter.slot():
            end = asyncio.get_running_loop().create_future()
            self.under_way.append(end)
            await end

    async def end(self, count: int, seconds: float = 1.0, error: Exception | None = None) -> None:
        """Let time pass, then end the oldest calls."""
        self.clock.advance(seconds)
        ending, self.under_way = self.under_way[:count], self.under_way[count:]
        for end in ending:
            if error:
                end.set_exception(error)
            else:
                end.set_result(None)
        await self.settle()

    async def end_all(self, seconds: float = 1.0) -> None:
        """One round: all calls that are under way succeed."""
        await self.end(len(self.under_way), seconds)

    async def settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    async def limits(self, rounds: int, seconds: float = 1.0) -> list[int]:
        """The limit in force in each of so many rounds."""
        seen = []
        for _ in range(rounds):
            seen.append(self.limiter.limit)
            await self.end_all(seconds)
        return seen


def overload(retry_after: float | None = None) -> ModelUnavailableError:
    return ModelUnavailableError("429", overloaded=True, retry_after=retry_after)


OpenTraffic = Callable[..., Traffic]


@pytest.fixture
async def open_traffic() -> AsyncIterator[OpenTraffic]:
    opened: list[Traffic] = []

    def open_one(most: int = 32, **options: Any) -> Traffic:
        opened.append(Traffic(most=most, **options))
        return opened[-1]

    yield open_one
    for traffic in opened:
        for task in traffic.tasks:
            task.cancel()
        await asyncio.gather(*traffic.tasks, return_exceptions=True)


@pytest.mark.parametrize(("most", "asked"), [(32, 20), (8, 8), (5, 40), (1, 3)])
async def test_calls_start_at_once_up_to_the_set_limit(open_traffic: OpenTraffic, most: int, asked: int) -> None:
    traffic = open_traffic(most=most)
    await traffic.ask(asked)
    assert traffic.limiter.limit == most
    assert len(traffic.under_way) == min(most, asked)


async def test_limit_never_rises_above_the_set_one(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=5)
    await traffic.ask(60)
    assert await traffic.limits(5) == [5] * 5


async def test_round_needs_as_many_successes_as_the_limit(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=8)
    await traffic.ask(60)
    await traffic.end(8, error=overload())
    assert traffic.limiter.limit == 4
    await traffic.end(3)
    assert traffic.limiter.limit == 4
    await traffic.end(1)
    assert traffic.limiter.limit == 5


async def test_calls_of_the_round_before_do_not_count(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=8)
    await traffic.ask(60)
    await traffic.end(8, error=overload())
    for _ in range(4):
        await traffic.end(1)
    assert (traffic.limiter.limit, len(traffic.under_way)) == (5, 5)
    await traffic.end(3)  # begun while the limit was 4
    await traffic.end(4)
    assert traffic.limiter.limit == 5
    await traffic.end(1)
    assert traffic.limiter.limit == 6


async def test_limit_that_is_not_used_up_does_not_grow(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=8)
    await traffic.ask(8)
    await traffic.end(8, error=overload())
    for _ in range(20):
        await traffic.ask(3)
        await traffic.end_all()
    assert traffic.limiter.limit == 4


async def test_overload_halves_once_for_all_calls_under_way(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=32)
    await traffic.ask(100)
    await traffic.end(30, error=overload())
    assert (traffic.limiter.limit, traffic.limiter.in_flight) == (16, 16)
    await traffic.end(2)  # the rest of those begun before
    await traffic.end(1, error=overload())
    assert traffic.limiter.limit == 8


async def test_limit_grows_by_one_a_round_after_an_overload(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=16)
    await traffic.ask(200)
    await traffic.end(16, error=overload())
    assert await traffic.limits(5) == [8, 9, 10, 11, 12]


async def test_limit_never_falls_below_least(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=4)
    await traffic.ask(50)
    for _ in range(10):
        await traffic.end(1, error=overload())
    assert (traffic.limiter.limit, len(traffic.under_way)) == (1, 1)
    assert await traffic.limits(3) == [1, 2, 3]


@pytest.mark.parametrize("error", [ModelUnavailableError("no route"), ModelReplyError("garbage"), ValueError("other")])
async def test_other_error_frees_the_slot_and_leaves_the_limit(open_traffic: OpenTraffic, error: Exception) -> None:
    traffic = open_traffic(most=4)
    await traffic.ask(12)
    await traffic.end(8, error=error)
    await traffic.end(4, error=error)
    assert (traffic.limiter.limit, len(traffic.under_way)) == (4, 4)


async def test_retry_after_holds_back_every_call(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=4)
    await traffic.ask(20)
    await traffic.end(2, error=overload(retry_after=10))
    await traffic.end_all(seconds=0)
    assert traffic.under_way == []
    traffic.clock.advance(9.9)
    await traffic.settle()
    assert traffic.under_way == []
    traffic.clock.advance(0.1)
    await traffic.settle()
    assert len(traffic.under_way) == 2


async def test_longest_retry_after_counts(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=4)
    await traffic.ask(8)
    await traffic.end(1, error=overload(retry_after=10))
    await traffic.end(1, seconds=1, error=overload(retry_after=2))
    await traffic.end_all(seconds=1)
    traffic.clock.advance(7.9)
    await traffic.settle()
    assert traffic.under_way == []
    traffic.clock.advance(0.2)
    await traffic.settle()
    assert len(traffic.under_way) == 2


async def test_fixed_limit_does_not_move(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic()
    traffic.limiter = Limiter.with_fixed_limit(4)
    await traffic.ask(60)
    assert await traffic.limits(3) == [4, 4, 4]
    await traffic.end(4, error=overload())
    assert await traffic.limits(3) == [4, 4, 4]
    assert len(traffic.under_way) == 4


async def test_cancelled_calls_leave_no_slot_taken(open_traffic: OpenTraffic) -> None:
    traffic = open_traffic(most=4)
    await traffic.ask(10)
    for task in traffic.tasks[2:8]:  # two that are under way and four that wait
        task.cancel()
    await traffic.settle()
    assert traffic.limiter.in_flight == 4
    del traffic.under_way[2:4]
    await traffic.end_all()
    assert traffic.limiter.in_flight == 0


async def test_calls_begin_in_the_order_of_arrival() -> None:
    limiter, order = Limiter(1), []

    async def call(number: int) -> None:
        async with limiter.slot():
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(call(number) for number in range(9)))
    assert order == list(range(9))


@pytest.mark.parametrize("capacity", [1, 3, 8, 20])
async def test_limit_settles_at_what_an_endpoint_bears(open_traffic: OpenTraffic, capacity: int) -> None:
    traffic = open_traffic(most=32)
    await traffic.ask(60 * capacity + 100)
    served = refused = 0
    for number in range(46):
        excess = max(0, len(traffic.under_way) - capacity)
        if number >= 6:  # the first calls found out what it bears
            served, refused = served + len(traffic.under_way) - excess, refused + excess
        traffic.under_way = traffic.under_way[capacity:] + traffic.under_way[:capacity]
        await traffic.end(excess, seconds=0, error=overload())
        await traffic.end(min(capacity, len(traffic.under_way)))
    assert served >= 0.6 * 40 * capacity
    assert refused < 0.15 * (served + refused) or capacity == 1
    assert traffic.limiter.limit <= math.ceil(1.5 * capacity)
