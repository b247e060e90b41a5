"""One model's calls: under its limiter, charged to the meter, tried again within bounds."""

import asyncio
import time
from typing import Any, NamedTuple

import httpx2
from langchain_openai import ChatOpenAI
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential, wait_random

from ratchet.errors import ModelReplyError, ModelUnavailableError, UnfinishedReplyError
from ratchet.llm.completion import as_reply
from ratchet.llm.dialect import Dialect, Phrase
from ratchet.llm.limiter import Limiter
from ratchet.llm.meter import active_meter
from ratchet.llm.reply import Check, Reply, anything
from ratchet.llm.spec import ModelSpec
from ratchet.llm.translation import FAULTS, LONGEST_WAIT, translate


class Backoff(NamedTuple):
    """Seconds waited before a further try: `first`, doubled each time up to `longest`, plus up to `first` at random."""

    first: float = 0.5
    longest: float = 20.0
    total: float = LONGEST_WAIT
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
        dialect: Dialect,
        limiter: Limiter,
        timeout: float,
        retries: int,
        backoff: Backoff,
    ) -> None:
        self.limiter = limiter
        self._spec = spec
        self._client = client
        self._http = http
        self._dialect = dialect
        self._timeout = timeout
        self._retries = retries
        self._backoff = backoff
        self._jittered = wait_exponential(backoff.first, backoff.longest) + wait_random(0, backoff.first)

    async def call(self, role: str, request: dict[str, Any], check: Check = anything) -> Reply:
        """The reply to `request` (messages, max_tokens, temperature, maybe schema); no slot is held between two tries.

        A reply that `check` refuses is unusable, and asked for once more; where it was cut off, with room for more.

        Raises:
            ConfigurationError: model or key refused by the endpoint, or the account's quota is used up.
            ModelUnavailableError, ModelReplyError: the last try's error.
            ModelError: the endpoint refuses this request.
            BudgetError: the budget does not allow the call, or not another try.
        """
        tries = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
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
        phrase, reply = await self._ask(role, request, check is not anything)
        try:
            check(reply)
        except ModelReplyError as error:
            if reply.ending != "cut_off":
                raise type(error)(f"{self._who(role)}: {error}") from error
            if not self._dialect.give_room(phrase):
                advice = f"raise RATCHET_{role.upper()}_MAX_TOKENS"
                raise UnfinishedReplyError(f"{self._who(role)}: {error}; {advice}") from error
            return await self._try(role, request, check)
        return reply

    async def _ask(self, role: str, request: dict[str, Any], whole: bool) -> tuple[Phrase, Reply]:
        """One paid call, in the words that the endpoint understands; refusals of others before it cost nothing."""
        async with self.limiter.slot():
            with active_meter().call(role) as usage:
                started = time.perf_counter()
                phrase, reply = await self._invoke(role, request, whole)
                reply.seconds = time.perf_counter() - started
                usage.add(reply.input_tokens, reply.output_tokens, reply.seconds)
        return phrase, reply

    async def _invoke(self, role: str, request: dict[str, Any], whole: bool) -> tuple[Phrase, Reply]:
        while True:
            phrase = self._dialect.phrase(request, whole=whole)
            try:
                # The client's own timeout starts anew with every byte; this one holds for the whole call.
                async with asyncio.timeout(self._timeout):
                    return phrase, as_reply(await self._client.ainvoke(phrase.messages, **phrase.options))
            except FAULTS as error:
                if not self._dialect.learn(error, phrase):
                    raise translate(error, self._who(role)) from error

    def _who(self, role: str) -> str:
        return f"{role} model {self._spec}"

    async def close(self) -> None:
        """End the connections; calls under way fail."""
        await self._http.aclose()


def _may_pass(error: BaseException) -> bool:
    """Whether a further try can help."""
    if isinstance(error, ModelUnavailableError):
        return not error.lasting
    return isinstance(error, ModelReplyError) and not isinstance(error, UnfinishedReplyError)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
