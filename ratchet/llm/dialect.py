"""What a model's endpoint understands of the OpenAI protocol, found out by what it refuses."""

import json
import re
from typing import Any, Literal, NamedTuple

from langchain_core.exceptions import ContextOverflowError

from prompts import render
from ratchet.llm.translation import told_by

Part = Literal["form", "limit", "temperature", "system"]
_LADDERS: dict[Part, tuple[str | None, ...]] = {
    "form": ("json_schema", "json_object", None),
    "limit": ("max_completion_tokens", "max_tokens", None),
    "temperature": ("temperature", None),
    "system": ("system", None),
}
"""How each part of a request is put, the best way first; None leaves it out, or to the words of the request."""
_NAMED: dict[Part, re.Pattern[str]] = {
    "form": re.compile(r"response_?format|json_?(?:schema|object)|structured.?output|guided|grammar", re.I),
    "limit": re.compile(r"max_?(?:completion_?|output_?)?tokens", re.I),
    "temperature": re.compile(r"temperature", re.I),
    "system": re.compile(
        r"(?:system|developer)\W+(?:role|message|prompt)|role\W.{0,60}?\b(?:system|developer)\b", re.I
    ),
}
_TOO_LONG = re.compile(r"context.?(?:length|window|size)|maximum context|too long|too many tokens", re.I)
_NOT_UNDERSTOOD = {400, 422}
ROOM = 4000
"""Tokens for reasoning: added to the limit of requests of which only a whole reply is of use, once one was cut off."""


class Phrase(NamedTuple):
    """A request as it is put to the endpoint, with the way in which each part of it is put."""

    messages: list[dict[str, Any]]
    options: dict[str, Any]
    ways: dict[Part, str | None]
    room: int
    """Tokens for reasoning that its limit includes."""


class Dialect:
    """How requests are put to one model of one endpoint: at first as OpenAI would have them, then as it takes them.

    What is learned holds for all requests, as long as the object lives.
    """

    def __init__(self, room: int = ROOM) -> None:
        """`room`: tokens for reasoning that may be given; 0 for none."""
        self._steps = dict.fromkeys(_LADDERS, 0)
        self._most = room
        self._room = 0

    def phrase(self, request: dict[str, Any], *, whole: bool = False) -> Phrase:
        """`request` in the form that the endpoint is known to take; `whole`: only a whole reply to it is of use."""
        ways = {part: self._way(part) for part in _LADDERS if _has(request, part)}
        room = self._room if whole and ways.get("limit") else 0
        options: dict[str, Any] = {}
        body: dict[str, Any] = {}
        if ways.get("temperature"):
            options["temperature"] = request["temperature"]
        if ways.get("limit") == "max_tokens":
            body["max_tokens"] = request["max_tokens"] + room
        elif ways.get("limit"):
            options["max_tokens"] = request["max_tokens"] + room  # the client gives it the protocol's name
        if ways.get("form"):
            # Not as an option: the client would parse the reply itself, and raise where it was cut off or filtered.
            body["response_format"] = _response_format(ways["form"], request["schema"])
        if body:
            options["extra_body"] = body
        return Phrase(_messages(request, ways), options, ways, room)

    def learn(self, error: Exception, phrase: Phrase) -> bool:
        """Whether the request can be put in another way, after this refusal of `phrase`."""
        if getattr(error, "status_code", None) not in _NOT_UNDERSTOOD:
            return False
        if isinstance(error, ContextOverflowError) or _TOO_LONG.search(told_by(error)):
            return self._take_room_back(phrase)
        part = _refused_part(error, phrase)
        if part is None:
            return False
        if self._way(part) == phrase.ways[part]:  # else a call beside this one has learned it meanwhile
            self._steps[part] += 1
        return True

    def give_room(self, phrase: Phrase) -> bool:
        """Whether a reply to `phrase` that was cut off may be longer when it is asked for again."""
        if phrase.ways.get("limit"):
            self._room = self._most
        return phrase.room < self._room

    def _take_room_back(self, phrase: Phrase) -> bool:
        if phrase.room:
            self._room = self._most = 0
        return phrase.room > 0

    def _way(self, part: Part) -> str | None:
        return _LADDERS[part][self._steps[part]]


def _has(request: dict[str, Any], part: Part) -> bool:
    match part:
        case "form":
            return "schema" in request
        case "limit":
            return request["max_tokens"] is not None
        case "temperature":
            return request["temperature"] is not None
        case "system":
            return bool(request["messages"][0]["role"] == "system")


def _response_format(way: str | None, schema: dict[str, Any]) -> dict[str, Any]:
    if way == "json_object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _messages(request: dict[str, Any], ways: dict[Part, str | None]) -> list[dict[str, Any]]:
    """The messages, with what has no place of its own in them: the form in the last, the system's in the first."""
    messages: list[dict[str, Any]] = list(request["messages"])
    if ways.get("system", "") is None:
        system, first, *rest = messages
        messages = [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]
    if ways.get("form", "json_schema") != "json_schema":
        form = render("form", schema=json.dumps(request["schema"], ensure_ascii=False))
        messages[-1] = {**messages[-1], "content": f"{messages[-1]['content']}\n\n{form}"}
    return messages


def _refused_part(error: Exception, phrase: Phrase) -> Part | None:
    """The part that the refusal names; of several the first one named, as some endpoints repeat the whole request."""
    words = f"{getattr(error, 'param', None) or ''} {told_by(error)}"
    sent = [part for part, way in phrase.ways.items() if way]
    places = [(found.start(), part) for part in sent if (found := _NAMED[part].search(words))]
    return min(places)[1] if places else None
