"""What the system refuses, in one sentence for a person: files, databases, and bytes that are no text."""

import os
import sqlite3
import sys
from typing import TextIO

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from ratchet.config.files import first_problem

SYSTEM_ERRORS = (OSError, DBAPIError, sqlite3.Error, UnicodeError, ValidationError)
"""Those that are no fault of Ratchet, and that no command can do anything about."""
_WHAT_TO_DO = (
    ("locked", "another process is writing; try again when it has ended"),
    ("full", "make room on the disk and try again"),
    ("readonly", "make the files in RATCHET_HOME writable"),
    ("malformed", "put back a copy of the file from before"),
)


def sentence_of(error: BaseException) -> str:
    """One of `SYSTEM_ERRORS` as a sentence that says what to do, where that is known."""
    if isinstance(error, DBAPIError):
        return sentence_of(error.orig) if isinstance(error.orig, sqlite3.Error) else f"database: {error.orig or error}"
    if isinstance(error, sqlite3.Error):
        told = str(error).strip()
        hints = [f"; {what}" for word, what in _WHAT_TO_DO if word in told]
        return f"database: {told}{hints[0] if hints else ''}"
    if isinstance(error, UnicodeDecodeError):
        return f"what was read is not UTF-8 text (byte {error.start})"
    if isinstance(error, UnicodeError):
        return f"a text cannot be written here: {ascii(str(error))[1:-1]:.200}"
    if isinstance(error, ValidationError):
        return f"what is stored does not fit together: {error.title}: {first_problem(error)}"
    return _sentence_of_files(error) if isinstance(error, OSError) else str(error)


def _sentence_of_files(error: OSError) -> str:
    why = error.strerror or str(error)
    if error.filename is not None:
        return f"{ascii(os.fsdecode(error.filename))[1:-1]}: {why}"
    try:
        os.getcwd()
    except OSError:
        return f"the working directory is gone or closed ({why}); change into another one"
    return f"something could not be read or written: {why}; what the command had done until then is kept"


def open_output() -> None:
    """Let a command print where whoever started it has closed the output: into nothing."""
    given: TextIO | None = sys.stdout
    if given is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends


def flush_output() -> None:
    """Write what is left to write now, where a failure can still be told. A reader that has gone away is none.

    Raises:
        OSError: it cannot be written. What is left is given up, so that Python does not try once more at its end.
    """
    stream = sys.stdout
    try:
        stream.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise
