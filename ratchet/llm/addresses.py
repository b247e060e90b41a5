"""Address and key of an endpoint as people set them, checked before a client makes "Connection error" of a slip."""

import ipaddress

import httpx2

from ratchet.config.settings import Settings
from ratchet.errors import ConfigurationError
from ratchet.llm.embedded import Endpoint
from ratchet.llm.spec import ModelSpec

OPENAI = "https://api.openai.com/v1"
_CALLED = "/chat/completions"


def openai_endpoint(spec: ModelSpec, settings: Settings) -> Endpoint:
    """Where ``openai:NAME`` answers, by ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``.

    Raises:
        ConfigurationError: neither is set, or one cannot be meant as it stands.
    """
    if settings.openai_api_key is None and settings.openai_base_url is None:
        raise ConfigurationError(f"{spec}: set OPENAI_API_KEY, or OPENAI_BASE_URL for an endpoint of your own")
    address = settings.openai_base_url or OPENAI
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else "-"
    problem = address_problem(address) or key_problem(key)
    if problem:
        raise ConfigurationError(f"{spec}: {problem}")
    return Endpoint(address, key)


def address_problem(address: str) -> str | None:
    """What is wrong with an endpoint's address, and how it should look."""
    shown = f"OPENAI_BASE_URL is {address!r}"
    if address != "".join(address.split()):
        return f"{shown}: white space is no part of an address, take it out"
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL as error:
        return f"{shown}: no address ({error}); it looks like http://127.0.0.1:11434/v1"
    if url.scheme not in ("http", "https") or not url.host:
        return f"{shown}: it has to begin with http:// or https:// and a host, as in http://127.0.0.1:11434/v1"
    if url.path.rstrip("/").endswith(_CALLED):
        return f"{shown}: leave out {_CALLED}, which is added to it"
    return None


def key_problem(key: str) -> str | None:
    """Why a key cannot be sent, without showing it: it goes into a header, which holds printable ASCII only."""
    if key != key.strip():
        return "OPENAI_API_KEY begins or ends with white space or a line end; set it without"
    if len(key) > 1 and key[0] == key[-1] and key[0] in "\"'":
        return "OPENAI_API_KEY stands in quotes that are part of it; set it without"
    for place, character in enumerate(key, start=1):
        if not "!" <= character <= "~":
            return (
                f"OPENAI_API_KEY has {character!r} at place {place}, which no key holds; copy it again, without quotes"
            )
    return None


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine by its own words."""
    host = httpx2.URL(address).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
