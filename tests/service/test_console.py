"""What commands print: for programs one line of JSON, for people every text as it is."""

import ast
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from command import Done
from cycle_states import Reach, awaiting_approval
from rich.console import Console
from rich.progress import Progress

from service import console

Ratchet = Callable[..., Done]
ODD = "[/red] :smile: [bold]"
"""A name that looks like markup of the terminal library."""


def test_json_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json({"text": "a\nb \u2028 ü [/red]", "path": Path("x")})
    line, rest = capsys.readouterr().out.split("\n")
    assert (json.loads(line), rest) == ({"text": "a\nb \u2028 ü [/red]", "path": "x"}, "")
    assert "ü" in line


@pytest.mark.parametrize(("rate", "shown"), [(None, "-"), (0.0, "0.0 %"), (0.5678, "56.8 %"), (1.0, "100.0 %")])
def test_percent_tells_nothing_measured_from_zero(rate: float | None, shown: str) -> None:
    assert console.percent(rate) == shown


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("improve desk") as tell:
        tell(text="serving", done=1, total=2)
        tell()
    assert capsys.readouterr() == ("", "")


def test_progress_says_step_and_count_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(console, "err", watched)
    monkeypatch.setattr(Progress, "stop", lambda bar: watched.print(bar.get_renderable()))
    with console.progress(f"improve {ODD}") as tell:
        tell(text=f"validate: {ODD}", done=3, total=12)
    shown = watched.file.getvalue()  # type: ignore[attr-defined]
    assert f"improve {ODD}: validate: {ODD}" in shown
    assert "3/12" in shown


def test_texts_that_look_like_markup_are_printed_as_they_are(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    reach.desk.done("approve", cycle_id, "--reviewer", ODD, "--reason", ODD)
    for command in (("audit",), ("history", "desk")):
        done = ratchet(*command)
        assert (done.code, ":smile:" in done.out) == (0, True), done.out
        assert all(word in done.out for word in ODD.split()), done.out


def test_cases_and_outputs_that_look_like_markup_are_printed_as_they_are(
    reach: Reach, ratchet: Ratchet, write_script: Callable[..., None]
) -> None:
    reach("no_failures")
    cases = reach.desk.folder / "tasks" / "desk" / "cases.jsonl"
    cases.write_text(cases.read_text().replace('"id": "c', f'"id": "{ODD}'))
    write_script([{"match": "Who", "reply": ODD}])
    for words in (("run", "desk", "Who?", "--expected", f"not {ODD}"), ("failures", "desk"), ("cases", "list", "desk")):
        done = ratchet(*words)
        assert (done.code, ODD.split()[0] in done.out) == (0, True), done.out
    cycle_id = awaiting_approval(reach.desk)
    assert f"{ODD.split()[0]} :smile:" in ratchet("show", cycle_id).out


def test_error_with_a_text_that_looks_like_markup_is_told_as_it_is(reach: Reach, ratchet: Ratchet) -> None:
    reach("no_failures")
    assert ratchet("show", ODD).err == f"error: no cycle {ODD!r}; `ratchet inbox` lists what waits\n"


def test_nothing_but_the_printer_makes_text_or_a_console_of_its_own() -> None:
    sources = [file for file in Path(console.__file__).parent.rglob("*.py") if file.name != "console.py"]
    assert len(sources) > 20
    calls = {
        f"{file.name}:{node.lineno}"
        for file in sources
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("Text", "Text.assemble", "Console", "Panel", "print")
    }
    assert calls == set()


@pytest.mark.parametrize("length", [12, 24, 60])
@pytest.mark.parametrize("width", [60, 80])
def test_no_id_of_a_table_is_cut(length: int, width: int, capsys: pytest.CaptureFixture[str]) -> None:
    shown = "C" * length
    columns = (console.ids("id", [shown]), console.wide("text"), console.whole("state"))
    table = console.Grid(*columns, title="a title that is a good deal longer than the table below it is wide")
    table.add_row(shown, "word " * 60, "open")
    table.note = "a note"
    console.out.print(table, width=width)
    printed = capsys.readouterr().out
    assert printed.count("C") == length
    assert "…" not in printed
    assert (shown in printed) == (length <= 24)
    assert all(len(line.rstrip()) <= width for line in printed.splitlines())
    assert printed.startswith("a title that is")
    assert printed.rstrip().endswith("a note")


def test_ctrl_c_within_progress_says_what_is_kept() -> None:
    with (
        pytest.raises(console.InterruptError, match=r"^interrupted: all of it is kept$"),
        console.progress("x", "all of it is kept"),
    ):
        raise KeyboardInterrupt


def test_long_work_is_told_in_a_log_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, 4.0, 11.0, 12.0, 25.0])
    monkeypatch.setattr(console, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with console.progress("improve desk") as tell:
        tell(text="diagnose: runs", done=1, total=8)
        tell(text="validate: cases", done=2, total=8)
        tell(text="validate: cases", done=3, total=8)
        tell(text="asking\x1b[2J")
    told = capsys.readouterr().err.splitlines()
    assert told == ["improve desk: validate: cases 2/8, 11 s", "improve desk: asking\\x1b[2J, 25 s"]
