"""The fast path: answer, score, store a failure."""

from collections.abc import Callable

from langgraph.graph import END, START, StateGraph

import nodes
from graph import routes
from graph.binding import EngineProvider, bind, process_engine
from nodes.state import AgentInput, Output, State


def add_serving(
    builder: StateGraph[State, None, AgentInput, Output], engine: EngineProvider, after_evaluate: Callable[[State], str]
) -> None:
    """Add the nodes that serve a run: the reply is there when `execute` ends, scoring follows."""
    builder.add_node("execute", bind(nodes.execute, engine))
    builder.add_node("evaluate", bind(nodes.evaluate, engine))
    builder.add_node("log_failure", bind(nodes.log_failure, engine))
    builder.add_edge(START, "execute")
    builder.add_edge("execute", "evaluate")
    builder.add_conditional_edges("evaluate", after_evaluate)


def build_serve(engine: EngineProvider) -> StateGraph[State, None, AgentInput, Output]:
    """Execute -> evaluate -> log_failure."""
    builder = StateGraph(State, input_schema=AgentInput, output_schema=Output)
    add_serving(builder, engine, routes.route_after_evaluate)
    builder.add_edge("log_failure", END)
    return builder


graph = build_serve(process_engine).compile(name="serve")
