"""One model's calls: under its limiter, charged to the meter, tried again within bounds."""

import asyncio
import time
from typing import Any, NamedTuple

import httpx2
from langchain_openai import ChatOpenAI
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential, wait_random

from ratchet.errors import ModelReplyError, ModelUnavailableError
from ratchet.llm.completion import as_reply
from ratchet.llm.limiter import Limiter
from ratchet.llm.meter import active_meter
from ratchet.llm.reply import Check, Reply, anything
from ratchet.llm.spec import ModelSpec
from ratchet.llm.translation import FAULTS, translate


class Backoff(NamedTuple):
    """Seconds waited before a further try: `first`, doubled each time up to `longest`, plus up to `first` at random."""

    first: float = 0.5
    longest: float = 20.0
    total: float = 120.0
    """All waits of one call together, those that the endpoint asks for included."""


BACKOFF = Backoff()


class _Stop:
    """Ends the tries of one call: after `retries` further ones, a second unusable reply, or too long a wait."""

    def __init__(self, retries: int, total: float) -> None:
        self._retries = retries
        self._total = total
        self._unusable = 0

    def __call__(self, state: RetryCallState) -> bool:
        self._unusable += isinstance(_error(state), ModelReplyError)
        waited = state.idle_for + state.upcoming_sleep
        return state.attempt_number > self._retries or self._unusable > 1 or waited > self._total


class ModelCaller:
    """A model behind its client and its limiter. Belongs to one event loop."""

    def __init__(
        self,
        spec: ModelSpec,
        client: ChatOpenAI,
        http: httpx2.AsyncClient,
        *,
        limiter: Limiter,
        timeout: float,
        retries: int,
        backoff: Backoff,
    ) -> None:
        self.limiter = limiter
        self._spec = spec
        self._client = client
        self._http = http
        self._timeout = timeout
        self._retries = retries
        self._backoff = backoff
        self._jittered = wait_exponential(backoff.first, backoff.longest) + wait_random(0, backoff.first)

    async def call(self, role: str, request: dict[str, Any], check: Check = anything) -> Reply:
        """The reply to `request` (messages, max_tokens, temperature, maybe schema); no slot is held between two tries.

        A reply that `check` refuses is unusable, and asked for once more.

        Raises:
            ConfigurationError: model or key refused by the endpoint, or the account's quota is used up.
            ModelUnavailableError, ModelReplyError: the last try's error.
            ModelError: the endpoint refuses this request.
            BudgetError: the budget does not allow the call, or not another try.
        """
        tries = AsyncRetrying(
            retry=retry_if_exception_type((ModelUnavailableError, ModelReplyError)),
            stop=_Stop(self._retries, self._backoff.total),
            wait=self._wait,
            reraise=True,
        )
        return await tries(self._try, role, request, check)

    def _wait(self, state: RetryCallState) -> float:
        seconds = self._jittered(state)
        error = _error(state)
        asked = error.retry_after if isinstance(error, ModelUnavailableError) else None
        return max(seconds, asked or 0.0)

    async def _try(self, role: str, request: dict[str, Any], check: Check) -> Reply:
        async with self.limiter.slot():
            with active_meter().call(role) as usage:
                started = time.perf_counter()
                reply = await self._invoke(role, request)
                reply.seconds = time.perf_counter() - started
                usage.add(reply.input_tokens, reply.output_tokens, reply.seconds)
        try:
            check(reply)
        except ModelReplyError as error:
            raise ModelReplyError(f"{role} model {self._spec}: {error}") from error
        return reply

    async def _invoke(self, role: str, request: dict[str, Any]) -> Reply:
        options = {name: request[name] for name in ("max_tokens", "temperature") if request[name] is not None}
        if "schema" in request:
            form = {"name": "answer", "schema": request["schema"]}
            # The client would parse a `response_format` of its own, and raise where the reply was cut off or filtered.
            options["extra_body"] = {"response_format": {"type": "json_schema", "json_schema": form}}
        try:
            # The client's own timeout starts anew with every byte; this one holds for the whole call.
            async with asyncio.timeout(self._timeout):
                message = await self._client.ainvoke(request["messages"], **options)
            return as_reply(message)
        except FAULTS as error:
            raise translate(error, f"{role} model {self._spec}") from error

    async def close(self) -> None:
        """End the connections; calls under way fail."""
        await self._http.aclose()


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
