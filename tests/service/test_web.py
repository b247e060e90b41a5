"""The application beside the server's own routes."""

import importlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ratchet import __version__
from service.web import app


def test_health_says_which_version_is_up() -> None:
    answer = TestClient(app, "http://localhost").get("/ratchet/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": __version__})


def test_recovery_begins_with_the_server_and_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []

    @asynccontextmanager
    async def recovery() -> AsyncIterator[None]:
        said.append("begun")
        yield
        said.append("ended")

    monkeypatch.setattr("service.recovery.recovery", recovery)
    with TestClient(app, "http://localhost") as client:
        assert client.get("/ratchet/health").status_code == 200
        assert said == ["begun"]
    assert said == ["begun", "ended"]


def test_server_is_told_of_this_application() -> None:
    config = json.loads((Path(__file__).parents[2] / "langgraph.json").read_text())
    module, name = config["http"]["app"].split(":")
    assert getattr(importlib.import_module(module), name) is app


def test_pages_of_others_do_not_reach_the_application() -> None:
    answer = TestClient(app, "http://localhost").get("/ratchet/health", headers={"origin": "http://shop.example"})
    assert answer.status_code == 403
