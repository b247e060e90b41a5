"""One improvement cycle over a group of stored failures."""

from typing import Any

from langgraph.graph import END, START, StateGraph

import nodes
from graph import routes
from graph.binding import EngineProvider, bind, process_engine
from nodes.state import ImproveInput, Output, State


def add_cycle(builder: StateGraph[State, None, Any, Output], engine: EngineProvider) -> None:
    """Add the nodes of a cycle, from the diagnosis to the applied change."""
    builder.add_node("diagnose", bind(nodes.diagnose, engine))
    builder.add_node("propose_variants", bind(nodes.propose_variants, engine))
    builder.add_node("repair_context", bind(nodes.repair_context, engine))
    builder.add_node("validate", bind(nodes.validate, engine))
    builder.add_node("request_approval", bind(nodes.request_approval, engine))
    builder.add_node("apply_change", bind(nodes.apply_change, engine))
    builder.add_node("escalate", bind(nodes.escalate, engine))
    builder.add_conditional_edges("diagnose", routes.route_after_diagnose)
    builder.add_conditional_edges("propose_variants", routes.route_after_proposing)
    builder.add_conditional_edges("repair_context", routes.route_after_proposing)
    builder.add_conditional_edges("validate", routes.route_after_validate)
    builder.add_conditional_edges("request_approval", routes.route_after_request_approval)
    builder.add_edge("apply_change", END)
    builder.add_edge("escalate", END)


def build_improve(engine: EngineProvider) -> StateGraph[State, None, ImproveInput, Output]:
    """Diagnose -> propose_variants | repair_context -> validate -> request_approval -> apply_change."""
    builder = StateGraph(State, input_schema=ImproveInput, output_schema=Output)
    add_cycle(builder, engine)
    builder.add_edge(START, "diagnose")
    return builder


graph = build_improve(process_engine).compile(name="improve")
