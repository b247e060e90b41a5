import importlib
from pathlib import Path
from typing import Any

import pytest

from graph import compile_graph
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
