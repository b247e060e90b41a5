"""What programs may import from Ratchet; docs/api.md says what each name is. All else may change.

It works beside packages of your own that are called `graph`, `nodes`, `prompts` or `ratchet`. The names are imported
when the first of them is asked for, so that the command, which lives here too, begins at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ratchet_agents.names import (
        BudgetError,
        Candidate,
        ComponentCaller,
        ConfigurationError,
        ContextStep,
        Diagnosis,
        Document,
        Entry,
        Example,
        FailureBundle,
        Fault,
        GraphName,
        ModelError,
        ModelReplyError,
        ModelUnavailableError,
        Proposer,
        RacePolicy,
        RatchetError,
        Settings,
        Situation,
        Source,
        SourceError,
        TaskPrompt,
        UnknownTaskError,
        __version__,
        open_graph,
    )

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


def __getattr__(name: str) -> Any:
    """One of the names above."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("ratchet_agents.names"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
