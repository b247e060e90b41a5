import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from benchmarks.peer_systems.jobs import permute, tickets_job
from benchmarks.peer_systems.server import Call, CountingServer, count, simulate
from benchmarks.peer_systems.simulated import improve, learnt, reply, rule
from benchmarks.peer_systems.tickets import KINDS, NAIVE, Ticket, tickets
from prompts import render

RULES = "\n".join(rule(kind.word, kind.queue) for kind in KINDS)
HARBOUR = "Hello, the parcel has not arrived. Thank you in advance."


def asked(prompt: str, text: str, *turns: tuple[str, str], **more: Any) -> str:
    shown = [
        {"role": role, "content": content}
        for turn in turns
        for role, content in zip(("user", "assistant"), turn, strict=True)
    ]
    messages = [{"role": "system", "content": prompt}, *shown, {"role": "user", "content": text}]
    return reply({"messages": messages, **more})


def rate(prompt: str, items: list[Ticket]) -> float:
    return sum(asked(prompt, item.input) == item.expected for item in items) / len(items)


@pytest.fixture
def server() -> Iterator[CountingServer]:
    running = CountingServer(simulate)
    yield running
    running.close()


@pytest.mark.parametrize("kinds", [4, 8])
def test_naive_prompt_is_right_on_a_quarter_and_rules_on_all(kinds: int) -> None:
    splits = tickets(kinds)

    assert {split: len(items) for split, items in splits.items()} == {"train": 20, "validation": 20, "test": 40}
    assert len({item.input for items in splits.values() for item in items}) == 80
    for items in splits.values():
        assert rate(NAIVE, items) == 0.25
        assert rate(RULES, items) == 1.0


def test_model_follows_the_last_shown_answer_to_a_ticket_of_the_same_kind() -> None:
    early, late = ("tracking has shown no movement for days", "one"), ("the box came crushed and wet", "two")

    assert asked(NAIVE, HARBOUR, early, late, ("my password is rejected", "three")) == "two"
    assert asked(NAIVE, HARBOUR, ("my password is rejected", "three")) == "delivery"


def test_author_learns_the_feedback_that_follows_an_answer() -> None:
    shown = f"{HARBOUR}\nOutput: delivery\nWrong: correct: is not 'harbour'\n\nInput: my password is rejected\nfine"

    assert learnt(shown) == {"delivery": "harbour"}
    assert improve(NAIVE, shown) == f"{NAIVE}\n{rule('delivery', 'harbour')}"
    assert learnt("{'ticket': 'I was charged twice for one order', 'queue': 'ledger'}") == {"billing": "ledger"}


def test_author_answers_our_own_requests_with_instructions_only() -> None:
    failures = f"Input: {HARBOUR}\nOutput: delivery\nWrong: correct: is not 'harbour'"
    values = {"mark": "data-1", "prompt": NAIVE, "feedback": "nothing"}
    rewrite = render("rewrite", **values, keep="none", rules="none", diagnosis="-", failures=failures)
    edit = render("minimal_edit", **values, problems="correct")

    assert reply({"messages": [{"role": "user", "content": rewrite}]}) == improve(NAIVE, failures)
    assert len(reply({"messages": [{"role": "user", "content": edit}]}).splitlines()) == 1


def test_form_of_the_reply_follows_the_request() -> None:
    system = "Your output fields are:\n1. `queue` (str):\nAll interactions will be structured\n[[ ## queue ## ]]"
    schema = {"type": "json_schema", "json_schema": {"schema": {"properties": {"category": {}, "missing": {}}}}}

    assert asked(system, f"[[ ## ticket ## ]]\n{HARBOUR}").startswith("[[ ## queue ## ]]\ndelivery\n")
    assert json.loads(asked("-", "-", response_format=schema)) == {"category": "prompt", "missing": ""}
    fenced = reply(
        {"messages": [{"role": "user", "content": "```\nOld.\n```\nWrite a new instruction within ``` blocks."}]}
    )
    assert fenced == "```\nOld.\n```"


def test_calls_are_counted_for_each_run_apart(server: CountingServer) -> None:
    body = {"model": "m", "messages": [{"role": "system", "content": NAIVE}, {"role": "user", "content": HARBOUR}]}

    answered = httpx2.post(server.url("one") + "/chat/completions", json=body).json()

    assert answered["choices"][0]["message"]["content"] == "delivery"
    assert (server.calls_of("one").calls, server.calls_of("two").calls) == (1, 0)
    assert server.calls_of("one").seconds >= 0.05
    server.reset("one")
    assert server.calls_of("one").calls == 0


def test_count_tells_waves_from_calls_at_the_same_time() -> None:
    counted = count([Call(0.0, 1.0, ""), Call(0.5, 2.0, ""), Call(3.0, 4.0, "")])

    assert counted._asdict() == {"calls": 3, "seconds": 4.0, "idle": 1.0, "in_flight": 2, "waves": 2}


def test_permuted_job_keeps_every_item_in_its_split() -> None:
    job = tickets_job(4)
    other = permute(job, 1)

    assert other["train"] != job["train"]
    for split in ("train", "validation"):
        assert sorted(map(str, other[split])) == sorted(map(str, job[split]))
    assert other["test"] == job["test"]
