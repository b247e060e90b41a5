"""Propose retrieval steps."""

from langchain_core.runnables import RunnableConfig

from ratchet.engine import Engine
from ratchet.proposers import CONTEXT
from ratchet.proposers.proposing import propose_with
from ratchet.state import State


async def repair_context(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Candidates that fetch what was missing, for this and every following run."""
    return await propose_with(CONTEXT, "repair_context", state, engine)
