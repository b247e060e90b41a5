"""From a model setting to a client that answers: address, key, transport, and how many calls at a time."""

import ssl
import warnings

import httpx2
import openai
from langchain_openai import ChatOpenAI

from ratchet.concurrency import to_thread
from ratchet.config.settings import Settings
from ratchet.errors import ConfigurationError
from ratchet.llm.addresses import is_loopback, openai_endpoint
from ratchet.llm.body_errors import restore_status
from ratchet.llm.calling import Backoff, ModelCaller
from ratchet.llm.dialect import Dialect
from ratchet.llm.embedded import SLOTS, Endpoint, embedded_endpoint
from ratchet.llm.limiter import Limiter
from ratchet.llm.scripted import ScriptedTransport, load_script
from ratchet.llm.spec import ModelSpec


async def open_caller(spec: ModelSpec, settings: Settings, backoff: Backoff) -> ModelCaller:
    """The model that `spec` names, ready to be called; the embedded one is started.

    Raises:
        ConfigurationError: no key and no address, a wrong one, no such script, no such model file, or an environment in
            which no client can be opened.
        ModelUnavailableError: the embedded model cannot be loaded.
    """
    endpoint, transport = await _endpoint(spec, settings)
    try:
        http = await to_thread(open_http, endpoint.base_url, transport, settings.concurrency + 4)
        client = await to_thread(_open_client, spec, endpoint, http, settings.timeout)
    except (ImportError, OSError, ValueError, httpx2.InvalidURL, openai.OpenAIError) as error:
        raise opening_error(spec, error) from error
    return ModelCaller(
        spec,
        client,
        http,
        dialect=Dialect(room=0) if spec.provider == "local" else Dialect(),  # the embedded one has none to give
        limiter=limiter_for(spec, settings.concurrency),
        timeout=settings.timeout,
        retries=settings.retries,
        backoff=backoff,
    )


async def _endpoint(spec: ModelSpec, settings: Settings) -> tuple[Endpoint, httpx2.AsyncBaseTransport | None]:
    match spec.provider:
        case "local":
            return await to_thread(embedded_endpoint, spec.name), None
        case "scripted":
            return Endpoint("http://scripted.invalid/v1", "-"), ScriptedTransport(await load_script(spec.name))
        case "openai":
            return openai_endpoint(spec, settings), None


def open_http(address: str, transport: httpx2.AsyncBaseTransport | None, connections: int) -> httpx2.AsyncClient:
    """A connection pool. What is on this machine is reached directly, whatever proxy the environment names."""
    return httpx2.AsyncClient(
        transport=transport,
        limits=httpx2.Limits(max_connections=connections),
        trust_env=not is_loopback(address),
        event_hooks={"response": [restore_status]},
    )


def _open_client(spec: ModelSpec, endpoint: Endpoint, http: httpx2.AsyncClient, timeout: float) -> ChatOpenAI:
    async def key() -> str:  # not as a string: the client would open a synchronous pool of its own beside ours
        return endpoint.api_key

    # It advises methods of its own for models without structured output; our requests are put differently then.
    warnings.filterwarnings("ignore", message=".*structured output feature", category=UserWarning)
    return ChatOpenAI(
        model=spec.name or "local",
        base_url=endpoint.base_url,
        api_key=key,
        timeout=timeout,
        max_retries=0,
        http_async_client=http,
        http_socket_options=(),
        disable_streaming=True,  # how a reply ended is known only of a whole one
    )


def opening_error(spec: ModelSpec, error: Exception) -> ConfigurationError:
    """What to do about an environment in which no client can be opened."""
    words = " ".join(str(error).split())[:160]
    if "SOCKS" in words:
        advice = "run pip install 'httpx2[socks]', or unset ALL_PROXY"
    elif isinstance(error, ssl.SSLError | FileNotFoundError):
        advice = "SSL_CERT_FILE has to name a file of certificates, or to be unset"
    else:
        advice = "look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY and OPENAI_PROXY"
    return ConfigurationError(f"{spec}: no client can be opened here ({words}); {advice}")


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
