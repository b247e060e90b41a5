"""Text as people write it: when two texts are the same, and what no text may hold.

Unicode has several ways to write one thing (Unicode Standard Annex 15). NFKC makes one of them: an accent that stands
behind its letter, full-width digits, ligatures and no-break spaces become their plain forms.
"""

import json
import re
import unicodedata
from typing import Any

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼ′＇", "'"),  # noqa: RUF001
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−⁃", "-"),  # noqa: RUF001
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", None),  # no width, not seen
        **dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]),  # direction
        **dict.fromkeys(range(0xFE00, 0xFE10)),  # which picture is drawn for a character
    }
)
_CLOSING = " .!?…。！？،؟"  # noqa: RUF001
_SPACES = re.compile(r"\s+")


def plain_form(text: str) -> str:
    """`text` in the form in which accents' coding, width, quotes and dashes make no difference."""
    return unicodedata.normalize("NFKC", text.translate(_PLAIN)).translate(_PLAIN)


def fold(text: str) -> str:
    """`text` in the form in which case, accents' coding, width, blanks, quotes and dashes make no difference."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", plain_form(text).casefold())).strip()


def normal_form(text: str) -> str:
    """What decides whether two inputs are the same: `fold`, and closing punctuation does not count.

    A JSON object or list is taken value by value, and the order of its keys does not count.
    """
    folded = fold(text)
    if folded[:1] in ("{", "["):
        for written in (text, folded):
            try:
                return "json " + json.dumps(_values_folded(json.loads(written))).lower()
            except (ValueError, RecursionError):  # it only begins like JSON
                continue
    return folded.rstrip(_CLOSING) or folded


def _values_folded(value: Any) -> Any:
    """A JSON value with its texts in normal form, and each object as its sorted pairs, as two keys may become one."""
    if isinstance(value, dict):
        pairs = [[fold(key), _values_folded(item)] for key, item in value.items()]
        return {"object": sorted(pairs, key=json.dumps)}
    if isinstance(value, list):
        return [_values_folded(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return normal_form(value) if isinstance(value, str) else value


def whole_text(text: str) -> str:
    """`text` with halves of surrogate pairs joined, and those that stand alone replaced by U+FFFD.

    A terminal or a model can deliver them, and neither a database nor a model can be given them.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
