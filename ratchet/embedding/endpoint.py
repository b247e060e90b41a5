"""An embedding model behind an endpoint that speaks the OpenAI protocol."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx2
import openai
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential, wait_random

from ratchet.concurrency import for_each, to_thread
from ratchet.config.settings import Settings
from ratchet.errors import ModelReplyError, ModelUnavailableError
from ratchet.llm import active_meter
from ratchet.llm.addresses import OPENAI, openai_endpoint
from ratchet.llm.calling import BACKOFF, Backoff
from ratchet.llm.limiter import Limiter
from ratchet.llm.opening import open_http, opening_error
from ratchet.llm.spec import ModelSpec
from ratchet.llm.translation import FAULTS, translate

BATCH = 64
"""Texts of one request."""
ROLE = "embedding"


class EndpointModel:
    """Vectors of an endpoint's model; a request counts as a model call. Belongs to one event loop."""

    costs = True

    def __init__(self, model: str, settings: Settings, backoff: Backoff = BACKOFF) -> None:
        self.name = f"openai:{model} of {(settings.openai_base_url or OPENAI).rstrip('/')}"
        self._model = model
        self._settings = settings
        self._backoff = backoff
        self._limiter = Limiter(settings.concurrency)
        self._client: openai.AsyncOpenAI | None = None
        self._opening = asyncio.Lock()

    async def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of `texts`, of length 1.

        Raises:
            ConfigurationError: no key and no address; model or key refused by the endpoint.
            ModelError: no usable answer after all retries.
            BudgetError: the budget does not allow the call.
        """
        import numpy as np

        batches = [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(await for_each(batches, self._call, at_once=self._settings.concurrency))

    async def _call(self, texts: list[str]) -> Any:
        tries = AsyncRetrying(
            retry=retry_if_exception_type((ModelUnavailableError, ModelReplyError)),
            stop=self._stops,
            wait=self._wait,
            reraise=True,
        )
        return await tries(self._try, texts)

    def _stops(self, state: RetryCallState) -> bool:
        waited = state.idle_for + state.upcoming_sleep
        return state.attempt_number > self._settings.retries or waited > self._backoff.total

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ModelUnavailableError) else None
        jittered = wait_exponential(self._backoff.first, self._backoff.longest) + wait_random(0, self._backoff.first)
        return max(jittered(state), asked or 0.0)

    async def _try(self, texts: list[str]) -> Any:
        who = f"embedding model openai:{self._model}"
        client = await self._open()
        async with self._limiter.slot():
            with active_meter().call(ROLE) as usage:
                try:
                    async with asyncio.timeout(self._settings.timeout):
                        reply = await client.embeddings.create(model=self._model, input=texts, encoding_format="float")
                    usage.add(reply.usage.prompt_tokens if reply.usage else 0, 0, 0.0)
                    return _unit_rows(
                        [item.embedding for item in sorted(reply.data, key=lambda item: item.index)], texts
                    )
                except FAULTS as error:
                    raise translate(error, who) from error

    async def _open(self) -> openai.AsyncOpenAI:
        async with self._opening:
            if self._client is None:
                spec = ModelSpec("openai", self._model)
                endpoint = openai_endpoint(spec, self._settings)
                try:
                    http = await to_thread(open_http, endpoint.base_url, None, self._settings.concurrency + 4)
                    self._client = openai.AsyncOpenAI(
                        api_key=endpoint.api_key, base_url=endpoint.base_url, max_retries=0, http_client=http,
                        timeout=self._settings.timeout,
                    )  # fmt: skip
                except (ImportError, OSError, ValueError, httpx2.InvalidURL, openai.OpenAIError) as error:
                    raise opening_error(spec, error) from error
            return self._client

    async def close(self) -> None:
        """End the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None


def _unit_rows(rows: list[list[float]], texts: list[str]) -> Any:
    """The rows with length 1.

    Raises:
        ValueError: not one row of finite numbers for each text.
    """
    import numpy as np

    if len(rows) != len(texts):
        raise ValueError(f"{len(rows)} vectors for {len(texts)} texts")
    matrix = np.array(rows, dtype=np.float32)
    if matrix.ndim != 2 or not matrix.shape[1] or not np.isfinite(matrix).all():
        raise ValueError("no vectors of one length")
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
