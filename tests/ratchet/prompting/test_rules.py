import hashlib
from pathlib import Path

import pytest

from ratchet.errors import ConfigurationError
from ratchet.prompting import load_rules


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
    ],
)
def test_load_rules_names_file_and_key(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "behavior_rules.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=rf"behavior_rules\.json: {expected}"):
        load_rules(file)
