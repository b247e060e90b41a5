"""Models by role, all through `ChatOpenAI`: one place for retries, timeouts, concurrency, accounting and reuse."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any, Protocol, TypeVar

import httpx2
import openai
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr, ValidationError

from ratchet.errors import ConfigurationError, ModelError, ModelReplyError, ModelUnavailableError
from ratchet.llm.embedded import embedded_endpoint
from ratchet.llm.meter import active_meter
from ratchet.llm.scripted import ScriptedTransport, load_script
from ratchet.llm.spec import ModelSpec, parse_spec
from ratchet.prompting import Message, content_hash
from ratchet.settings import Settings

Form = TypeVar("Form", bound=BaseModel)


class Reply(BaseModel):
    """What a model said, and what it cost. `reused` replies were paid for earlier."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    reused: bool = False


class ReplyStore(Protocol):
    """Keeps replies under a content key. `put` of a key that exists changes nothing."""

    def get(self, key: str, /) -> Awaitable[Reply | None]:
        """The reply kept under `key`."""

    def put(self, key: str, role: str, reply: Reply, cycle_id: str | None, /) -> Awaitable[None]:
        """Keep `reply` under `key`."""


class Models:
    """The models of all roles. Belongs to one event loop; `close` ends its connections."""

    def __init__(self, settings: Settings, store: ReplyStore) -> None:
        self._settings = settings
        self._store = store
        self._clients: dict[ModelSpec, ChatOpenAI] = {}
        self._http: list[httpx2.AsyncClient] = []
        self._opening = asyncio.Lock()
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._under_way: dict[str, asyncio.Task[Reply]] = {}

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
    ) -> Reply:
        """The reply of the model that plays `role`.

        `repeat` numbers independent tries of the same request: each is paid for once and then reused; equal requests
        under way at the same time share one call. ``None`` always pays (serving); its reply is kept as number 0.

        Raises:
            ConfigurationError: model or key refused by the endpoint.
            ModelError: no usable answer after all retries.
            BudgetError: the cycle's budget is used up.
        """
        spec = self.spec(role)
        request: dict[str, Any] = {"messages": list(messages), "max_tokens": max_tokens, "temperature": temperature}
        if schema is not None:
            request["schema"] = schema
        key = content_hash({"model": str(spec), "repeat": repeat or 0, **request})
        if repeat is None:
            return await self._pay(key, role, spec, request)
        kept = await self._store.get(key)
        if kept is not None:
            active_meter().of(role).reused += 1
            return kept.model_copy(update={"reused": True})
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._pay(key, role, spec, request))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

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
        schema = form.model_json_schema()
        reply = await self.reply(
            role, messages, repeat=repeat, max_tokens=max_tokens, temperature=temperature, schema=schema
        )
        try:
            return form.model_validate_json(reply.text)
        except ValidationError as error:
            raise ModelReplyError(f"{role} model: the reply is no {form.__name__}: {reply.text[:120]!r}") from error

    async def _pay(self, key: str, role: str, spec: ModelSpec, request: dict[str, Any]) -> Reply:
        client = await self._client(spec)
        meter = active_meter()
        async with self._slots:
            usage = meter.reserve(role)
            started = time.perf_counter()
            try:
                reply = await self._invoke(client, role, spec, request)
            except (ModelUnavailableError, ConfigurationError):
                usage.calls -= 1  # nothing was answered, nothing is charged
                raise
        reply.seconds = time.perf_counter() - started
        usage.input_tokens += reply.input_tokens
        usage.output_tokens += reply.output_tokens
        usage.seconds += reply.seconds
        await self._store.put(key, role, reply, meter.cycle_id)
        return reply

    async def _invoke(self, client: ChatOpenAI, role: str, spec: ModelSpec, request: dict[str, Any]) -> Reply:
        options = {name: request[name] for name in ("max_tokens", "temperature") if request[name] is not None}
        if "schema" in request:
            form = {"name": "answer", "schema": request["schema"]}
            options["response_format"] = {"type": "json_schema", "json_schema": form}
        try:
            message = await client.ainvoke(request["messages"], **options)
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
            raise ConfigurationError(
                f"{role} model {spec}: refused by the endpoint ({_words(error)}); see `ratchet doctor`"
            ) from error
        except openai.BadRequestError as error:
            raise ModelError(f"{role} model {spec}: request refused ({_words(error)})") from error
        except (openai.APIConnectionError, openai.APIStatusError) as error:
            raise ModelUnavailableError(
                f"{role} model {spec} does not answer ({_words(error)}); see `ratchet doctor`"
            ) from error
        except (openai.OpenAIError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise ModelReplyError(f"{role} model {spec}: unusable reply ({_words(error)})") from error
        tokens = message.usage_metadata
        return Reply(
            text=str(message.text),
            input_tokens=tokens["input_tokens"] if tokens else 0,
            output_tokens=tokens["output_tokens"] if tokens else 0,
        )

    async def _client(self, spec: ModelSpec) -> ChatOpenAI:
        async with self._opening:
            if spec not in self._clients:
                self._clients[spec] = await self._open(spec)
            return self._clients[spec]

    async def _open(self, spec: ModelSpec) -> ChatOpenAI:
        settings = self._settings
        base_url, api_key = settings.openai_base_url, settings.openai_api_key
        transport: httpx2.AsyncBaseTransport | None = None
        if spec.provider == "local":
            base_url, key = await asyncio.to_thread(embedded_endpoint, spec.name)
            api_key = SecretStr(key)
        elif spec.provider == "scripted":
            base_url, api_key = "http://scripted.invalid/v1", SecretStr("-")
            transport = ScriptedTransport(await asyncio.to_thread(load_script, spec.name))
        elif api_key is None and base_url is None:
            raise ConfigurationError(f"{spec}: set OPENAI_API_KEY, or OPENAI_BASE_URL for an endpoint of your own")
        http = await asyncio.to_thread(
            httpx2.AsyncClient, transport=transport, limits=httpx2.Limits(max_connections=settings.concurrency + 4)
        )
        self._http.append(http)
        return await asyncio.to_thread(
            ChatOpenAI,
            model=spec.name or "local",
            base_url=base_url,
            api_key=api_key or SecretStr("-"),
            timeout=settings.timeout,
            max_retries=settings.retries,
            http_async_client=http,
        )

    async def close(self) -> None:
        """End all connections; calls under way fail."""
        for task in list(self._under_way.values()):
            task.cancel()
        for http in self._http:
            await http.aclose()
        self._clients.clear()
        self._http.clear()


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
