"""Access to language models by role.

What opens models imports their clients, which takes seconds: it is imported when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ratchet.llm.embedded import close_embedded, embedded_endpoint, packaged_model
from ratchet.llm.measurement import own_replies
from ratchet.llm.meter import Meter, active_meter, metered, silence
from ratchet.llm.reply import Reply, ReplyStore
from ratchet.llm.spec import ModelSpec, parse_spec
from ratchet.llm.structured import cut_to

if TYPE_CHECKING:
    from ratchet.llm.completion import require_answer
    from ratchet.llm.models import Models
    from ratchet.llm.scripted import Fault

_LATER = {"Models": "ratchet.llm.models", "Fault": "ratchet.llm.scripted", "require_answer": "ratchet.llm.completion"}

__all__ = [
    "Fault",
    "Meter",
    "ModelSpec",
    "Models",
    "Reply",
    "ReplyStore",
    "active_meter",
    "close_embedded",
    "cut_to",
    "embedded_endpoint",
    "metered",
    "own_replies",
    "packaged_model",
    "parse_spec",
    "require_answer",
    "silence",
]


def __getattr__(name: str) -> Any:
    """A name that is imported only now."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
