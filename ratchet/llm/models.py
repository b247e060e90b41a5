"""Models by role: each request is paid for once under a content key and then reused; a measurement asks anew."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from ratchet.concurrency import to_thread
from ratchet.config.settings import Settings
from ratchet.errors import ModelError, NoWordingError
from ratchet.llm.calling import BACKOFF, Backoff, ModelCaller
from ratchet.llm.identity import identity_of
from ratchet.llm.measurement import active_measurement
from ratchet.llm.meter import active_meter
from ratchet.llm.opening import open_caller
from ratchet.llm.reply import Check, Reply, ReplyStore, anything
from ratchet.llm.spec import ModelSpec, parse_spec
from ratchet.llm.structured import Form, parse_form
from ratchet.prompting import Message, content_hash


class Models:
    """The models of all roles. Belongs to one event loop; `close` ends its connections."""

    def __init__(self, settings: Settings, store: ReplyStore, backoff: Backoff = BACKOFF) -> None:
        self._settings = settings
        self._store = store
        self._backoff = backoff
        self._callers: dict[ModelSpec, ModelCaller] = {}
        self._identities: dict[ModelSpec, str] = {}
        self._opening = asyncio.Lock()
        self._under_way: dict[tuple[str, str], asyncio.Task[Reply]] = {}
        """By request and measurement."""

    def spec(self, role: str) -> ModelSpec:
        """The model that plays `role`.

        Raises:
            ConfigurationError: the setting has no known form.
        """
        return parse_spec(self._settings.model_for(role), f"RATCHET_{role.upper()}_MODEL")

    async def reply(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        repeat: int | None = 0,
        max_tokens: int | None = None,
        temperature: float | None = None,
        schema: dict[str, Any] | None = None,
        check: Check = anything,
    ) -> Reply:
        """The reply of the model that plays `role`; its settings for tokens and temperature go before what is given.

        `repeat` numbers independent tries of the same request: each is paid for once and then reused, and once more in
        each measurement. Equal requests under way at the same time share one call. ``None`` always pays (serving); its
        reply is kept as number 0. What `check` refuses is asked for once more, and never kept.

        Raises:
            ConfigurationError: model or key refused by the endpoint, or the account's quota is used up.
            ModelError: no usable answer after all retries.
            BudgetError: the cycle's budget is used up.
        """
        spec = self.spec(role)
        request = self._request(role, messages, max_tokens, temperature) | ({"schema": schema} if schema else {})
        identity = await self._identity(spec)
        key = content_hash({"model": str(spec), "identity": identity, "repeat": repeat or 0, **request})
        if repeat is None:
            return await self._pay(key, role, spec, request, check)
        kept = await self._store.get(key, active_measurement())
        if kept is not None:
            active_meter().of(role).note_reused(kept.created_at)
            return kept.model_copy(update={"reused": True})
        return await self._share(key, lambda: self._pay(key, role, spec, request, check))

    async def _share(self, key: str, pay: Callable[[], Coroutine[Any, Any, Reply]]) -> Reply:
        """One call for all who ask for the same in one measurement, or in none, at the same time."""
        place = (key, active_measurement())
        task = self._under_way.get(place)
        if task is None:
            task = asyncio.create_task(pay())
            self._under_way[place] = task
            task.add_done_callback(lambda done: self._note_arrival(place, done))
        return await asyncio.shield(task)

    def _request(
        self, role: str, messages: Sequence[Message], max_tokens: int | None, temperature: float | None
    ) -> dict[str, Any]:
        return {
            "messages": list(messages),
            "max_tokens": self._settings.max_tokens_for(role, max_tokens),
            "temperature": self._settings.temperature_for(role, temperature),
        }

    def _note_arrival(self, place: tuple[str, str], done: asyncio.Task[Reply]) -> None:
        self._under_way.pop(place, None)
        if not done.cancelled():
            done.exception()  # where all who asked have given up, nobody else takes note of it

    async def fill(
        self,
        role: str,
        messages: Sequence[Message],
        form: type[Form],
        *,
        max_tokens: int = 200,
        repeat: int = 0,
        temperature: float = 0.0,
    ) -> Form:
        """A reply in the form of a pydantic model, asked for as schema-constrained output.

        Raises:
            ModelReplyError: the reply does not fit the form.
        """
        reply = await self.reply(
            role,
            messages,
            repeat=repeat,
            max_tokens=max_tokens,
            temperature=temperature,
            schema=form.model_json_schema(),
            check=lambda reply: parse_form(reply, form),
        )
        return parse_form(reply, form)

    async def _identity(self, spec: ModelSpec) -> str:
        if spec not in self._identities:
            self._identities[spec] = await to_thread(identity_of, spec, self._settings)
        return self._identities[spec]

    async def _pay(self, key: str, role: str, spec: ModelSpec, request: dict[str, Any], check: Check) -> Reply:
        usage = active_meter().of(role)
        try:
            reply = await (await self._caller(spec)).call(role, request, check)
        except NoWordingError:  # whole and in form: the model has no idea
            usage.answered += 1
            raise
        except ModelError as error:
            usage.failed, usage.error = usage.failed + 1, str(error)
            raise
        usage.answered += 1
        await self._store.put(key, role, reply, active_meter().cycle_id, active_measurement())
        return reply

    async def _caller(self, spec: ModelSpec) -> ModelCaller:
        async with self._opening:
            if spec not in self._callers:
                self._callers[spec] = await open_caller(spec, self._settings, self._backoff)
            return self._callers[spec]

    async def close(self) -> None:
        """End all connections; calls under way fail."""
        for task in list(self._under_way.values()):
            task.cancel()
        for caller in self._callers.values():
            await caller.close()
        self._callers.clear()
