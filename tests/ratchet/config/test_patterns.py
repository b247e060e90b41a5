import time

import pytest

from ratchet.config.patterns import SECONDS, compiles, is_found
from ratchet.errors import PatternError


def test_is_found_searches_anywhere() -> None:
    assert is_found("b+", "abbc")
    assert not is_found("^b", "abbc")


def test_is_found_is_cut_off() -> None:
    started = time.process_time()
    with pytest.raises(PatternError, match=r"the pattern took longer than [0-9.]+ s"):
        is_found("(a|aa)+$", "a" * 40 + "!")
    assert SECONDS <= time.process_time() - started < 2 * SECONDS


def test_compiles_says_what_is_wrong() -> None:
    assert compiles("a") == "a"
    with pytest.raises(ValueError, match=r"not a regular expression: missing \)"):
        compiles("(")
