"""The pinned rules of ``behavior_rules.json``. This module reads; nothing in Ratchet writes the file."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from ratchet.config.files import StrictModel, parse_json, read_text, validate
from ratchet.config.patterns import Pattern, is_found
from ratchet.errors import ConfigurationError

Text = Annotated[str, Field(min_length=1)]
PatternText = Annotated[Pattern, Field(min_length=1)]


def _object_as_text(entry: Any) -> Any:
    return "an object, validated on its own" if isinstance(entry, dict) else entry


class RulesFile(StrictModel):
    """The file as it is written; an entry that is an object is a `RuleEntry`."""

    rules: list[Annotated[Text, BeforeValidator(_object_as_text)]]


class RuleEntry(StrictModel):
    """A rule with a check that code can decide, for every output of the agent."""

    rule: Text
    must_not_match: PatternText | None = None
    """Regular expression: an output in which it is found breaks the rule."""
    must_match: PatternText | None = None
    """Regular expression: an output in which it is not found breaks the rule."""
    probe: Text | list[Text] = []
    """Inputs that tempt the agent to break the rule; each is run with a changed prompt before it may go live."""

    @field_validator("probe")
    @classmethod
    def _is_decided(cls, probe: str | list[str], info: ValidationInfo) -> str | list[str]:
        given = [info.data.get(key, "wrong, told already") for key in ("must_not_match", "must_match")]
        if probe and given == [None, None]:
            raise ValueError("a probe needs must_not_match or must_match beside it, else nothing decides its result")
        return probe


class RuleCheck(StrictModel):
    """What decides whether an output breaks a rule. `number` counts the file's rules from 1."""

    number: int
    rule: str
    must_not_match: str | None = None
    must_match: str | None = None
    probes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its result is called in an evaluation. No criterion of a task can be called so: theirs hold no colon."""
        return f"rule:{self.number}"

    async def broken_by(self, output: str) -> str | None:
        """Why `output` breaks the rule, None where it does not.

        Raises:
            PatternError: it could not be checked.
        """
        if self.must_not_match is not None and await is_found(self.must_not_match, output):
            return f"must not match {self.must_not_match!r}"
        if self.must_match is not None and not await is_found(self.must_match, output):
            return f"must match {self.must_match!r}"
        return None


class Rules(StrictModel):
    """The rules, the hash of the exact bytes they were read from, and the checks that enforce some of them."""

    rules: tuple[str, ...]
    hash: str
    checks: tuple[RuleCheck, ...] = ()

    def as_text(self) -> str:
        """The rules as a list, one line each."""
        return "\n".join(f"- {rule}" for rule in self.rules)


def load_rules(file: Path) -> Rules:
    """The pinned rules.

    Raises:
        ConfigurationError: the file is missing or has another shape than ``{"rules": ["...", {"rule": "...", ...}]}``.
    """
    if not file.exists():
        raise ConfigurationError(f'{file}: no such file; where there are no rules write {{"rules": []}} into it')
    text = read_text(file)
    content = parse_json(text, file)
    validate(RulesFile, content, file)
    entries = [_entry(given, f"{file}: rules[{index}]") for index, given in enumerate(content["rules"])]
    checks = [_check(number, entry) for number, entry in enumerate(entries, start=1)]
    return Rules(
        rules=tuple(entry.rule for entry in entries),
        hash=hashlib.sha256(text.encode()).hexdigest(),
        checks=tuple(check for check in checks if check is not None),
    )


def _entry(given: Any, where: str) -> RuleEntry:
    return validate(RuleEntry, given if isinstance(given, dict) else {"rule": given}, where)


def _check(number: int, entry: RuleEntry) -> RuleCheck | None:
    if entry.must_not_match is None and entry.must_match is None:
        return None
    return RuleCheck(
        number=number,
        rule=entry.rule,
        must_not_match=entry.must_not_match,
        must_match=entry.must_match,
        probes=(entry.probe,) if isinstance(entry.probe, str) else tuple(entry.probe),
    )
