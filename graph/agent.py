"""The whole loop in one graph."""

from langgraph.graph import StateGraph

from graph import routes
from graph.binding import EngineProvider, process_engine
from graph.improve import add_cycle
from graph.serve import add_serving
from nodes.state import AgentInput, Output, State


def build_agent(engine: EngineProvider) -> StateGraph[State, None, AgentInput, Output]:
    """Execute -> evaluate -> log_failure -> diagnose -> ... -> apply_change."""
    builder = StateGraph(State, input_schema=AgentInput, output_schema=Output)
    add_serving(builder, engine, routes.route_after_evaluate_in_agent)
    add_cycle(builder, engine)
    builder.add_edge("log_failure", "diagnose")
    return builder


graph = build_agent(process_engine).compile(name="agent")
