"""`ratchet improve`: what a person is shown of a cycle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Done

Ratchet = Callable[..., Done]


@pytest.fixture(autouse=True)
def _one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_MIN_SOURCES", "1")


def test_improve_shows_the_whole_cycle_and_the_next_commands(ratchet: Ratchet) -> None:
    done = ratchet("improve", "desk")

    assert (done.code, done.err) == (0, "")
    (item,) = ratchet("inbox", "--json").json["items"]
    for words in ("Cause: context", "+[context] handbook", "Held-out cases", "Candidates", "Spent: "):
        assert words in done.out
    assert f"next: ratchet approve {item['id']}" in done.out


def test_improve_shows_a_cycle_that_waits_already_with_what_it_cost(ratchet: Ratchet) -> None:
    cycle = ratchet("improve", "desk", "--json").json

    done = ratchet("improve", "desk")

    assert done.code == 0
    assert f"Spent: {cycle['calls']} model calls" in done.out
    assert "this change waits for an answer" in done.out


def test_improve_shows_why_nothing_could_be_changed(ratchet: Ratchet) -> None:
    ratchet("run", "desk", "What is the price of the repair?", "--expected", "free of charge")

    done = ratchet("improve", "desk")

    assert done.code == 0
    (item,) = ratchet("inbox", "--json").json["items"]
    assert "Cause: capability" in done.out
    assert f"next: ratchet show {item['id']}" in done.out


def test_improve_without_a_cycle_is_one_line(ratchet: Ratchet) -> None:
    done = ratchet("improve", "desk", "--no-collect")

    assert done.code == 0
    assert done.out.startswith("nothing_to_do: ")
    assert "Spent" not in done.out


def test_endpoint_that_is_down_is_told_and_the_cycle_goes_on_later(
    ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    ratchet("run", "desk", "What is the price of item001?", "--expected", "101 coins")
    monkeypatch.setenv("RATCHET_AGENT_MODEL", "openai:x")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RATCHET_RETRIES", "0")

    down = ratchet("improve", "desk")

    assert down.code == 2
    assert "does not answer" in down.err
    monkeypatch.setenv("RATCHET_AGENT_MODEL", environment["RATCHET_AGENT_MODEL"])
    assert ratchet("improve", "desk", "--json").json["status"] == "awaiting_approval"


def test_budget_of_zero_escalates_and_says_so(ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    ratchet("run", "desk", "What is the price of item001?", "--expected", "101 coins")
    monkeypatch.setenv("RATCHET_MAX_CALLS", "0")

    done = ratchet("improve", "desk", "--json")

    assert (done.json["status"], done.json["calls"]) == ("escalated", 0)
    assert "RATCHET_MAX_CALLS" in done.json["message"]


ROLES_OF_MODELS = """
from ratchet.llm import Fault

def refusing(messages, request):
    return Fault(400, body='{"error": {"message": "colour is not for you"}}')
"""


@pytest.mark.parametrize("role", ["analyst", "optimizer"])
@pytest.mark.parametrize("helped", [True, False])
def test_role_that_never_answers_is_named_in_the_report_and_the_inbox(
    project: Path, ratchet: Ratchet, monkeypatch: pytest.MonkeyPatch, write_script: Any, role: str, helped: bool
) -> None:
    (project / "desk_roles.py").write_text(ROLES_OF_MODELS)
    monkeypatch.setenv(f"RATCHET_{role.upper()}_MODEL", "scripted:desk_roles:refusing")
    write_script(
        [{"match": "Say which one of these", "reply": {"category": "prompt", "missing": "", "explanation": ""}}]
    )
    if not helped:
        write_script([{"match": "^What is the price", "reply": "I do not know."}])
    cycle = ratchet("improve", "desk", "--json").json

    (item,) = ratchet("inbox", "--json").json["items"]
    asked = role == "analyst" or not helped  # where a document helps nobody asks for wording
    assert [line.split(" gave")[0] for line in item["silent_roles"]] == ([f"the {role} model"] if asked else [])
    for told in (item["message"], ratchet("show", item["id"]).out, ratchet("inbox").out):
        words = " ".join(told.split())
        assert (f"{role} model" in words and "colour is not for you" in words) == asked
    assert ("colour is not for you" in cycle["message"]) == (asked and not helped)
