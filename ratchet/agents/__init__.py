"""The agent that is kept from decaying."""

from ratchet.agents.agent import load_agent, run_agent
from ratchet.agents.caller import ComponentCaller

__all__ = ["ComponentCaller", "load_agent", "run_agent"]
