"""Race the candidates, and put the best one to the gate."""

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from ratchet.engine import Engine
from ratchet.state import State
from ratchet.validation import validate_candidates, validate_edit


async def validate(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Choose among the candidates and prove the best on held-out cases; a reviewer's own version goes to the gate at
    once."""
    writer = get_stream_writer()
    decision = state.get("decision")
    check = validate_edit if decision and decision["type"] == "edit" else validate_candidates
    return await check(engine, state, lambda **event: writer({"step": "validate", **event}))
