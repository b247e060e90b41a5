"""How far a task's prompts have moved from where they started."""

import difflib

from ratchet.ledger.contents import Components
from ratchet.prompting import TaskPrompt, describe_prompt


def drift(first: Components, now: Components) -> float:
    """Share of words changed against `first`, in [0, 1]: 0 is the same, 1 has no word in common.

    1 minus the ratio of `difflib.SequenceMatcher` over the words of all components, their context steps and examples
    included.
    """
    return round(1 - difflib.SequenceMatcher(None, _words(first), _words(now), autojunk=False).ratio(), 4)


def _words(components: Components) -> list[str]:
    prompts = [TaskPrompt.model_validate(components[name]) for name in sorted(components)]
    return [word for prompt in prompts for word in describe_prompt(prompt).split()]
