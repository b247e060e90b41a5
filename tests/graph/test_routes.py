from typing import Any, get_args, get_type_hints

import pytest

import nodes
from graph import routes

ROUTES: list[tuple[str, dict[str, Any], str]] = [
    ("route_after_evaluate", {"evaluation": {"passed": False}}, "log_failure"),
    ("route_after_evaluate", {"evaluation": {"passed": True}}, "__end__"),
    ("route_after_evaluate", {"evaluation": {"passed": None}}, "__end__"),
    ("route_after_evaluate", {}, "__end__"),
    ("route_after_evaluate_in_agent", {"evaluation": {"passed": False}, "proposal": {"id": "P"}}, "log_failure"),
    ("route_after_evaluate_in_agent", {"evaluation": {"passed": True}, "proposal": {"id": "P"}}, "request_approval"),
    ("route_after_evaluate_in_agent", {"evaluation": {"passed": None}, "proposal": None}, "__end__"),
    ("route_after_diagnose", {"diagnosis": {"category": "prompt"}}, "propose_variants"),
    ("route_after_diagnose", {"diagnosis": {"category": "capability"}, "hint": "say it"}, "propose_variants"),
    ("route_after_diagnose", {"diagnosis": {"category": "unstable"}, "hint": "say it"}, "propose_variants"),
    ("route_after_diagnose", {"diagnosis": {"category": "context"}, "hint": "say it"}, "repair_context"),
    ("route_after_diagnose", {"outcome": {"status": "waiting"}, "proposal": {"id": "P"}}, "request_approval"),
    ("route_after_diagnose", {"outcome": {"status": "escalated"}, "proposal": {"id": "P"}}, "escalate"),
    ("route_after_diagnose", {"diagnosis": {"category": "context"}}, "repair_context"),
    ("route_after_diagnose", {"diagnosis": {"category": "capability"}}, "escalate"),
    ("route_after_diagnose", {"diagnosis": {"category": "unstable"}}, "escalate"),
    ("route_after_diagnose", {"outcome": {"status": "escalated"}}, "escalate"),
    ("route_after_diagnose", {"outcome": {"status": "waiting"}}, "__end__"),
    ("route_after_diagnose", {"outcome": {"status": "nothing_to_do"}}, "__end__"),
    ("route_after_proposing", {"candidates": []}, "validate"),
    ("route_after_proposing", {"outcome": {"status": "escalated"}}, "escalate"),
    ("route_after_validate", {"decision": None}, "request_approval"),
    ("route_after_validate", {"decision": {"type": "edit"}}, "apply_change"),
    ("route_after_validate", {"outcome": {"status": "inconclusive"}}, "escalate"),
    ("route_after_validate", {"problem": "not proven", "decision": None}, "request_approval"),
    ("route_after_request_approval", {"decision": {"type": "approve"}}, "apply_change"),
    ("route_after_request_approval", {"decision": {"type": "edit"}}, "validate"),
    ("route_after_request_approval", {"decision": None, "problem": "no such form"}, "request_approval"),
    ("route_after_request_approval", {"decision": {"type": "reject"}}, "propose_variants"),
    (
        "route_after_request_approval",
        {"decision": {"type": "reject"}, "outcome": {"status": "rejected"}},
        "__end__",
    ),
    (
        "route_after_request_approval",
        {"decision": {"type": "approve"}, "outcome": {"status": "conflict"}},
        "__end__",
    ),
]


@pytest.mark.parametrize(("router", "state", "target"), ROUTES)
def test_route(router: str, state: Any, target: str) -> None:
    assert getattr(routes, router)(state) == target


@pytest.mark.parametrize("name", [name for name in dir(routes) if name.startswith("route_after")])
def test_router_names_all_its_targets(name: str) -> None:
    """LangGraph draws and checks a router's targets from its return type."""
    targets = set(get_args(get_type_hints(getattr(routes, name))["return"]))

    assert targets <= {*nodes.__all__, "__end__"}
    assert targets == {target for router, _, target in ROUTES if router == name}
