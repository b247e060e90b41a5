"""The scripted model: replies by rules or by a Python function, through the same client as every real model.

``scripted:FILE.json`` reads ``[{"match": "regex", "reply": "text" or object}, ...]``; the first entry whose pattern is
found in the last message (or, with ``"anywhere": true``, in any message) answers. ``scripted:module:function`` calls
``function(messages, request)`` and takes a string, an object (sent as JSON) or a `Fault`. It answers for every role, so
that a task can be tried without a model; it says nothing about how well a real model would do.
"""

import asyncio
import importlib
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import httpx2
from pydantic import Field, field_validator

from ratchet.config.files import StrictModel, parse_json, read_text, validate
from ratchet.errors import ConfigurationError


class Fault(NamedTuple):
    """A reply that fails: an HTTP status, a delay in seconds before it, a raw body."""

    status: int = 500
    delay: float = 0.0
    body: str = '{"error": {"message": "scripted fault"}}'


Script = Callable[[list[dict[str, Any]], dict[str, Any]], Any]
"""``(messages, request) -> str | dict | Fault``, or a coroutine of one."""


class ScriptLine(StrictModel):
    """One entry of a script file."""

    match: Annotated[str, Field(description="regular expression, searched for")]
    reply: str | dict[str, Any]
    anywhere: bool = False

    @field_validator("match")
    @classmethod
    def _compiles(cls, match: str) -> str:
        try:
            re.compile(match)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return match


class _ScriptFile(StrictModel):
    replies: list[ScriptLine]


def load_script(target: str) -> Script:
    """The script that `target` names.

    Raises:
        ConfigurationError: no such file, module or function, or a wrong entry.
    """
    if target.endswith(".json"):
        return _script_from_file(Path(target))
    module_name, _, attribute = target.partition(":")
    try:
        script = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # importing runs the user's code, which may raise anything
        raise ConfigurationError(
            f"scripted:{target}: cannot be imported ({error}); use module:function or FILE.json"
        ) from error
    return script  # type: ignore[no-any-return]


def _script_from_file(file: Path) -> Script:
    lines = validate(_ScriptFile, {"replies": parse_json(read_text(file), file)}, file).replies

    def script(messages: list[dict[str, Any]], request: dict[str, Any]) -> str | dict[str, Any]:
        last, everything = messages[-1]["content"], "\n".join(message["content"] for message in messages)
        for line in lines:
            if re.search(line.match, everything if line.anywhere else last):
                return line.reply
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
        reply = self._script(body["messages"], body)
        if inspect.isawaitable(reply):
            reply = await reply
        if isinstance(reply, Fault):
            await asyncio.sleep(reply.delay)
            return httpx2.Response(reply.status, text=reply.body, headers={"content-type": "application/json"})
        text = reply if isinstance(reply, str) else json.dumps(reply)
        return httpx2.Response(200, json=_completion(body, text))


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
