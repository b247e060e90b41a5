import importlib
from pathlib import Path
from typing import Any

import pytest

from graph import compile_graph, routes
from ratchet.engine import Engine

SNAPSHOTS = Path(__file__).parent / "snapshots"
NODES = {
    "serve": {"execute", "evaluate", "log_failure"},
    "improve": {
        "diagnose", "propose_variants", "repair_context", "validate", "request_approval", "apply_change", "escalate",
    },
}  # fmt: skip
NODES["agent"] = NODES["serve"] | NODES["improve"]


@pytest.mark.parametrize("name", ["agent", "serve", "improve"])
def test_graph_has_the_picture_of_its_snapshot(name: str) -> None:
    drawn = importlib.import_module(f"graph.{name}").graph.get_graph().draw_mermaid()
    assert drawn == (SNAPSHOTS / f"{name}.mmd").read_text(encoding="utf-8")


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["agent", "serve", "improve"])
async def test_graph_has_the_nodes_of_the_contract(name: Any, engine: Engine) -> None:
    compiled = compile_graph(name, engine)
    assert set(compiled.nodes) - {"__start__"} == NODES[name]
    assert compiled.name == name


@pytest.mark.parametrize(
    ("router", "state", "target"),
    [
        ("route_after_evaluate", {"evaluation": {"passed": False}}, "log_failure"),
        ("route_after_evaluate", {"evaluation": {"passed": True}}, "__end__"),
        ("route_after_evaluate", {"evaluation": {"passed": None}}, "__end__"),
        ("route_after_evaluate", {}, "__end__"),
        ("route_after_diagnose", {"diagnosis": {"category": "prompt"}}, "propose_variants"),
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
    ],
)
def test_route(router: str, state: Any, target: str) -> None:
    assert getattr(routes, router)(state) == target
