"""What a browser sends on behalf of other people's pages, and what the server's own callers send."""

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from service.foreign_pages import RefuseForeignPages

JSON = {"content-type": "application/json"}


async def take(_request: Request) -> JSONResponse:
    return JSONResponse({"taken": True})


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def client(base: str = "http://127.0.0.1:2024") -> TestClient:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    routes = [Route("/threads", take, methods=methods), WebSocketRoute("/events", talk)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(RefuseForeignPages)]), base)


@pytest.mark.parametrize(
    "origin",
    [
        "http://shop.example",
        "https://smith.langchain.com.shop.example",
        "http://smith.langchain.com",
        "http://127.0.0.1:8000",
        "http://localhost:2024",
        "null",
        "",
        "file://",
        "chrome-extension://abcdef",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_pages_of_others_are_refused_whatever_they_send(method: str, origin: str) -> None:
    answer = client().request(method, "/threads", headers=JSON | {"origin": origin}, content=b"{}")
    assert answer.status_code == 403
    assert "RATCHET_ALLOWED_ORIGINS" in answer.json()["detail"]


@pytest.mark.parametrize(
    "host", ["shop.example", "shop.example:2024", "localhost.shop.example", "127.0.0.1.shop.example:2024", "", ":2024"]
)
def test_another_name_for_this_machine_is_refused(host: str) -> None:
    answer = client().get("/threads", headers={"host": host})
    assert answer.status_code == 421
    assert "RATCHET_ALLOWED_HOSTS" in answer.json()["detail"]
    own = client().get("/threads", headers={"host": host, "origin": f"http://{host}"})
    assert own.status_code == 421


@pytest.mark.parametrize(
    "kind", ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_body_that_needs_no_permission_of_the_browser_is_refused(method: str, kind: str) -> None:
    answer = client().request(method, "/threads", headers={"content-type": kind}, content=b'{"input": {}}')
    assert (answer.status_code, answer.json()) == (415, {"detail": "send the body as content-type application/json"})
    chunks = client().request(method, "/threads", headers={"content-type": kind}, content=iter([b"{", b"}"]))
    assert chunks.status_code == 415


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"]
)
def test_json_is_taken(kind: str) -> None:
    assert client().post("/threads", headers={"content-type": kind}, content=b"{}").json() == {"taken": True}


@pytest.mark.parametrize(
    "base",
    ["http://127.0.0.1:2024", "http://localhost:2024", "http://[::1]:2024", "http://192.168.1.7:2024", "http://api"],
)
def test_callers_of_this_machine_and_the_servers_own_client_are_served(base: str) -> None:
    for headers in ({}, {"origin": base}, {"origin": "https://smith.langchain.com"}):
        assert client(base).post("/threads", headers=JSON | headers, content=b"{}").status_code == 200
        assert client(base).post("/threads", headers=headers).status_code == 200
    preflight = {"origin": "https://smith.langchain.com", "access-control-request-method": "POST"}
    assert client(base).options("/threads", headers=preflight).status_code == 200


def test_names_and_origins_of_ones_own_can_be_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    headers = JSON | {"origin": "https://Reviews.example:8443"}
    assert client("https://ratchet.example").get("/threads").status_code == 421
    assert client().post("/threads", headers=headers, content=b"{}").status_code == 403

    (tmp_path / ".env").write_text("RATCHET_ALLOWED_HOSTS=other.example, Ratchet.example\n")
    monkeypatch.setenv("RATCHET_ALLOWED_ORIGINS", "https://reviews.example:8443")
    assert client("https://ratchet.example").get("/threads").status_code == 200
    assert client("https://ratchet.example:9000").get("/threads").status_code == 200
    assert client("https://ratchet.example").post("/threads", headers=headers, content=b"{}").status_code == 200
    assert client("https://deep.ratchet.example").get("/threads").status_code == 421


def test_settings_that_are_wrong_allow_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_ALLOWED_HOSTS", "ratchet.example")
    monkeypatch.setenv("RATCHET_TIMEOUT", "soon")
    assert client("https://ratchet.example").get("/threads").status_code == 421
    assert client().get("/threads").status_code == 200


@pytest.mark.parametrize("headers", [{"origin": "http://shop.example"}, {"host": "shop.example"}])
def test_web_socket_of_another_page_is_closed_before_it_is_open(headers: dict[str, Any]) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client().websocket_connect("ws://localhost/events", headers=headers),
    ):
        raise AssertionError("it was opened")
    assert closed.value.code == 1008
    with client().websocket_connect(
        "ws://localhost/events", headers={"origin": "https://smith.langchain.com"}
    ) as socket:
        assert socket.receive_text() == "hello"
