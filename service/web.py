"""The application that `langgraph dev` serves beside its own routes."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ratchet import __version__
from ratchet.engine import process_engine
from ratchet.llm import close_embedded
from service.recovery import recover

log = logging.getLogger(__name__)


async def health(_request: Request) -> JSONResponse:
    """Whether the process is up."""
    return JSONResponse({"status": "ok", "version": __version__})


async def _recover_in_background() -> None:
    try:
        await recover(await process_engine())
    except Exception:  # the server has to come up whatever state the last one left
        log.exception("recovery after the start failed")


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    """Bring back what a crash left open; close connections and models at the end."""
    task = asyncio.create_task(_recover_in_background())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await process_engine.close()
        await asyncio.to_thread(close_embedded)


app = Starlette(routes=[Route("/ratchet/health", health)], lifespan=lifespan)
