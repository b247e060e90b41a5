"""Every command at every state that a cycle passes through: no traceback, the right exit code, one JSON object."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from command import Done
from cycle_states import STATES, Reach

from service.cli import COMMANDS
from service.exit_codes import ExitCode

AWAITING = ("awaiting_approval", "edited_meanwhile")
OPEN_ITEMS = ("capability", "evaluator", "budget", "budget_in_validation", "inconclusive", "proposed_again")
ANSWERED = ("dismissed", "corrected", "retried", "forced")
CHANGED = ("applied", "forced", "edited_meanwhile", "stale")
"""States in which the task has an earlier version to go back to."""
NO_CYCLES = ("no_failures", "failures_open")
RESOLVED = dict.fromkeys(ANSWERED, 1) | dict.fromkeys(OPEN_ITEMS, 0)
ANSWERABLE = dict.fromkeys(NO_CYCLES, 2) | dict.fromkeys(AWAITING, 0)


class Use(NamedTuple):
    """A command line, `{id}` for the cycle's id; its exit code, in some states another one."""

    line: str
    code: int
    elsewhere: dict[str, int] = {}

    def code_at(self, state: str) -> int:
        return self.elsewhere.get(state, self.code)


READS = (
    Use("inbox", 0),
    Use("show {id}", 0, dict.fromkeys(NO_CYCLES, 2)),
    Use("failures desk", 0),
    Use("failures desk --status=", 0),
    Use("history desk", 0),
    Use("audit", 0),
    Use("audit desk --verify", 0),
    Use("cases list desk", 0),
    Use("eval desk", 0),
    Use("doctor", 0, {"evaluator": 1}),
    Use("cases remove desk c1", 2),
    Use("init .", 2),
    Use("try desk task_prompts.json", ExitCode.NOTHING_TO_DO),
    Use("demo", 2),
)
AWAY_FROM_CYCLES = (
    Use("run desk Hello --expected=Hi", 0),
    Use("cases add desk --input=Hello{n} --expected=Hi", 0),
    Use("calibrate desk labels.jsonl", 0),
    Use("failures desk --export=failures{n}.jsonl", 0),
    Use("init new{n}", 0),
)
ON_CYCLES = (
    Use("improve desk --no-collect", 0),
    Use("approve {id} --reviewer=ada", 1, ANSWERABLE | {"edited_meanwhile": 1}),
    Use("approve {id} --prompt-file=own.txt", 1, ANSWERABLE),
    Use("reject {id} --reason=no", 1, ANSWERABLE),
    Use("reject {id} --feedback=shorter", 1, ANSWERABLE),
    Use("resolve {id} dismiss", 2, RESOLVED),
    Use("resolve {id} correct --expected=Hi", 2, dict.fromkeys(ANSWERED, 1) | {"capability": 0}),
    Use("resolve {id} retry --hint=guess", 2, RESOLVED),
    Use("resolve {id} force --reason=please", 2, dict.fromkeys(ANSWERED, 1) | {"inconclusive": 0}),
    Use("rollback desk", 2, dict.fromkeys(CHANGED, 0)),
)
GOES_LIVE = ("approve", "resolve {id} force", "rollback")


class At:
    """The command at one state; what it did is checked for what holds of every command."""

    def __init__(self, reach: Reach, state: str) -> None:
        self._reach = reach
        self.state = state
        self._cycle_id = self.start()

    def start(self) -> str:
        """Go (back) to the state."""
        cycle_id = self._reach(self.state)
        folder = self._reach.desk.folder
        (folder / "own.txt").write_text("Answer in one word.\n")
        (folder / "labels.jsonl").write_text('{"input": "Hello", "expected": "Hi", "label": "prompt"}\n')
        return cycle_id

    @property
    def _prompts(self) -> Path:
        return self._reach.desk.folder / "task_prompts.json"

    def run(self, use: Use, *more: str) -> Done:
        """Run it; a traceback ends the test by itself, as the command is in this process."""
        before = self._prompts.read_bytes()
        done = self._reach.desk.ratchet(*(word.format(id=self._cycle_id) for word in use.line.split()), *more)
        where = f"`ratchet {use.line}` at {self.state}: {done.out}{done.err}"
        assert done.code == use.code_at(self.state), where
        assert done.code == 0 or bool(done.err) or bool(done.out), where
        assert done.code == 0 or "Error: " not in done.err, where
        if not use.line.startswith(GOES_LIVE) or done.code:
            assert self._prompts.read_bytes() == before, where
        return done

    def check_json(self, use: Use) -> None:
        """With --json standard output is one object on one line, or, where the answer is no, nothing."""
        done = self.run(use, "--json")
        if done.out or done.code == 0:
            (line,) = done.out.splitlines()
            assert isinstance(json.loads(line), dict), line

    def check_text(self, use: Use) -> None:
        """Without, it is for people: no object of the program shows through."""
        done = self.run(use)
        assert done.out or done.code, use.line
        assert not any(words in done.out for words in ("{'", "None", "Traceback", "<ratchet.")), done.out


def changes(use: Use, state: str) -> bool:
    """Whether it has an effect there. To approve what is out of date has one, though the answer is no: it is closed."""
    return use in ON_CYCLES and (use.code_at(state) == 0 or (state, use.line[:7]) == ("edited_meanwhile", "approve"))


@pytest.mark.parametrize("state", STATES)
def test_reading_and_refused_commands_change_nothing(reach: Reach, state: str) -> None:
    def stored() -> list[object]:
        tables = ("cycles", "proposals", "versions", "reviews", "audit", "cases", "failures")
        return [reach.desk.store(f"SELECT * FROM {table} ORDER BY 1") for table in tables]

    at = At(reach, state)
    at.run(Use("history desk", 0))  # what was edited in the file meanwhile is noted by whatever looks first
    before = stored()
    for use in READS:
        at.check_text(use)
    for use in (*READS, *(use for use in ON_CYCLES if not changes(use, state))):
        at.check_json(use)
        assert stored() == before, use.line


@pytest.mark.parametrize("state", STATES)
def test_command_that_changes_something_else_than_the_cycle(reach: Reach, state: str) -> None:
    at = At(reach, state)
    for use in AWAY_FROM_CYCLES:
        at.check_text(use._replace(line=use.line.replace("{n}", "1")))
        at.check_json(use._replace(line=use.line.replace("{n}", "2")))


@pytest.mark.parametrize(
    ("use", "state"),
    [
        pytest.param(use, state, id=f"{use.line.replace(' {id}', '')} at {state}")
        for use in ON_CYCLES
        for state in STATES
        if changes(use, state)
    ],
)
def test_command_that_changes_the_cycle(reach: Reach, use: Use, state: str) -> None:
    at = At(reach, state)
    at.check_text(use)
    at.start()
    at.check_json(use)


def test_every_command_is_used_here() -> None:
    assert COMMANDS.keys() == {use.line.split()[0] for use in READS + AWAY_FROM_CYCLES + ON_CYCLES}
