"""Taking what a model thinks aloud apart from what it answers.

Some models think inside the text of their reply, between tags of their own. Some chat templates open the tag, so that
only its end is in the reply. Endpoints that send the reasoning in a field of its own need none of this.
"""

import re

_NAME = r"(?:seed:)?(?:think|thinking|thought|reasoning)"
_OPEN = rf"<{_NAME}>|\[THINK\]|◁think▷"
_CLOSE = rf"</{_NAME}>|\[/THINK\]|◁/think▷"
_BLOCK = re.compile(rf"^[ \t]*(?:{_OPEN}).*?(?:{_CLOSE})", re.IGNORECASE | re.DOTALL | re.MULTILINE)
_ONLY_CLOSED = re.compile(rf"\A(?:(?!{_OPEN}).)*?(?:{_CLOSE})", re.IGNORECASE | re.DOTALL)
_ONLY_OPENED = re.compile(rf"\A\s*(?:{_OPEN}).*", re.IGNORECASE | re.DOTALL)


def without_reasoning(text: str) -> str:
    """The answer in `text`; all of it where it holds no reasoning.

    Reasoning is a tagged block that begins a line, and what stands before a closing tag that was never opened. Where
    the text begins with a block that never ends, there is no answer.
    """
    answer = _ONLY_OPENED.sub("", _BLOCK.sub("", _ONLY_CLOSED.sub("", text)))
    return text if answer == text else answer.strip()
