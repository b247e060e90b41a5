"""What exit codes say."""

from typing import get_args

import pytest

from nodes.state import OutcomeStatus
from ratchet.errors import (
    AlreadyDecidedError,
    BudgetError,
    ConfigurationError,
    InputError,
    ModelUnavailableError,
    RatchetError,
    RefusalError,
    SourceError,
    StaleBaseError,
    UnknownTaskError,
)
from ratchet.store.statuses import CycleStatus
from service.exit_codes import MEANINGS, ExitCode, code_of_error, code_of_status, most_urgent, told_code


def test_numbers_never_change() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0, "NO": 1, "WRONG_USE": 2, "WAITS": 3, "NOTHING_TO_DO": 4, "NOT_PROVEN": 5, "FAILED": 6, "FAULT": 70,
        "INTERRUPTED": 130,
    }  # fmt: skip
    assert MEANINGS.keys() == set(ExitCode)


def test_what_a_timer_has_to_tell_apart_differs() -> None:
    apart = ("applied", "awaiting_approval", "nothing_to_do", "escalated", "stale")
    assert len({code_of_status(status) for status in apart} | {code_of_error(ModelUnavailableError("x"))}) == 6


@pytest.mark.parametrize("status", [*get_args(CycleStatus), *get_args(OutcomeStatus)])
def test_every_status_has_the_code_that_it_means(status: str) -> None:
    done = {"applied", "rejected", "passed", "logged"}
    assert (code_of_status(status) is ExitCode.DONE) == (status in done)


@pytest.mark.parametrize("status", ["awaiting_approval", "nothing_to_do", "running", "escalated", "inconclusive"])
def test_what_went_as_it_should_is_done_unless_more_is_asked_for(status: str) -> None:
    assert told_code(status, False) is ExitCode.DONE
    assert told_code(status, True) is code_of_status(status) is not ExitCode.DONE


@pytest.mark.parametrize("status", ["stale", "conflict"])
def test_no_is_no_for_everybody(status: str) -> None:
    assert told_code(status, False) is told_code(status, True) is ExitCode.NO


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AlreadyDecidedError, ExitCode.NO), (RefusalError, ExitCode.NO), (StaleBaseError, ExitCode.NO),
        (ConfigurationError, ExitCode.WRONG_USE), (UnknownTaskError, ExitCode.WRONG_USE),
        (InputError, ExitCode.WRONG_USE), (ModelUnavailableError, ExitCode.FAILED), (BudgetError, ExitCode.FAILED),
        (SourceError, ExitCode.FAILED), (RatchetError, ExitCode.FAILED),
    ],
)  # fmt: skip
def test_error_has_the_code_of_its_kind(error: type[RatchetError], code: ExitCode) -> None:
    assert code_of_error(error("x")) is code


def test_most_urgent_of_several_counts() -> None:
    assert most_urgent([ExitCode.NOTHING_TO_DO, ExitCode.WAITS, ExitCode.DONE]) is ExitCode.WAITS
    assert most_urgent([ExitCode.WAITS, ExitCode.FAILED, ExitCode.NOT_PROVEN]) is ExitCode.FAILED
    assert most_urgent([ExitCode.NOTHING_TO_DO] * 2) is ExitCode.NOTHING_TO_DO
    assert most_urgent([]) is ExitCode.DONE
