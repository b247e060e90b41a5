"""An OpenAI-compatible server on a loopback port that counts: every run has an address of its own.

Two things can answer: the simulated model after a fixed latency, or another server to which requests are passed on.
The address says for whom a call is counted; what answers never sees it.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.peer_systems.simulated import reply

LATENCY = 0.05
"""Seconds that the simulated model takes for each call; any number of calls at the same time."""
UPSTREAM_SECONDS = 600.0

Answer = Callable[[dict[str, Any]], Awaitable[Response]]


class Call(NamedTuple):
    """One request."""

    started: float
    """Of `time.time`, at its arrival."""
    ended: float
    """At its reply."""
    asked: str
    """The text of its last message."""


class Counted(NamedTuple):
    """What one run asked for."""

    calls: int
    seconds: float
    """From the first request to the last reply."""
    idle: float
    """Seconds of those in which no request was under way."""
    in_flight: int
    """Most calls at the same time."""
    waves: int
    """How often the server had nothing to do and then something again: steps that waited for each other."""


class CountingServer:
    """A server in a thread of its own; `close` ends it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._calls: dict[str, list[Call]] = {}
        routes = [
            Route("/{run}/v1/chat/completions", self._complete, methods=["POST"]),
            Route("/{run}/v1/models", _models),
        ]
        app = Starlette(routes=routes, lifespan=_lifespan)
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        self._port = self._server.servers[0].sockets[0].getsockname()[1]

    def url(self, run: str) -> str:
        """The base URL under which calls are counted for `run`."""
        return f"http://127.0.0.1:{self._port}/{run}/v1"

    def calls(self, run: str) -> list[Call]:
        """The calls of a run, in the order of their replies."""
        return list(self._calls.get(run, []))

    def calls_of(self, run: str) -> Counted:
        """What a run asked for so far."""
        return count(self.calls(run))

    def reset(self, run: str) -> None:
        """Forget the calls of a run."""
        self._calls.pop(run, None)

    def close(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._thread.join()

    async def _complete(self, request: Request) -> Response:
        started = time.time()
        body = await request.json()
        response = await self._answer(body)
        asked = str(body["messages"][-1]["content"])
        self._calls.setdefault(request.path_params["run"], []).append(Call(started, time.time(), asked))
        return response


def count(calls: list[Call]) -> Counted:
    """The figures of a list of calls."""
    changes = sorted([(call.started, 1) for call in calls] + [(call.ended, -1) for call in calls])
    if not changes:
        return Counted(0, 0.0, 0.0, 0, 0)
    now = most = waves = 0
    idle, before = 0.0, changes[0][0]
    for at, change in changes:
        if now == 0:
            waves += 1
            idle += at - before
        now += change
        most, before = max(most, now), at
    return Counted(len(calls), round(changes[-1][0] - changes[0][0], 2), round(idle, 2), most, waves)


async def simulate(body: dict[str, Any]) -> Response:
    """The simulated model's completion."""
    await asyncio.sleep(LATENCY)
    text = reply(body)
    message = {"role": "assistant", "content": text}
    choices = [{"index": n, "message": message, "finish_reason": "stop"} for n in range(body.get("n") or 1)]
    words = sum(len(str(sent["content"]).split()) for sent in body["messages"])
    usage = {"prompt_tokens": words, "completion_tokens": len(text.split())}
    return JSONResponse(
        {
            "id": "chatcmpl-simulated",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": body.get("model", "simulated"),
            "choices": choices,
            "usage": usage | {"total_tokens": sum(usage.values())},
        }
    )


def passing_on(base_url: str, api_key: str) -> Answer:
    """Requests go to the server at `base_url`, as they are."""
    client = httpx2.AsyncClient(timeout=UPSTREAM_SECONDS, headers={"Authorization": f"Bearer {api_key}"})

    async def answer(body: dict[str, Any]) -> Response:
        found = await client.post(f"{base_url}/chat/completions", json=body)
        return Response(found.content, found.status_code, media_type="application/json")

    return answer


async def _models(request: Request) -> Response:
    return JSONResponse({"object": "list", "data": [{"id": "model", "object": "model"}]})


@asynccontextmanager
async def _lifespan(app: Starlette) -> Any:
    yield
