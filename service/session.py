"""What commands work with: an open session, and the config of a thread."""

from typing import Any

from graph import Session, open_session

__all__ = ["Session", "open_session", "thread_config"]


def thread_config(thread_id: str) -> dict[str, Any]:
    """The config that runs a graph in a thread."""
    return {"configurable": {"thread_id": thread_id}}
