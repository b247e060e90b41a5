"""What an exception of the client means: one of Ratchet's errors, in one line, with what a further try has to know."""

import email.utils
import json
import math
import re
from datetime import UTC, datetime

import httpx2
import openai
from langchain_core.exceptions import ContextOverflowError

from ratchet.counting import duration
from ratchet.errors import ConfigurationError, ModelError, ModelReplyError, ModelUnavailableError

FAULTS = (openai.OpenAIError, TimeoutError, ValueError, TypeError, LookupError, AttributeError)
"""What the client raises where the endpoint fails; the built-in ones come from bodies of an unexpected form."""
LONGEST_WAIT = 120.0
"""Seconds that a call waits in all at most; an endpoint that asks for more is given up at once."""
_LASTING = re.compile(r"\bper[ _-]?(?:day|week|month)\b|\b(?:daily|monthly)\b|\b[RT]PD\b", re.I)
_WRONG_SETTING = {401, 402, 403, 404}
_PASSING = {408, 409, 429}
_OVERLOADED = {408, 429, 503, 504, 529}


def translate(error: Exception, who: str) -> ModelError | ConfigurationError:
    """The error to raise for one of `FAULTS`; `who` names role and model."""
    words = told_by(error)[:200] or type(error).__name__
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, who, words)
    if isinstance(error, ContextOverflowError):
        return ModelError(f"{who}: request refused ({words})")
    if isinstance(error, (openai.APIConnectionError, TimeoutError)):
        slow = isinstance(error, (openai.APITimeoutError, TimeoutError))
        return _unavailable(who, "Request timed out." if slow else words, overloaded=slow)
    return ModelReplyError(f"{who}: unusable reply ({words})")


def told_by(error: Exception) -> str:
    """All that an error says, in one line. The client tells of a body only what is called its message."""
    body = getattr(error, "body", None)
    told = isinstance(body, dict) and isinstance(body.get("message"), str) and body["message"]
    more = "" if told or not body else body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return " ".join(f"{error} {more}".split())


def _of_status(error: openai.APIStatusError, who: str, words: str) -> ModelError | ConfigurationError:
    status = error.status_code
    if "insufficient_quota" in (error.code, error.type):
        return ConfigurationError(f"{who}: the account's quota is used up ({words}); add credit or set another model")
    if status in _WRONG_SETTING:
        return ConfigurationError(f"{who}: refused by the endpoint ({words}); see `ratchet doctor`")
    if status in _PASSING or status >= 500:
        wait = retry_after(error.response.headers)
        if wait > LONGEST_WAIT if wait is not None else status in _OVERLOADED and _LASTING.search(told_by(error)):
            return _lasting(who, words, wait)
        return _unavailable(who, words, overloaded=status in _OVERLOADED, retry_after=wait)
    return ModelError(f"{who}: request refused ({words})")


def _lasting(who: str, words: str, wait: float | None) -> ModelUnavailableError:
    when = "for a day or longer" if wait is None else f"for {duration(wait)}"
    return ModelUnavailableError(f"{who} will not answer {when} ({words}); wait, or set another model", lasting=True)


def _unavailable(who: str, words: str, *, overloaded: bool, retry_after: float | None = None) -> ModelUnavailableError:
    message = f"{who} does not answer ({words}); see `ratchet doctor`"
    return ModelUnavailableError(message, overloaded=overloaded, retry_after=retry_after)


def retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds to wait by ``Retry-After`` (seconds or a date, RFC 9110) or ``retry-after-ms``; None where unreadable."""
    seconds = _number(headers.get("retry-after-ms"))
    seconds = seconds / 1000 if seconds is not None else _number(headers.get("retry-after"))
    if seconds is None:
        seconds = _until(headers.get("retry-after", ""))
    return None if seconds is None else max(seconds, 0.0)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until(date: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return None
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
