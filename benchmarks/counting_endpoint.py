"""A model endpoint on the loopback interface that speaks the OpenAI protocol, answers from a function, and counts.

A request is known by the hash of its body. `received` counts what came in, `answered` what went out whole; the
difference is in flight.
"""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Answer = Callable[[str, list[dict[str, Any]]], str]
"""``(model, messages) -> reply``, the same reply for the same question."""


class CountingEndpoint:
    """Serves from `answer` after `latency` seconds while it is entered."""

    def __init__(self, answer: Answer, latency: float) -> None:
        self.received: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        """Requests that came in, by model."""
        self.in_flight: Counter[str] = Counter()
        """Requests being worked on, by model."""
        self._answer, self._latency = answer, latency
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def respond(self, body: bytes, write: Callable[[bytes], None]) -> None:
        """Answer one request; a client that is gone leaves it unanswered."""
        key, request = hashlib.sha256(body).hexdigest(), json.loads(body)
        with self._lock:
            self.received[key] += 1
            self.asked[request["model"]] += 1
            self.in_flight[request["model"]] += 1
        try:
            time.sleep(self._latency)
            write(
                json.dumps(_completion(request["model"], self._answer(request["model"], request["messages"]))).encode()
            )
            with self._lock:
                self.answered[key] += 1
        except OSError:
            pass
        finally:
            with self._lock:
                self.in_flight[request["model"]] -= 1

    def settle(self) -> None:
        """Wait until nothing is in flight any more."""
        time.sleep(self._latency)
        while self.in_flight.total():
            time.sleep(self._latency / 4)


def _handler(endpoint: CountingEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the name that http.server calls
            """One chat completion."""
            try:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
            except OSError:
                return
            if len(body) == length:  # a client that was killed while it sent has asked nothing
                endpoint.respond(body, self._write)

        def _write(self, reply: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def handle(self) -> None:
            """All requests of a connection, which may end in any state."""
            try:
                super().handle()
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # as the base class has it
            """Say nothing."""

    return Handler


def _completion(model: str, text: str) -> dict[str, Any]:
    return {
        "id": "counted",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
