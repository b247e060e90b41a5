import re
from typing import Any

import pytest
from chat_server import completion
from shop import SCRIPTS, TASK, OpenEngine, Project, shop_items

from ratchet.config.settings import ROLES
from ratchet.engine import Engine
from ratchet.llm import Fault, ModelSpec
from ratchet.role_check import RoleCheck, RoleFinding

pytestmark = pytest.mark.anyio
JUDGED = f"""{TASK}
[[criteria]]
name = "kind"
kind = "judge"
question = "Is it kind?"
"""
CUT_OFF = Fault(200, body=completion("As far as", "length"))


async def check(engine: Engine, role: str, *tasks: str) -> RoleFinding:
    checking = RoleCheck(engine.settings, [await engine.workbench(name) for name in tasks])
    try:
        return await checking.check(role)
    finally:
        await checking.close()


@pytest.fixture
def answering(project: Project) -> Project:
    """Models that answer every role's request."""
    project.script("agent", "bin00x")
    project.script("judge", {"reason": "it is", "verdict": True})
    project.script("analyst", {"category": "prompt", "missing": "", "explanation": "too long"})
    edit = {"number": 1, "sentence": "Be brief."}
    project.script("optimizer", lambda messages, request: edit if "response_format" in request else "Be brief.")
    project.write_task(toml=JUDGED, cases=shop_items())
    project.write_prompts({"shop": "Answer the question. Be polite."})
    return project


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("tasks", [(), ("shop",)])
async def test_role_that_answers_its_request_is_ok(
    answering: Project, engine: Engine, role: str, tasks: tuple[str, ...]
) -> None:
    found = await check(engine, role, *tasks)
    assert found.state == "ok"
    assert found.text.startswith(f"scripted:scripts_of_this_test:{role} answers in ")


async def test_requests_are_those_that_the_roles_make(answering: Project, engine: Engine) -> None:
    answering.write_task(toml=f"{JUDGED}\n[agent]\nmax_tokens = 33\ntemperature = 0.4\n", cases=shop_items())
    scripts = {role: vars(answering._scripts)[role] for role in ROLES}
    for role in ROLES:
        assert (await check(engine, role, "shop")).state == "ok"
    sent = {
        role: [
            (body.get("max_completion_tokens"), body.get("temperature"), "response_format" in body)
            for body in scripts[role].requests
        ]
        for role in ROLES
    }
    assert sent == {
        "agent": [(33, 0.4, False)],
        "judge": [(200, 0.0, True)],
        "analyst": [(200, 0.0, True)],
        "optimizer": [(140, 0.7, False), (120, 0.0, True)],
    }
    assert scripts["agent"].calls[0][0]["content"].startswith("RULES")
    assert "Is it kind?" in scripts["judge"].seen
    assert "held-out" not in scripts["optimizer"].seen
    assert not any("item01 " in script.seen for script in scripts.values())


async def test_check_always_asks_and_keeps_nothing(answering: Project, engine: Engine) -> None:
    agent = answering.script("agent", "bin00x")
    for _ in range(2):
        await check(engine, "agent", "shop")
    assert len(agent.calls) == 2
    assert await engine.store.replies.count() == 0


@pytest.mark.parametrize(
    ("role", "reply", "state", "told"),
    [
        ("agent", Fault(400), "error", "request refused .*; set RATCHET_AGENT_MODEL to a model that answers"),
        ("agent", Fault(401), "error", "look at OPENAI_API_KEY, OPENAI_BASE_URL and RATCHET_AGENT_MODEL"),
        ("agent", Fault(503), "error", "start the endpoint, or look at OPENAI_BASE_URL, RATCHET_TIMEOUT and RATCHET_"),
        (
            "agent",
            CUT_OFF,
            "warning",
            r"cut off at max_tokens: raise it under \[agent\] of task shop, or RATCHET_AGENT",
        ),
        ("agent", Fault(200, body=completion(None, refusal="No.")), "warning", "not on 'Where is item00 kept.*refused"),
        ("agent", "", "warning", "says nothing to 'Where is item00 kept"),
        ("judge", "It is kind.", "error", "is no Judgement.*; set RATCHET_JUDGE_MODEL to a model that answers such"),
        ("judge", CUT_OFF, "error", "raise RATCHET_JUDGE_MAX_TOKENS, or set RATCHET_JUDGE_MODEL to another model"),
        ("analyst", "It is short.", "warning", "is no AnalystAnswer.*; set RATCHET_ANALYST_MODEL"),
        ("analyst", Fault(503), "error", "RATCHET_ANALYST_MODEL"),
        ("optimizer", Fault(400), "error", "set RATCHET_OPTIMIZER_MODEL"),
        ("optimizer", CUT_OFF, "error", "raise RATCHET_OPTIMIZER_MAX_TOKENS"),
        ("optimizer", "Be brief.", "warning", "but not in the form of an edit"),
    ],
)
async def test_what_to_set_is_said_where_a_role_does_not_answer(
    answering: Project, engine: Engine, role: str, reply: Any, state: str, told: str
) -> None:
    answering.script(role, reply)
    found = await check(engine, role, "shop")
    assert found.state == state
    assert re.search(told, found.text)
    assert "\n" not in found.text
    assert "ratchet doctor" not in found.text


async def test_judge_that_no_criterion_asks_is_only_warned_of(answering: Project, engine: Engine) -> None:
    answering.write_task(cases=shop_items())
    answering.script("judge", "It is kind.")
    assert (await check(engine, "judge", "shop")).state == "warning"


@pytest.mark.parametrize(("toml", "asked"), [(TASK, "agent"), (JUDGED, "agent judge")])
async def test_packaged_model_is_asked_in_full_only_for_what_depends_on_it(
    answering: Project, open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch, toml: str, asked: str
) -> None:
    answering.write_task(toml=toml, cases=shop_items())
    script = answering.script("agent", {"reason": "it is", "verdict": True})
    monkeypatch.setattr("ratchet.role_check.PACKAGED", ModelSpec("scripted", f"{SCRIPTS}:agent"))
    model = f"scripted:{SCRIPTS}:agent"
    engine = await open_engine(judge_model=model, analyst_model=model, optimizer_model=model)
    full = []
    for role in ROLES:
        script.calls.clear()
        assert (await check(engine, role, "shop")).state == "ok"
        full += [role] if script.calls[0][-1]["content"] != "Say OK." else []
    assert full == asked.split()


async def test_agent_is_asked_once_for_each_limit_and_temperature(answering: Project, engine: Engine) -> None:
    for name, limit in (("one", 5), ("two", 5), ("three", 7)):
        toml = JUDGED.replace('["shop"]', f'["{name}"]') + f"\n[agent]\nmax_tokens = {limit}\n"
        answering.write_task(name, toml=toml, cases=shop_items(), documents={"a.md": "The item00 is in bin00x."})
    answering.write_prompts(dict.fromkeys(("shop", "one", "two", "three"), "Answer the question."))
    agent = answering.script("agent", "bin00x")
    assert (await check(engine, "agent", "one", "two", "three")).state == "ok"
    assert sorted(body["max_completion_tokens"] for body in agent.requests) == [5, 7]
