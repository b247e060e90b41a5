"""What the system refuses, in one sentence for a person: files, databases, and bytes that are no text."""

import os
import sqlite3

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from ratchet.config.files import first_problem

_WHAT_TO_DO = (
    ("locked", "another process is writing; try again when it has ended"),
    ("full", "make room on the disk and try again"),
    ("readonly", "make the files in RATCHET_HOME writable"),
    ("malformed", "put back a copy of the file from before"),
)


def sentence_of(error: BaseException | None) -> str | None:
    """What is no fault of Ratchet as a sentence that says what to do, where that is known; None for all else."""
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
    return _sentence_of_files(error) if isinstance(error, OSError) else None


def _sentence_of_files(error: OSError) -> str:
    why = error.strerror or str(error)
    if error.filename is not None:
        return f"{ascii(os.fsdecode(error.filename))[1:-1]}: {why}"
    try:
        os.getcwd()
    except OSError:
        return f"the working directory is gone or closed ({why}); change into another one"
    return f"something could not be read or written: {why}; what the command had done until then is kept"
