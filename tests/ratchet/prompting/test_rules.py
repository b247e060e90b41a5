import hashlib
from pathlib import Path

import pytest

from ratchet.config import patterns
from ratchet.errors import ConfigurationError, PatternError
from ratchet.prompting import RuleCheck, load_rules


def test_load_rules_hashes_the_exact_bytes(tmp_path: Path) -> None:
    file = tmp_path / "behavior_rules.json"
    file.write_text('{"rules":  ["a", "b"]}\n')
    rules = load_rules(file)
    assert rules.rules == ("a", "b")
    assert rules.as_text() == "- a\n- b"
    assert rules.hash == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('["a"]', "the top level"),
        ('{"rules": ["a", ""]}', r"rules\[1\]: String should have at least 1 character"),
        ('{"rules": "a"}', "rules: Input should be a valid list"),
        ('{"rule": []}', r"rules is missing \(and 1 more\)"),
        ('{"rules": [], "more": 1}', "unknown key more"),
        ("{", "not JSON, line 1 column 2"),
        ('{"rules": ["a", 7]}', r"rules\[1\]: Input should be a valid string"),
        ('{"rules": ["a", {}]}', r"rules\[1\]: rule is missing"),
        ('{"rules": [{"rule": ""}]}', r"rules\[0\]: rule: String should have at least 1 character"),
        ('{"rules": [{"rule": "a", "must": "b"}]}', r"rules\[0\]: unknown key must"),
        ('{"rules": [{"rule": "a", "must_match": "("}]}', r"rules\[0\]: must_match: .*not a regular expression"),
        ('{"rules": [{"rule": "a", "must_not_match": "[", "probe": "x"}]}', r"rules\[0\]: must_not_match: .*\['\)$"),
        ('{"rules": ["a", {"rule": "b", "probe": "x"}]}', r"rules\[1\]: probe: .*needs must_not_match or must_match"),
        ('{"rules": [{"rule": "b", "must_match": "x", "probe": [""]}]}', r"rules\[0\]: probe"),
    ],
)
def test_load_rules_names_file_and_key(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "behavior_rules.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=rf"behavior_rules\.json: {expected}"):
        load_rules(file)


def test_load_rules_takes_texts_and_checks_side_by_side(tmp_path: Path) -> None:
    file = tmp_path / "behavior_rules.json"
    file.write_text(
        '{"rules": ["a", {"rule": "b", "must_not_match": "x", "probe": "p"}, {"rule": "c"},'
        ' {"rule": "d", "must_match": "y", "probe": ["q", "r"]}]}'
    )
    rules = load_rules(file)
    assert rules.rules == ("a", "b", "c", "d")
    assert rules.as_text() == "- a\n- b\n- c\n- d"
    assert [(check.name, check.rule, check.probes) for check in rules.checks] == [
        ("rule:2", "b", ("p",)),
        ("rule:4", "d", ("q", "r")),
    ]


@pytest.mark.parametrize(
    ("patterns", "output", "why"),
    [
        ({"must_not_match": "(?i)password"}, "Your PassWord?", "must not match '(?i)password'"),
        ({"must_not_match": "password"}, "It is in bin01x", None),
        ({"must_match": "^bin"}, "bin01x", None),
        ({"must_match": "^bin"}, "no bin", "must match '^bin'"),
        ({"must_match": "bin", "must_not_match": "x"}, "bin01x", "must not match 'x'"),
        ({"must_match": "bin", "must_not_match": "z"}, "", "must match 'bin'"),
    ],
)
@pytest.mark.anyio
async def test_rule_check_says_why_it_is_broken(patterns: dict[str, str], output: str, why: str | None) -> None:
    assert await RuleCheck(number=1, rule="r", **patterns).broken_by(output) == why


@pytest.mark.parametrize("key", ["must_match", "must_not_match"])
@pytest.mark.anyio
async def test_rule_check_that_takes_too_long_is_neither_kept_nor_broken(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    check = RuleCheck(number=1, rule="r", **{key: "(a|aa)+$"})
    with pytest.raises(PatternError, match="the pattern took longer than"):
        await check.broken_by("a" * 40 + "!")
