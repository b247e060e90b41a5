"""Rules, task prompts, and the messages built from them."""

from ratchet.prompting.assemble import Message, build_messages, system_prompt
from ratchet.prompting.rules import RuleCheck, Rules, load_rules
from ratchet.prompting.task_prompts import (
    ContextStep,
    Example,
    TaskPrompt,
    TaskPrompts,
    change_hash,
    content_hash,
    describe_prompt,
    load_prompts,
    parse_prompts,
    with_component,
)

__all__ = [
    "ContextStep",
    "Example",
    "Message",
    "RuleCheck",
    "Rules",
    "TaskPrompt",
    "TaskPrompts",
    "build_messages",
    "change_hash",
    "content_hash",
    "describe_prompt",
    "load_prompts",
    "load_rules",
    "parse_prompts",
    "system_prompt",
    "with_component",
]
