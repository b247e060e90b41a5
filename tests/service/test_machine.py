import os
import sys

import pytest

from service.machine import OnlyJson


def test_only_our_own_lines_reach_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    only = OnlyJson()
    only.begin()
    only.begin()
    sys.stdout.write("of Python's\n")
    os.write(1, b"of a library's\n")
    only.write('{"ours": 1}')
    only.end()
    sys.stdout.write("afterwards\n")

    out, err = capfd.readouterr()
    assert out.splitlines() == ['{"ours": 1}', "afterwards"]
    assert sorted(err.splitlines()) == ["of Python's", "of a library's"]


@pytest.mark.parametrize("text", ["ascii", "grün", "漢字", "half \ud83d of a pair"])
def test_any_text_can_be_written(capfd: pytest.CaptureFixture[str], text: str) -> None:
    only = OnlyJson()
    only.begin()
    only.write(text)
    only.end()

    assert capfd.readouterr().out == text.encode("utf-8", "backslashreplace").decode() + "\n"


def test_nothing_is_turned_before_it_begins(capfd: pytest.CaptureFixture[str]) -> None:
    only = OnlyJson()
    only.end()
    only.write("a line")

    assert capfd.readouterr().out == "a line\n"


@pytest.mark.parametrize(("chosen", "out"), [(True, "ours\n"), (False, "noise\nours\n")])
def test_option_decides(capfd: pytest.CaptureFixture[str], chosen: bool, out: str) -> None:
    only = OnlyJson()
    assert only.choose(chosen) is chosen
    sys.stdout.write("noise\n")
    only.write("ours")
    only.end()

    assert capfd.readouterr().out == out
