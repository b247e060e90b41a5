"""A chat completion endpoint of the tests' own, which fails in every way that real ones do."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from ratchet.llm import Models

OpenModels = Callable[..., Models]
"""Fixture `open_models`: opens models whose agent is the server."""


def completion(text: Any = "hi", finish: str | None = "stop", **message: Any) -> str:
    """The body of a completion; `message` has further fields of it."""
    said = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "finish_reason": finish, "message": said}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    return json.dumps(
        {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    )


class Answer(NamedTuple):
    """What the server does with one request; `cut` closes the connection after so many bytes of the body."""

    status: int = 200
    body: str = completion()
    headers: dict[str, str] = {}
    seconds: float = 0.0
    cut: int | None = None
    drip: float = 0.0
    """Seconds before each byte of the body."""


class ChatServer:
    """A chat completion endpoint on a port of its own; `answer` says what happens to the request under way."""

    def __init__(self) -> None:
        self.answer: Callable[[ChatServer], Answer] = lambda server: Answer()
        self.calls = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.together = 0
        """Nothing is answered before so many requests have been under way at a time."""
        self.statuses: list[int] = []
        self.requests: list[dict[str, Any]] = []
        """Bodies of all requests."""
        self._port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def always(self, answer: Answer) -> None:
        self.answer = lambda server: answer

    def first(self, *answers: Answer) -> None:
        """These answers in their order, and good ones from then on."""
        left = list(answers)
        self.answer = lambda server: left.pop(0) if left else Answer()

    async def start(self) -> None:
        """Listen, on the same port as before where there was one."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def called(self, times: int) -> None:
        """Wait until so many requests have arrived."""
        while self.calls < times:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            while await self._serve(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        self.requests.append(json.loads(await reader.readexactly(int(head.split("content-length:")[1].split()[0]))))
        self.calls += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        answer = self.answer(self)
        try:
            await self._met()
            await asyncio.sleep(answer.seconds)
        finally:
            self.in_flight -= 1
        self.statuses.append(answer.status)
        body = answer.body.encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)), **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode())
        await self._send(writer, body[: answer.cut], answer.drip)
        return answer.cut is None

    async def _met(self) -> None:
        while self.most_in_flight < self.together:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def _send(self, writer: asyncio.StreamWriter, body: bytes, drip: float) -> None:
        for piece in [body[n : n + 1] for n in range(len(body))] if drip else [body]:
            if drip:
                await asyncio.sleep(drip)
            writer.write(piece)
            await writer.drain()
