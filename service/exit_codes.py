"""What a command's exit code says, for scripts and timers: each number keeps its meaning."""

from collections.abc import Iterable
from enum import IntEnum

from ratchet.errors import (
    AlreadyDecidedError,
    ConfigurationError,
    InputError,
    RatchetError,
    RefusalError,
    StaleBaseError,
)

_ANSWER_IS_NO = (AlreadyDecidedError, RefusalError, StaleBaseError)
_WRONG_USE = (ConfigurationError, InputError)


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    NO = 1
    WRONG_USE = 2
    WAITS = 3
    NOTHING_TO_DO = 4
    NOT_PROVEN = 5
    FAILED = 6
    FAULT = 70
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done: what was asked for is printed, answered, applied or proven",
    ExitCode.NO: "the answer is no: somebody was faster, the change is vetoed or worse, a check found something",
    ExitCode.WRONG_USE: "wrong use or configuration; nothing was changed",
    ExitCode.WAITS: "a change waits for approval",
    ExitCode.NOTHING_TO_DO: "nothing to do: no failure may be worked on, or another process works on it",
    ExitCode.NOT_PROVEN: "ended without a proven change; what was found out is in the inbox",
    ExitCode.FAILED: "failed on the way: a model did not answer or the calls are used up; what was paid for is kept, "
    "the same command goes on",
    ExitCode.FAULT: "a fault of Ratchet, with a traceback",
    ExitCode.INTERRUPTED: "ended by Ctrl-C; what was paid for is kept",
}
"""In a sentence each."""

_STATUSES = {
    "awaiting_approval": ExitCode.WAITS,
    "nothing_to_do": ExitCode.NOTHING_TO_DO,
    "running": ExitCode.NOTHING_TO_DO,
    "waiting": ExitCode.NOTHING_TO_DO,
    "gave_way": ExitCode.NOTHING_TO_DO,
    "escalated": ExitCode.NOT_PROVEN,
    "inconclusive": ExitCode.NOT_PROVEN,
    "stale": ExitCode.NO,
    "conflict": ExitCode.NO,
    "unscored": ExitCode.NO,
}
_FINER = (ExitCode.WAITS, ExitCode.NOTHING_TO_DO, ExitCode.NOT_PROVEN)
"""Nothing went wrong, so that a script that stops at errors must not stop there by itself."""
_URGENT = (
    ExitCode.FAULT,
    ExitCode.WRONG_USE,
    ExitCode.FAILED,
    ExitCode.NO,
    ExitCode.WAITS,
    ExitCode.NOT_PROVEN,
    ExitCode.DONE,
    ExitCode.NOTHING_TO_DO,
)
"""Which of several counts, the first first."""


def code_of_status(status: str) -> ExitCode:
    """The code of how a cycle, or an answer to one, ended."""
    return _STATUSES.get(status, ExitCode.DONE)


def told_code(status: str, asked: bool) -> ExitCode:
    """The code of a status; where the finer ones were not `asked` for, what went as it should is done."""
    code = code_of_status(status)
    return code if asked or code not in _FINER else ExitCode.DONE


def code_of_error(error: RatchetError) -> ExitCode:
    """The code of an error."""
    if isinstance(error, _ANSWER_IS_NO):
        return ExitCode.NO
    return ExitCode.WRONG_USE if isinstance(error, _WRONG_USE) else ExitCode.FAILED


def most_urgent(codes: Iterable[ExitCode]) -> ExitCode:
    """The one that counts where a command did several things; done where it did none."""
    found = set(codes)
    return next((code for code in _URGENT if code in found), ExitCode.DONE)
