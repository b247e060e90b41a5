"""The wording in an author's reply, without what models put around it: tags, marks, fences, quotes, and chat."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ratchet.errors import ModelReplyError

_NEW = r"(?:new|full|improved|revised|updated|rewritten|refined|edited|final|proposed|suggested|better)"
_TEXT = r"(?:prompt|instructions?|version|rewrite|revision|sentence)"
_YES = r"(?:sure|certainly|of course|absolutely|okay|ok|understood|got it|no problem)"
_DECLINED = re.compile(
    r"\W*(?:(?:i\W?m|i am|we are) (?:very )?sorry|sorry|apologies|i apologi[sz]e|unfortunately|as an ai\b[^.]*)?"
    r"[\s,.:;-]*(?:but )?(?:i|we)(?:\Wm|(?: (?:really|simply|just))?) ?"
    r"(?:can\W?t|cannot|can not|won\W?t|will not|(?:am )?(?:not able|unable) to"
    r"|must decline|have to decline|do not feel comfortable)\b",
    re.I,
)
_UP_TO_COLON = re.compile(r"[^:\n]{1,160}:[*_]*[ \t]*")
_NAMED = re.compile(rf"\b{_TEXT}\b[^.!?]*\Z", re.I)
_OPENER = re.compile(
    rf"[\W_]*(?:{_YES}|here\b|here\Ws|below\b|this is|i\Wve|i have|my|{_NEW}|the {_NEW}|{_TEXT}\W*:)", re.I
)
_YES_ALONE = re.compile(rf"[\W_]*{_YES}\b[^\n:]{{0,120}}[.!]?\Z", re.I)
_CLOSING = re.compile(
    rf"[\W_]*(?:this (?:{_NEW} )?(?:{_TEXT}|edit|change)\b|(?:these|the|key|main|summary of|explanation of)"
    r"(?: \w+){0,2} (?:changes|edits|revisions|improvements|modifications)\b|(?:changes|improvements)(?: made)?\s*:"
    r"|let me know\b|i hope\b|hope this\b|would you like me\b|do you want me\b"
    r"|feel free to (?:adjust|modify|tweak|change|edit|ask|let|reach)"
    r"|i(?:\Wve| have)? (?:made|added|kept|changed|removed|rewritten|rewrote|revised|tried)\b"
    r"|if you (?:need|want|would like|have)\b[^.]*\blet me know)",
    re.I,
)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([^\s`]*)[ \t]*")
_TAG = re.compile(r"<(\w+)>")
_MARK = re.compile(r"^data-[0-9a-f]{24}$", re.M)
_RULE = re.compile(r"[-*_=]{3,}")
_QUOTES = (('"', '"'), ("“", "”"), ("`", "`"), ("'", "'"))


def wording_in(answer: str, request: str) -> str:
    """The wording that `answer` gives to `request`. Lines that stand in the request too are wording, not chat.

    Raises:
        ModelReplyError: it declines, or gives several texts.
    """
    text = answer.strip()
    if _DECLINED.match(text):
        raise ModelReplyError(f"the model declined: {text[:80]!r}")
    text = _text_in_tags(text)
    marked = [part.strip() for part in _MARK.split(text) if part.strip()]
    text = marked[0] if len(marked) == 1 else text
    fenced = _block_text(text, request)
    return _without_quotes(_without_chat(text, request) if fenced is None else fenced)


def _text_in_tags(text: str) -> str:
    """The text between the one pair of tags that is called after a prompt; all of it where there is none."""
    tag = next((found for found in _TAG.finditer(text) if re.search(_TEXT, found[1], re.I)), None)
    if tag is None or text.count(f"</{tag[1]}>") != 1:
        return text
    return text[tag.end() : text.index(f"</{tag[1]}>")].strip()


class _Block(NamedTuple):
    """A fenced block by the numbers of its fences' lines; one that is never closed ends with the text."""

    start: int
    end: int


def _block_text(text: str, request: str) -> str | None:
    """The text in the one block that the reply consists of but for chat; None where it consists of more than that."""
    lines = text.splitlines()
    blocks = _blocks(lines)
    if not blocks:
        return None
    before = "\n".join(lines[: blocks[0].start]).strip()
    last = before.splitlines()[-1] if before else ""
    if last and not _is_chat(last, request):
        return None
    if len(blocks) > 1:
        raise ModelReplyError(f"{len(blocks)} texts instead of one")
    return "\n".join(lines[blocks[0].start + 1 : blocks[0].end]).strip()


def _blocks(lines: Sequence[str]) -> list[_Block]:
    """The outermost blocks. A fence with a language opens one inside of the one that is open."""
    found: list[_Block] = []
    opened: list[int] = []
    for number, line in enumerate(lines):
        fence = _FENCE.fullmatch(line)
        if not fence:
            continue
        if not opened or fence[2]:
            opened.append(number)
        else:
            start = opened.pop()
            found += [] if opened else [_Block(start, number)]
    return [*found, _Block(opened[0], len(lines))] if opened else found


def _without_chat(text: str, request: str) -> str:
    """`text` without an announcement before it and without remarks after it."""
    paragraphs = [part.strip() for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
    while len(paragraphs) > 1 and (_RULE.fullmatch(paragraphs[0]) or _is_chat(paragraphs[0], request)):
        del paragraphs[0]
    closing = [place for place, part in enumerate(paragraphs) if place and _is_remark(part, request)]
    kept = paragraphs[: closing[0]] if closing else paragraphs
    while len(kept) > 1 and _RULE.fullmatch(kept[-1]):
        del kept[-1]
    return _without_announcement("\n\n".join(kept), request)


def _without_announcement(text: str, request: str) -> str:
    """`text` without an announcement on its first line; what follows on the same line is wording."""
    first, _, rest = text.partition("\n")
    if rest and _is_chat(first, request):
        return rest.strip()
    announced = _announcement(first)
    return text[len(announced) :].strip() if announced.strip() not in request else text


def _announcement(line: str) -> str:
    """The announcement that a line begins with ("Sure! Here is the new version:"), with its colon; empty where none."""
    head = _UP_TO_COLON.match(line)
    return head[0] if head and _OPENER.match(head[0]) and _NAMED.search(head[0]) else ""


def _is_chat(text: str, request: str) -> bool:
    """Whether a line or paragraph only announces what follows."""
    return text not in request and (_announcement(text).strip() == text or bool(_YES_ALONE.match(text)))


def _is_remark(text: str, request: str) -> bool:
    return bool(_CLOSING.match(text)) and text not in request


def _without_quotes(text: str) -> str:
    for first, last in _QUOTES:
        inner = text[1:-1]
        if len(text) > 2 and text[0] == first and text[-1] == last and first not in inner and last not in inner:
            return inner.strip()
    return text
