"""The agent that is kept from decaying."""

from ratchet.agents.agent import run_agent
from ratchet.agents.caller import ComponentCaller

__all__ = ["ComponentCaller", "run_agent"]
