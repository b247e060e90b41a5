from typing import Any

import pytest
from chat_server import ChatServer, OpenModels

from ratchet.errors import ConfigurationError
from ratchet.llm.addresses import address_problem, is_loopback, key_problem

pytestmark = pytest.mark.anyio
ASKED: list[Any] = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("sk-abc\n", "begins or ends with white space or a line end"),
        (" sk-abc", "begins or ends with white space or a line end"),
        ("“sk-abc”", "has '“' at place 1"),
        ("sk-“abc”", "has '“' at place 4"),
        ("sk-ab\u200bc", r"has '\\u200b' at place 6"),
        ("sk ab", "has ' ' at place 3"),
        ("'sk-abc'", "stands in quotes"),
        ('"sk-abc"', "stands in quotes"),
    ],
)
async def test_key_that_cannot_be_sent_is_told_and_never_shown(
    server: ChatServer, open_models: OpenModels, key: str, told: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"openai:m: OPENAI_API_KEY {told}") as caught:
        await open_models(openai_api_key=key).reply("agent", ASKED)
    assert "abc" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert server.calls == 0


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1:8000/v1", "begin with http://"),
        ("localhost:8000/v1", "begin with http://"),
        ("ftp://host/v1", "begin with http://"),
        ("http://", "begin with http://"),
        ("/v1", "begin with http://"),
        ("http://host/v1 ", "white space"),
        ("http://ho st/v1", "white space"),
        ("http://host/v1/chat/completions", "leave out /chat/completions"),
        ("http://host/v1/chat/completions/", "leave out /chat/completions"),
        ("http://host:port/v1", "no address"),
    ],
)
async def test_address_that_cannot_be_meant_is_told(open_models: OpenModels, address: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"openai:m: OPENAI_BASE_URL is '.*{told}"):
        await open_models(openai_base_url=address).reply("agent", ASKED)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/v1", "https://api.openai.com/v1", "http://[::1]:8000", "http://ollama/"]
)
def test_address_that_can_be_meant_has_no_problem(address: str) -> None:
    assert address_problem(address) is None


def test_key_as_they_are_has_no_problem() -> None:
    assert key_problem("sk-proj-A_b1.2~3=") is None


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.8.0.1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://me.localhost/v1", True),
        ("http://10.0.0.1/v1", False),
        ("https://api.openai.com/v1", False),
        ("http://localhost.example.org/v1", False),
    ],
)
def test_loopback_is_told_by_the_address(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback
