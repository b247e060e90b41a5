"""The pinned rules of ``behavior_rules.json``. This module reads; nothing in Ratchet writes the file."""

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ratchet.strict import StrictModel, parse_json, read_text, validate


class RulesFile(StrictModel):
    """The file as it is written."""

    rules: list[Annotated[str, Field(min_length=1)]]


class Rules(StrictModel):
    """The rules and the hash of the exact bytes they were read from."""

    rules: tuple[str, ...]
    hash: str

    def as_text(self) -> str:
        """The rules as a list, one line each."""
        return "\n".join(f"- {rule}" for rule in self.rules)


def load_rules(file: Path) -> Rules:
    """The pinned rules.

    Raises:
        ConfigurationError: the file is missing or has another shape than ``{"rules": ["...", ...]}``.
    """
    text = read_text(file)
    content = validate(RulesFile, parse_json(text, file), file)
    return Rules(rules=tuple(content.rules), hash=hashlib.sha256(text.encode()).hexdigest())
