"""Text as people write it: when two texts are the same, and what no text may hold.

Unicode has several ways to write one thing (Unicode Standard Annex 15). NFKC makes one of them: an accent that stands
behind its letter, full-width digits, ligatures and no-break spaces become their plain forms.
"""

import re
import unicodedata

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼ′＇", "'"),  # noqa: RUF001
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−⁃", "-"),  # noqa: RUF001
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", None),  # no width, not seen
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
    """What decides whether two inputs are the same: `fold`, and closing punctuation does not count."""
    folded = fold(text)
    return folded.rstrip(_CLOSING) or folded


def whole_text(text: str) -> str:
    """`text` with halves of surrogate pairs joined, and those that stand alone replaced by U+FFFD.

    A terminal or a model can deliver them, and neither a database nor a model can be given them.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
