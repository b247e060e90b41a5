"""The states that a cycle passes through, each reached by commands as a person would reach it."""

import asyncio
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command import Done

from ratchet.cycles.owner import process_name
from service.exit_codes import ExitCode

NO_CYCLE = "C-0"
PRICE = "What is the price of item001?"
REPAIR = "What is the price of the repair?"
CANARY = f'\n[canary]\ninput = "{PRICE}"\noutput = "101 coins"\nexpected = "101 coins"\n'


class Desk(NamedTuple):
    """The project of the service's tests, its command, and the environment to change for a while."""

    folder: Path
    ratchet: Callable[..., Done]
    environment: pytest.MonkeyPatch

    def improve(self, **settings: str) -> str:
        """The id of the cycle that `ratchet improve` has run, under these settings."""
        with self.environment.context() as changed:
            for name, value in settings.items():
                changed.setenv(name, value)
            done = self.ratchet("improve", "desk", "--json")
        return str(done.json["cycle_id"]) if done.out else self._cycle()

    def fail(self, text: str = PRICE, expected: str = "101 coins") -> None:
        """Serve a run that fails."""
        self.done("run", "desk", text, "--expected", expected)

    def done(self, *arguments: str) -> None:
        """Run a command that has to do what it was asked, whatever came of it."""
        done = self.ratchet(*arguments)
        assert done.code in (ExitCode.DONE, ExitCode.WAITS, ExitCode.NOT_PROVEN), done.err

    def store(self, sql: str, *values: Any) -> list[Any]:
        """Read or change the database behind the command's back, as another process would."""
        with sqlite3.connect(self.folder / ".ratchet" / "ratchet.sqlite") as connection:
            return connection.execute(sql, values).fetchall()

    def _cycle(self) -> str:
        ((cycle_id,),) = self.store("SELECT id FROM cycles")
        return str(cycle_id)


def no_failures(desk: Desk) -> str:
    desk.done("history", "desk")
    return NO_CYCLE


def failures_open(desk: Desk) -> str:
    desk.fail()
    return NO_CYCLE


def stopped(desk: Desk) -> str:
    """The process ended in the middle of the cycle, and let it go."""
    desk.fail()
    away = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "RATCHET_RETRIES": "0"}
    return desk.improve(RATCHET_AGENT_MODEL="openai:x", **away)


def running(desk: Desk) -> str:
    """Another process is at work on the cycle."""
    cycle_id = stopped(desk)
    host = asyncio.run(asyncio.to_thread(process_name)).split(":")[0]
    owner = f"{host}:{os.getppid()}:"
    desk.store("UPDATE cycles SET document = json_set(document, '$.owner', ?)", owner)
    return cycle_id


def gave_way(desk: Desk) -> str:
    cycle_id = stopped(desk)
    desk.store("UPDATE cycles SET status = 'gave_way'")
    return cycle_id


def awaiting_approval(desk: Desk) -> str:
    desk.fail()
    return desk.improve()


def edited_meanwhile(desk: Desk) -> str:
    """Somebody has written another prompt into the file while the change waited."""
    cycle_id = awaiting_approval(desk)
    (desk.folder / "task_prompts.json").write_text('{"desk": "Mine."}\n')
    return cycle_id


def proposed_again(desk: Desk) -> str:
    """The first proposal was rejected with feedback; the next one was not proven, or waits."""
    cycle_id = awaiting_approval(desk)
    desk.done("reject", cycle_id, "--feedback", "be brief")
    return cycle_id


def applied(desk: Desk) -> str:
    cycle_id = awaiting_approval(desk)
    desk.done("approve", cycle_id, "--reviewer", "ada")
    return cycle_id


def rejected(desk: Desk) -> str:
    cycle_id = awaiting_approval(desk)
    desk.done("reject", cycle_id, "--reviewer", "bob", "--reason", "not now")
    return cycle_id


def stale(desk: Desk) -> str:
    cycle_id = edited_meanwhile(desk)
    assert desk.ratchet("approve", cycle_id).code == 1
    return cycle_id


def rolled_back(desk: Desk) -> str:
    cycle_id = applied(desk)
    desk.done("rollback", "desk", "--reviewer", "ada")
    return cycle_id


def capability(desk: Desk) -> str:
    desk.fail(REPAIR, "free of charge")
    return desk.improve()


def evaluator(desk: Desk) -> str:
    """The canary passes: the evaluator is not to be trusted."""
    desk.fail()
    with (desk.folder / "tasks/desk/task.toml").open("a") as file:
        file.write(CANARY)
    return desk.improve()


def budget(desk: Desk) -> str:
    desk.fail()
    return desk.improve(RATCHET_MAX_CALLS="0")


def budget_in_validation(desk: Desk) -> str:
    desk.fail()
    return desk.improve(RATCHET_MAX_CALLS="12")


def inconclusive(desk: Desk) -> str:
    """One held-out case proves nothing."""
    file = desk.folder / "tasks/desk/cases.jsonl"
    cases = [json.loads(line) for line in file.read_text().splitlines()]
    kept = [case for case in cases if case["split"] == "train" or case["id"] == "c0"]
    file.write_text("".join(json.dumps(case) + "\n" for case in kept))
    desk.fail()
    return desk.improve()


def dismissed(desk: Desk) -> str:
    cycle_id = capability(desk)
    desk.done("resolve", cycle_id, "dismiss", "--reason", "we repair nothing")
    return cycle_id


def corrected(desk: Desk) -> str:
    cycle_id = capability(desk)
    desk.done("resolve", cycle_id, "correct", "--expected", "8 coins")
    return cycle_id


def retried(desk: Desk) -> str:
    cycle_id = capability(desk)
    desk.done("resolve", cycle_id, "retry", "--hint", "say what repairs cost")
    return cycle_id


def forced(desk: Desk) -> str:
    cycle_id = inconclusive(desk)
    desk.done("resolve", cycle_id, "force", "--reason", "one case is all we have")
    return cycle_id


STATES: dict[str, Callable[[Desk], str]] = {
    state.__name__: state
    for state in (
        no_failures, failures_open, stopped, running, gave_way, awaiting_approval, edited_meanwhile, proposed_again,
        applied, rejected, stale, rolled_back, capability, evaluator, budget, budget_in_validation, inconclusive,
        dismissed, corrected, retried, forced,
    )
}  # fmt: skip
"""By name; each brings the project there and returns the id of its cycle."""


class Reach:
    """Brings a project to a state, any number of times: a state is made once in a session and copied from then on."""

    def __init__(self, desk: Desk, kept: Path, cycles: dict[str, str]) -> None:
        self.desk = desk
        self._kept = kept
        self._cycles = cycles
        if not (kept / "new").exists():
            shutil.copytree(desk.folder, kept / "new")

    def __call__(self, state: str) -> str:
        """The id of the state's cycle."""
        if state not in self._cycles:
            self._start_from("new")
            self._cycles[state] = STATES[state](self.desk)
            shutil.copytree(self.desk.folder, self._kept / state)
        self._start_from(state)
        return self._cycles[state]

    def _start_from(self, state: str) -> None:
        for path in self.desk.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self._kept / state, self.desk.folder, dirs_exist_ok=True)
