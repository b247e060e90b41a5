"""Where the names come from that programs may import. Importing this takes as long as importing LangChain does."""

from ratchet_agents.packages import own_packages

with own_packages():
    from graph import GraphName, open_graph  # first: `graph` sets how strictly LangGraph reads checkpoints
    from ratchet import __version__
    from ratchet.agents import ComponentCaller
    from ratchet.config import Settings
    from ratchet.errors import (
        BudgetError,
        ConfigurationError,
        ModelError,
        ModelReplyError,
        ModelUnavailableError,
        RatchetError,
        SourceError,
        UnknownTaskError,
    )
    from ratchet.llm import Fault
    from ratchet.prompting import ContextStep, Example, TaskPrompt
    from ratchet.proposers import Proposer, Situation
    from ratchet.records import Candidate, Diagnosis, FailureBundle
    from ratchet.search import Entry, RacePolicy
    from ratchet.sources import Document, Source

__all__ = [
    "BudgetError",
    "Candidate",
    "ComponentCaller",
    "ConfigurationError",
    "ContextStep",
    "Diagnosis",
    "Document",
    "Entry",
    "Example",
    "FailureBundle",
    "Fault",
    "GraphName",
    "ModelError",
    "ModelReplyError",
    "ModelUnavailableError",
    "Proposer",
    "RacePolicy",
    "RatchetError",
    "Settings",
    "Situation",
    "Source",
    "SourceError",
    "TaskPrompt",
    "UnknownTaskError",
    "__version__",
    "open_graph",
]
