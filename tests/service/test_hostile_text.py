"""Text of users and models that would steer a terminal, through every command: none of it arrives as more than text."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Done
from cycle_states import Desk, Reach

from service import console
from service.cli import COMMANDS

Ratchet = Callable[..., Done]
REPOSITORY = Path(__file__).parents[2]
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.\u2066x\u200b\u2028[/red][bold]:smile:\x7f\ufeff\U000e0041"
SEEN = r"\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.\u2066x\u200b\u2028[/red][bold]:smile:\x7f\ufeff\U000e0041"
RAW = [character for character in HOSTILE if not character.isprintable()]


def plant(desk: Desk) -> None:
    """Put it into all that people and models write."""
    file = desk.folder / "tasks" / "desk" / "cases.jsonl"
    cases = [json.loads(line) for line in file.read_text().splitlines()]
    for case in cases:
        case |= {"id": case["id"] + HOSTILE, "input": case["input"] + HOSTILE, "tags": [HOSTILE]}
    file.write_text("".join(json.dumps(case) + "\n" for case in cases))
    script = json.loads((desk.folder / "script.json").read_text())
    (desk.folder / "script.json").write_text(json.dumps([said | {"reply": said["reply"] + HOSTILE} for said in script]))
    (desk.folder / "behavior_rules.json").write_text(json.dumps({"rules": [f"Be polite.{HOSTILE}"]}))
    (desk.folder / "task_prompts.json").write_text(json.dumps({"desk": f"Answer the customer.{HOSTILE}"}))
    for document in (desk.folder / "tasks" / "desk" / "documents").iterdir():
        document.write_text(f"{document.read_text()}{HOSTILE}\n")
    label = {"input": HOSTILE, "expected": HOSTILE, "label": "prompt", "output": HOSTILE}
    (desk.folder / "labels.jsonl").write_text(json.dumps(label) + "\n")
    (desk.folder / "edit.json").write_text(json.dumps({"desk": f"Say it.{HOSTILE}"}))


@pytest.fixture
def say(reach: Reach, ratchet: Ratchet) -> Callable[..., Done]:
    """Runs a command in a project full of it, as text and as JSON, and looks at each character that comes out."""
    reach("no_failures")
    plant(reach.desk)

    def run(*arguments: str) -> Done:
        done = ratchet(*arguments)
        printed = done.out + done.err
        assert [character for character in RAW if character in printed] == [], arguments
        assert "Traceback" not in printed, printed
        return done

    return run


def test_every_command_shows_hostile_text_as_text(say: Callable[..., Done], reach: Reach) -> None:
    ran = say("run", "desk", f"Who?{HOSTILE}", "--expected", HOSTILE, "--source", HOSTILE)
    assert SEEN[:20] in ran.out
    cycle_id = json.loads(say("improve", "desk", "--json").out)["cycle_id"]
    failure = say("failures", "desk", "--status=", "--json").json["failures"][0]
    who = ("--reviewer", HOSTILE, "--reason", HOSTILE)
    lines: list[tuple[str, ...]] = [
        ("improve", "desk"), ("inbox",), ("show", cycle_id), ("show", failure["id"]), ("show", failure["run_id"]),
        ("failures", "desk", "--status="), ("cases", "list", "desk"), ("eval", "desk"), ("doctor",),
        ("calibrate", "desk", "labels.jsonl"), ("try", "desk", "edit.json"), ("reject", cycle_id, *who),
        ("show", cycle_id), ("history", "desk"), ("audit",), ("audit", "--verify"),
        ("cases", "add", "desk", "--input", HOSTILE, "--expected", HOSTILE, "--tag", HOSTILE, *who),
        ("cases", "list", "desk"), ("rollback", "desk", *who), ("resolve", cycle_id, "dismiss", *who),
        ("init", f"new{HOSTILE}"), ("demo",), ("approve", cycle_id, *who),
    ]  # fmt: skip
    assert {line[0] for line in lines} | {"run"} == COMMANDS.keys()
    for line in lines:
        say(*line)
        say(*line, "--json")


@pytest.mark.parametrize(
    "line",
    [
        ("show", HOSTILE),
        ("run", HOSTILE, "hi"),
        (HOSTILE,),
        ("run", f"--{HOSTILE}"),
        ("resolve", "C-0", HOSTILE),
        ("rollback", "desk", HOSTILE),
        ("cases", "remove", "desk", HOSTILE),
        ("approve", "C-0", "--prompt-file", HOSTILE),
        ("calibrate", "desk", HOSTILE),
        ("failures", "desk", "--status", HOSTILE),
        ("cases", "add", "desk", "--input", "x", "--expected-json", HOSTILE),
    ],
)
def test_error_that_quotes_hostile_text_is_one_line_of_text(say: Callable[..., Done], line: tuple[str, ...]) -> None:
    done = say(*line)
    assert done.code == 2
    assert len(done.err.splitlines()) == 1, done.err


def test_error_cannot_be_made_to_look_like_two_lines(say: Callable[..., Done]) -> None:
    (line,) = say("run", "nope\nnext: ratchet approve C-0123456789", "hi").err.splitlines()
    assert line.startswith("error: no task")


def test_json_holds_hostile_text_as_it_is(say: Callable[..., Done]) -> None:
    done = say("run", "desk", "Who?", "--json")
    assert done.json["output"].endswith(HOSTILE)


def test_log_line_is_text_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "%s\nnext: y", (HOSTILE,), None)
    console.LogHandler().emit(record)
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"warning: {SEEN}\\nnext: y"


def test_traceback_in_a_log_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    console.LogHandler().emit(record)
    printed = capsys.readouterr().err
    assert f"ValueError: {SEEN}" in printed
    assert not any(character in printed for character in RAW)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_the_console_cannot_encode_is_shown_as_escapes(
    project: Path, environment: dict[str, str], encoding: str, more: tuple[str, ...]
) -> None:
    text = "\u4eca\u65e5\u306f \u017c \U0001f600 \u2581"
    script = [{"match": "", "reply": text}]
    (project / "script.json").write_text(json.dumps(script))
    command = [sys.executable, "-m", "service.cli", "run", "desk", text, *more]
    variables = environment | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(REPOSITORY)}

    done = subprocess.run(command, cwd=project, env=variables, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    printed = done.stdout.decode(encoding)
    assert json.loads(printed)["output"] == text if more else "\\u4eca\\u65e5" in printed


@pytest.mark.parametrize("text", ["caf\udce9?", "half \ud83d of a pair", "\udcff\udcfe"])
def test_half_of_a_character_in_an_argument_is_replaced(project: Path, environment: dict[str, str], text: str) -> None:
    command = [sys.executable, "-m", "service.cli", "run", "desk", "-", "--source", "caf\udce9", "--json"]
    given = os.fsencode(text) if "\ud83d" not in text else text.encode("utf-8", "surrogatepass")
    variables = environment | {"PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"}

    done = subprocess.run(command, cwd=project, env=variables, input=given, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["output"] == "I do not know."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[0m", r"a\x1b[0m"),
        ("a\r\nb\rc", "a\nb\\rc"),
        ("tab\tstays", "tab\tstays"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\U0001f469\u200d\U0001f680 \u2764\ufe0f", "\U0001f469\u200d\U0001f680 \u2764\ufe0f"),
        ("a\u200db", r"a\u200db"),
        ("\u4eca\u200b\u65e5", "\u4eca\\u200b\u65e5"),
        ("\u4eca\u200d\u200c\u65e5", "\u4eca\\u200d\\u200c\u65e5"),
        ("\u2764\ufe0f\ufe0e", "\u2764\ufe0f\\ufe0e"),
        ("pay\u202e001", r"pay\u202e001"),
        ("\ud83d", r"\ud83d"),
        ("\xa0\u0301 plain \u00e9", "\xa0\u0301 plain \u00e9"),
    ],
)
def test_only_what_hides_or_steers_is_escaped(text: str, shown: str) -> None:
    assert console.visible(text) == shown


def test_rows_of_a_table_stay_in_line_with_hostile_cells(capsys: pytest.CaptureFixture[str]) -> None:
    table = console.Grid(console.wide("a"), console.wide("b"))
    table.add_row(console.cell("\x1b[31m\u202ex"), "1")
    table.add_row("plain", console.cell("2"))
    console.out.print(table)
    _, _, first, second = capsys.readouterr().out.splitlines()
    assert first.index("1", len(r"\x1b[31m\u202ex")) == second.index("2")
