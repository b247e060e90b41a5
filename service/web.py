"""The application that `langgraph dev` serves beside its own routes, and the middleware that stands before both."""

import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ratchet import __version__
from ratchet.concurrency import to_thread
from service.foreign_pages import RefuseForeignPages


async def health(_request: Request) -> JSONResponse:
    """Whether the process is up."""
    return JSONResponse({"status": "ok", "version": __version__})


def application(recover: Callable[[], AbstractAsyncContextManager[None]]) -> Starlette:
    """The application. The server puts its middleware before all routes; from start to end `recover` is open."""
    return Starlette(
        routes=[Route("/ratchet/health", health)],
        middleware=[Middleware(RefuseForeignPages)],
        lifespan=lambda _app: recover(),
    )


@asynccontextmanager
async def _recovery() -> AsyncIterator[None]:
    """Bring back what a crash left open; close connections and models at the end."""
    # Loaded only now, and in a thread: the server complains about applications that take long to import.
    module = await to_thread(importlib.import_module, "service.recovery")
    async with module.recovery():
        yield


app = application(_recovery)
