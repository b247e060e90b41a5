import email.utils
import time
from typing import Any

import httpx2
import openai
import pytest
from langchain_core.exceptions import ContextOverflowError

from ratchet.errors import ConfigurationError, ModelError, ModelReplyError, ModelUnavailableError
from ratchet.llm.translation import retry_after, told_by, translate

REQUEST = httpx2.Request("POST", "http://model.invalid/v1")


class TooLongError(openai.APIError, ContextOverflowError):
    """As the client raises it for some endpoints."""


def of_status(status: int, headers: dict[str, str] | None = None, body: Any = None) -> openai.APIStatusError:
    response = httpx2.Response(status, headers=headers or {}, request=REQUEST)
    return openai.APIStatusError("words of\nthe endpoint", response=response, body=body)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "3600"}, 3600.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "9", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "9", "retry-after-ms": "x"}, 9.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 99 Dec 2026 23:59:59 GMT"}, None),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(httpx2.Headers(headers)) == seconds


@pytest.mark.parametrize("in_gmt", [True, False])
def test_retry_after_may_be_a_date(in_gmt: bool) -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=in_gmt)
    assert 25 < (retry_after(httpx2.Headers({"retry-after": date})) or 0) <= 30


@pytest.mark.parametrize(
    ("status", "overloaded"),
    [(408, True), (409, False), (429, True), (500, False), (502, False), (503, True), (504, True), (529, True)],
)
def test_passing_status_says_whether_the_endpoint_is_overloaded(status: int, overloaded: bool) -> None:
    error = translate(of_status(status, {"retry-after": "7"}), "agent model m")
    assert isinstance(error, ModelUnavailableError)
    assert (error.overloaded, error.retry_after) == (overloaded, 7.0)
    assert str(error) == "agent model m does not answer (words of the endpoint); see `ratchet doctor`"


@pytest.mark.parametrize(
    ("error", "overloaded"),
    [
        (openai.APITimeoutError(REQUEST), True),
        (TimeoutError(), True),
        (openai.APIConnectionError(request=REQUEST), False),
    ],
)
def test_timeout_counts_as_overload_and_a_refused_connection_does_not(error: Exception, overloaded: bool) -> None:
    found = translate(error, "agent model m")
    assert isinstance(found, ModelUnavailableError)
    assert (found.overloaded, found.retry_after) == (overloaded, None)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": "words of the endpoint"}, "words of the endpoint"),
        ("no model loaded", "words of the endpoint no model loaded"),
        ({"detail": ["no such field"]}, 'words of the endpoint {"detail": ["no such field"]}'),
        (None, "words of the endpoint"),
    ],
)
def test_all_that_the_endpoint_says_is_told(body: Any, told: str) -> None:
    assert told_by(of_status(422, body=body)) == told
    assert told in str(translate(of_status(422, body=body), "agent model m"))


@pytest.mark.parametrize("field", ["code", "type"])
def test_used_up_quota_is_a_matter_of_configuration(field: str) -> None:
    assert type(translate(of_status(429, body={field: "insufficient_quota"}), "m")) is ConfigurationError
    assert type(translate(of_status(429, body={field: "rate_limit_exceeded"}), "m")) is ModelUnavailableError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (of_status(400), ModelError),
        (of_status(422), ModelError),
        (TooLongError("too long", REQUEST, body=None), ModelError),
        (of_status(402), ConfigurationError),
        (ValueError("no JSON"), ModelReplyError),
        (KeyError("choices"), ModelReplyError),
        (openai.OpenAIError(), ModelReplyError),
    ],
)
def test_kind_of_error(error: Exception, kind: type[Exception]) -> None:
    assert type(translate(error, "m")) is kind
