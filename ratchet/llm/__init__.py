"""Access to language models by role."""

from ratchet.llm.completion import require_answer
from ratchet.llm.embedded import close_embedded, embedded_endpoint, packaged_model
from ratchet.llm.meter import Meter, active_meter, metered, silence
from ratchet.llm.models import Models
from ratchet.llm.reply import Reply, ReplyStore
from ratchet.llm.scripted import Fault
from ratchet.llm.spec import ModelSpec, parse_spec
from ratchet.llm.structured import cut_to

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
    "packaged_model",
    "parse_spec",
    "require_answer",
    "silence",
]
