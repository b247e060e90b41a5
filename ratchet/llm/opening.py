"""From a model setting to a client that answers: address, key, transport, and how many calls at a time."""

import httpx2
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from ratchet.concurrency import to_thread
from ratchet.config.settings import Settings
from ratchet.errors import ConfigurationError
from ratchet.llm.calling import Backoff, ModelCaller
from ratchet.llm.embedded import SLOTS, embedded_endpoint
from ratchet.llm.limiter import Limiter
from ratchet.llm.scripted import ScriptedTransport, load_script
from ratchet.llm.spec import ModelSpec


async def open_caller(spec: ModelSpec, settings: Settings, backoff: Backoff) -> ModelCaller:
    """The model that `spec` names, ready to be called; the embedded one is started.

    Raises:
        ConfigurationError: no key and no address, no such script, or the embedded model is not installed.
        ModelUnavailableError: the embedded model cannot be loaded.
    """
    base_url, api_key = settings.openai_base_url, settings.openai_api_key
    transport: httpx2.AsyncBaseTransport | None = None
    if spec.provider == "local":
        base_url, key = await to_thread(embedded_endpoint, spec.name)
        api_key = SecretStr(key)
    elif spec.provider == "scripted":
        base_url, api_key = "http://scripted.invalid/v1", SecretStr("-")
        transport = ScriptedTransport(await load_script(spec.name))
    elif api_key is None and base_url is None:
        raise ConfigurationError(f"{spec}: set OPENAI_API_KEY, or OPENAI_BASE_URL for an endpoint of your own")
    http = await to_thread(
        httpx2.AsyncClient, transport=transport, limits=httpx2.Limits(max_connections=settings.concurrency + 4)
    )
    client = await to_thread(
        ChatOpenAI,
        model=spec.name or "local",
        base_url=base_url,
        api_key=api_key or SecretStr("-"),
        timeout=settings.timeout,
        max_retries=0,
        http_async_client=http,
    )
    limiter = limiter_for(spec, settings.concurrency)
    return ModelCaller(
        spec, client, http, limiter=limiter, timeout=settings.timeout, retries=settings.retries, backoff=backoff
    )


def limiter_for(spec: ModelSpec, concurrency: int) -> Limiter:
    """The limiter of a model: found out for an endpoint, known for what runs in this process."""
    match spec.provider:
        case "openai":
            return Limiter(concurrency)
        case "local":
            return Limiter.with_fixed_limit(
                min(SLOTS, concurrency)
            )  # more would only wait in the server, and for its timeout
        case "scripted":
            return Limiter.with_fixed_limit(concurrency)
