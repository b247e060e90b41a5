from typing import Any

import pytest
from chat_server import ChatServer, OpenModels
from shop import Project

from ratchet.errors import ConfigurationError
from ratchet.llm import ModelSpec
from ratchet.llm.embedded import SLOTS
from ratchet.llm.opening import limiter_for

pytestmark = pytest.mark.anyio
ASKED: list[Any] = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("spec", "concurrency", "limit"),
    [
        (ModelSpec("local", ""), 32, SLOTS),
        (ModelSpec("local", ""), 2, 2),
        (ModelSpec("scripted", "m:f"), 32, 32),
        (ModelSpec("openai", "m"), 32, 32),
        (ModelSpec("openai", "m"), 2, 2),
    ],
)
async def test_limit_at_first_fits_the_model(spec: ModelSpec, concurrency: int, limit: int) -> None:
    assert limiter_for(spec, concurrency).limit == limit


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_endpoint_on_this_machine_is_reached_whatever_the_proxy(
    server: ChatServer, open_models: OpenModels, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await open_models().reply("agent", ASKED)).text == "hi"


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, r"run pip install 'httpx2\[socks\]', or unset ALL_PROXY"),
        ({"SSL_CERT_FILE": "/nonexistent.pem"}, "SSL_CERT_FILE has to name a file of certificates"),
        ({"SSL_CERT_FILE": __file__}, "SSL_CERT_FILE has to name a file of certificates"),
        ({"HTTPS_PROXY": "ftp://127.0.0.1"}, "look at HTTP_PROXY, HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://[::"}, "look at HTTP_PROXY, HTTPS_PROXY"),
        ({"OPENAI_PROXY": "http://127.0.0.1:9"}, "look at HTTP_PROXY, HTTPS_PROXY.* OPENAI_PROXY"),
    ],
)
async def test_environment_without_a_client_is_told_in_a_line(
    open_models: OpenModels, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], told: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"openai:m: no client can be opened here \(.*{told}") as caught:
        await open_models(openai_base_url="https://model.invalid/v1").reply("agent", ASKED)
    assert "\n" not in str(caught.value)


async def test_scripts_need_no_proxy_and_no_certificates(
    project: Project, open_models: OpenModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.script("judge", "fine")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert (await open_models().reply("judge", ASKED)).text == "fine"
