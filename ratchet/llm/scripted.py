"""The scripted model: replies by rules or by a Python function, through the same client as every real model.

``scripted:FILE.json`` reads ``[{"match": "regex", "reply": "text" or object}, ...]``; the first entry whose pattern is
found in the last message (or, with ``"anywhere": true``, in any message) answers. ``scripted:module:function`` calls
``function(messages, request)`` and takes a string, an object (sent as JSON) or a `Fault`. It answers for every role, so
that a task can be tried without a model; it says nothing about how well a real model would do.
"""

import asyncio
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from ratchet.concurrency import is_our_own, to_thread
from ratchet.config.files import StrictModel, parse_json, read_text, validate
from ratchet.config.objects import load_object
from ratchet.config.patterns import Pattern, is_found
from ratchet.errors import ConfigurationError, PatternError, one_line


class Fault(NamedTuple):
    """A reply that fails: an HTTP status, a delay in seconds before it, a raw body."""

    status: int = 500
    delay: float = 0.0
    body: str = '{"error": {"message": "scripted fault"}}'


Script = Callable[[list[dict[str, Any]], dict[str, Any]], Any]
"""``(messages, request) -> str | dict | Fault``, or a coroutine of one. It is called in the event loop."""


class ScriptLine(StrictModel):
    """One entry of a script file."""

    match: Pattern
    """Searched for; the first entry that is found replies."""
    reply: str | dict[str, Any]
    anywhere: bool = False


class _ScriptFile(StrictModel):
    replies: list[ScriptLine]


async def load_script(target: str) -> Script:
    """The script that `target` names.

    Raises:
        ConfigurationError: no such file, module or function, or a wrong entry.
    """
    if target.endswith(".json"):
        return await to_thread(_script_from_file, Path(target))
    try:
        script = await load_object(target, "scripted model")
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}; use module:function or FILE.json") from error
    if not callable(script):
        raise ConfigurationError(f"scripted model: {target!r} is no function")
    return script  # type: ignore[no-any-return]


def _script_from_file(file: Path) -> Script:
    lines = validate(_ScriptFile, {"replies": parse_json(read_text(file), file)}, file).replies

    async def script(messages: list[dict[str, Any]], request: dict[str, Any]) -> str | dict[str, Any]:
        last, everything = messages[-1]["content"], "\n".join(message["content"] for message in messages)
        for number, line in enumerate(lines):
            try:
                if await is_found(line.match, everything if line.anywhere else last):
                    return line.reply
            except PatternError as error:
                raise PatternError(f"{file}: replies[{number}]: {error}") from error
        return ""

    return script


class ScriptedTransport(httpx2.AsyncBaseTransport):
    """Answers chat completion requests from a script instead of the network."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One chat completion, or the fault the script asks for."""
        body = json.loads(await request.aread())
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                return await self._respond(body)
        except TimeoutError as error:
            raise httpx2.ReadTimeout("the script took too long", request=request) from error

    async def _respond(self, body: dict[str, Any]) -> httpx2.Response:
        reply = await self._reply(body)
        if isinstance(reply, Fault):
            await asyncio.sleep(reply.delay)
            return httpx2.Response(reply.status, text=reply.body, headers={"content-type": "application/json"})
        return httpx2.Response(200, json=_completion(body, reply))

    async def _reply(self, body: dict[str, Any]) -> str | Fault:
        try:
            reply = self._script(body["messages"], body)
            reply = await reply if inspect.isawaitable(reply) else reply
            return reply if isinstance(reply, str | Fault) else json.dumps(reply, ensure_ascii=False)
        except BaseException as error:  # the user's code: a request that it refuses, and no further try
            if is_our_own(error):
                raise
            problem = {"message": f"the script raised {one_line(error)}"}
            return Fault(400, body=json.dumps({"error": problem}))


def _completion(body: dict[str, Any], text: str) -> dict[str, Any]:
    asked = sum(len(message["content"].split()) for message in body["messages"])
    given = len(text.split())
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": asked, "completion_tokens": given, "total_tokens": asked + given},
    }
