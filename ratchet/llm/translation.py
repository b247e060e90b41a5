"""What an exception of the client means: one of Ratchet's errors, in one line, with what a further try has to know."""

import email.utils
import math
from datetime import UTC, datetime

import httpx2
import openai
from langchain_core.exceptions import ContextOverflowError

from ratchet.errors import ConfigurationError, ModelError, ModelReplyError, ModelUnavailableError

FAULTS = (openai.OpenAIError, TimeoutError, ValueError, TypeError, LookupError, AttributeError)
"""What the client raises where the endpoint fails; the built-in ones come from bodies of an unexpected form."""
LONGEST_RETRY_AFTER = 60.0
"""Seconds waited at most where the endpoint asks for more."""
_WRONG_SETTING = {401, 402, 403, 404}
_PASSING = {408, 409, 429}
_OVERLOADED = {408, 429, 503, 504, 529}


def translate(error: Exception, who: str) -> ModelError | ConfigurationError:
    """The error to raise for one of `FAULTS`; `who` names role and model."""
    words = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, who, words)
    if isinstance(error, ContextOverflowError):
        return ModelError(f"{who}: request refused ({words})")
    if isinstance(error, (openai.APIConnectionError, TimeoutError)):
        slow = isinstance(error, (openai.APITimeoutError, TimeoutError))
        return _unavailable(who, "Request timed out." if slow else words, overloaded=slow)
    return ModelReplyError(f"{who}: unusable reply ({words})")


def _of_status(error: openai.APIStatusError, who: str, words: str) -> ModelError | ConfigurationError:
    status = error.status_code
    if "insufficient_quota" in (error.code, error.type):
        return ConfigurationError(f"{who}: the account's quota is used up ({words}); add credit or set another model")
    if status in _WRONG_SETTING:
        return ConfigurationError(f"{who}: refused by the endpoint ({words}); see `ratchet doctor`")
    if status in _PASSING or status >= 500:
        wait = retry_after(error.response.headers)
        return _unavailable(who, words, overloaded=status in _OVERLOADED, retry_after=wait)
    return ModelError(f"{who}: request refused ({words})")


def _unavailable(who: str, words: str, *, overloaded: bool, retry_after: float | None = None) -> ModelUnavailableError:
    message = f"{who} does not answer ({words}); see `ratchet doctor`"
    return ModelUnavailableError(message, overloaded=overloaded, retry_after=retry_after)


def retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds to wait by ``Retry-After`` (seconds or a date, RFC 9110) or ``retry-after-ms``; None where unreadable."""
    seconds = _number(headers.get("retry-after-ms"))
    seconds = seconds / 1000 if seconds is not None else _number(headers.get("retry-after"))
    if seconds is None:
        seconds = _until(headers.get("retry-after", ""))
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


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
