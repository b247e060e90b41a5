"""Propose retrieval steps."""

from langchain_core.runnables import RunnableConfig

from nodes.propose_variants import propose_with
from nodes.state import State
from ratchet.engine import Engine
from ratchet.proposers import CONTEXT


async def repair_context(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Candidates that fetch what was missing, for this and every following run."""
    return await propose_with(CONTEXT, "repair_context", state, config, engine)
