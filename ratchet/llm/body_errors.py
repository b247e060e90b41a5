"""Errors that endpoints tell in the body of a 200: they get the status that they speak of, and are handled by it."""

import json
import re
from typing import Any

import httpx2

_OVERLOADED = re.compile(r"rate.?limit|too.?many.?requests|throttl|overload|(?:over|at|no) capacity|quota", re.I)
_TOO_MANY_REQUESTS = 429


async def restore_status(response: httpx2.Response) -> None:
    """Give `response` the status that its body tells of, for the client's list of response hooks."""
    if response.status_code != httpx2.codes.OK:
        return
    body = await response.aread()
    if b'"error"' in body or b'"choices"' not in body:
        response.status_code = told_status(body) or response.status_code


def told_status(body: bytes) -> int | None:
    """The HTTP status that an error in `body` stands for; None where there is no error, or none of a known kind."""
    try:
        told = _error(json.loads(body))
    except (ValueError, RecursionError):
        return None
    if not told:
        return None
    numbers = (_number(told.get(key)) for key in ("code", "status", "status_code")) if isinstance(told, dict) else ()
    number = next((number for number in numbers if number), None)
    return number or (_TOO_MANY_REQUESTS if _OVERLOADED.search(json.dumps(told)) else None)


def _error(data: Any) -> Any:
    """The error of a body, of its first choice, or the body itself where it is an error and nothing else."""
    if not isinstance(data, dict):
        return None
    choices = data.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    return data.get("error") or first.get("error") or (None if {"choices", "output"} & data.keys() else data)


def _number(value: Any) -> int | None:
    """A number or its digits, where it is the status of an error."""
    digits = str(value)
    return int(digits) if digits.isdecimal() and len(digits) == 3 and digits[0] in "45" else None
