"""Prose in code and pages, taken apart into sentences."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"(`+)[^`]+\1")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]+\)")
_NEW = re.compile(r"^\s*(?:[-*#>|]|\d+\.|\*\*\w+:\*\*|Raises:$|[A-Z]\w*(?:Error|Exception)\b(?:, \w+)*[.:])")
"""How a line begins that does not go on with the sentence of the line before it."""
_MARK = re.compile(r"^\s*(?:[-*>#]+|\d+\.)\s+")
_END = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][)\"'*])\s+")


class Prose(NamedTuple):
    """A piece of text and where it begins."""

    file: Path
    line: int
    text: str


def docstrings(file: Path) -> Iterator[Prose]:
    """Every string that stands alone: of modules, classes, functions, and below fields."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield Prose(file, node.lineno, node.value.value)


def comments(file: Path) -> Iterator[Prose]:
    """Comments: those that fill neighbouring lines are one text, one behind code is its own."""
    lines: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline):
        if token.type != tokenize.COMMENT:
            continue
        alone = token.line.lstrip().startswith("#")
        if lines and not (alone and token.start[0] == last + 1):
            yield Prose(file, first, "\n".join(lines))
            lines = []
        first = first if lines else token.start[0]
        last = token.start[0] if alone else 0
        lines.append(token.string.lstrip("# "))
    if lines:
        yield Prose(file, first, "\n".join(lines))


def sentences(text: str) -> Iterator[str]:
    """The sentences of a docstring, comment or page. A code block or a table is one word, and so is code in a line."""
    text = _LINK.sub(r"\1", _CODE.sub("code", _COMMENT.sub("", _FENCE.sub("\ncode\n", text))))
    for unit in _units(text):
        yield from (sentence for sentence in _END.split(unit) if sentence)


def _units(text: str) -> Iterator[str]:
    """Paragraphs, headings and entries of lists. Tables are left out."""
    unit: list[str] = []
    for line in text.splitlines():
        if not line.strip() or _NEW.match(line):
            yield " ".join(unit)
            unit = []
        if not line.lstrip().startswith("|"):
            unit.append(_MARK.sub("", line).strip())
        if line.startswith("#"):
            yield " ".join(unit)
            unit = []
    yield " ".join(unit)


def word_count(sentence: str) -> int:
    """Words of a sentence; a sign alone is none."""
    return sum(any(character.isalnum() for character in word) for word in sentence.split())
