"""Propose changed prompts."""

from langchain_core.runnables import RunnableConfig

from ratchet.engine import Engine
from ratchet.proposers import wording_strategies
from ratchet.proposers.proposing import propose_with
from ratchet.state import State


async def propose_variants(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Candidates for failures whose cause is the prompt, or for a reviewer's feedback."""
    return await propose_with(wording_strategies(engine.settings), "propose_variants", state, engine)
