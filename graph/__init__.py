"""The graphs, wired. `open_graph` is how Python opens one."""

import os

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read when langgraph is imported, so it comes first

from graph.opening import GraphName, Session, compile_graph, open_graph, open_session

__all__ = ["GraphName", "Session", "compile_graph", "open_graph", "open_session"]
