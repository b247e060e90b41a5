"""The fixed wording Ratchet sends to models: one Markdown file per use, and a loader that checks it.

Text is filled in by replacing fixed ``{name}`` tokens in a single pass. Nothing written by a model or a user is ever
interpreted as a template, so ``{x.__class__}`` or ``{"a": 1}`` in a value stay what they are.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["WordingError", "names", "placeholders", "render", "substitute"]

_TOKEN = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_WORDINGS = {file.stem: file.read_text(encoding="utf-8").strip() for file in Path(__file__).parent.glob("*.md")}


class WordingError(ValueError):
    """The values given do not match the placeholders of a wording file."""


def placeholders(text: str) -> set[str]:
    """Names of the ``{name}`` tokens in `text`."""
    return set(_TOKEN.findall(text))


def substitute(text: str, values: Mapping[str, str]) -> str:
    """`text` with each ``{name}`` whose name is in `values` replaced; every other brace is left alone."""
    return _TOKEN.sub(lambda match: values.get(match[1], match[0]), text)


def names() -> list[str]:
    """The wordings that exist, by name."""
    return sorted(_WORDINGS)


def render(name: str, /, **values: str) -> str:
    """The wording `name` with its placeholders filled in.

    Raises:
        WordingError: there is no such wording, a placeholder got no value, or a value has no placeholder.
    """
    if name not in _WORDINGS:
        raise WordingError(f"no wording {name!r} in prompts/, there are: {', '.join(names())}")
    text = _WORDINGS[name]
    _check(name, placeholders(text), values)
    return substitute(text, values)


def _check(name: str, wanted: set[str], given: Iterable[str]) -> None:
    missing, unknown = wanted - set(given), set(given) - wanted
    if missing or unknown:
        raise WordingError(
            f"prompts/{name}.md: missing values {sorted(missing)}, values without a placeholder {sorted(unknown)}"
        )
