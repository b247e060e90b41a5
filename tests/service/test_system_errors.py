"""What the system refuses, met by real commands in processes of their own."""

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Done
from cycle_states import Reach
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import OperationalError

from service.system_errors import sentence_of

REPOSITORY = Path(__file__).parents[2]
MAIN = "from service.cli import main; main()"
QUICK = f"import ratchet.store.database as d; d.BUSY_SECONDS = 0.2; {MAIN}"


def locked() -> sqlite3.OperationalError:
    return sqlite3.OperationalError("database is locked")


def validation_error() -> ValidationError:
    class Kept(BaseModel):
        id: str

    with pytest.raises(ValidationError) as caught:
        Kept.model_validate({})
    return caught.value


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (locked(), "database: database is locked; another process is writing; try again when it has ended"),
        (OperationalError("BEGIN", {}, locked()), "database: database is locked; another process is writing"),
        (sqlite3.OperationalError("database or disk is full"), "database: database or disk is full; make room on the"),
        (sqlite3.DatabaseError("database disk image is malformed"), "; put back a copy"),
        (OperationalError("SELECT 1", {}, RuntimeError("server closed")), "database: server closed"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a\udcff.json"), "a\\udcff.json: No such file"),
        (OSError(errno.ENOSPC, "No space left on device"), "could not be read or written: No space left on device"),
        (UnicodeDecodeError("utf-8", b"abc\xff", 3, 4, "invalid start byte"), "is not UTF-8 text (byte 3)"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), "a text cannot be written here"),
        (validation_error(), "what is stored does not fit together: Kept: id is missing"),
    ],
)
def test_error_is_one_sentence_that_every_terminal_can_show(error: Exception, sentence: str) -> None:
    told = sentence_of(error) or ""
    assert sentence in told
    assert len(told.splitlines()) == 1
    told.encode("ascii")


@pytest.mark.parametrize("error", [KeyError("x"), AttributeError("x"), ValueError("x"), AssertionError(), None])
def test_fault_of_ratchet_is_told_otherwise(error: Exception | None) -> None:
    assert sentence_of(error) is None


@pytest.fixture
def command(project: Path, environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs a command in a process of its own."""

    def run(*arguments: Any, code: str = MAIN, **options: Any) -> subprocess.CompletedProcess[bytes]:
        own = options.pop("env", {})
        given = {"cwd": project, "stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, "timeout": 60} | options
        given.setdefault("stdout", subprocess.PIPE)
        env = environment | {"PYTHONPATH": str(REPOSITORY)} | own
        return subprocess.run([sys.executable, "-c", code, *arguments], env=env, check=False, **given)

    return run


def one_line(done: subprocess.CompletedProcess[bytes], *words: str) -> None:
    told = done.stderr.decode()
    assert done.returncode == 2, told
    assert len(told.splitlines()) == 1, told
    assert all(word in told for word in ("error:", *words)), told


def test_locked_database_is_told(project: Path, command: Any) -> None:
    assert command("inbox").returncode == 0
    other = sqlite3.connect(project / ".ratchet/ratchet.sqlite", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        for arguments in (("run", "desk", "hello"), ("rollback", "desk")):
            one_line(command(*arguments, code=QUICK), "database is locked", "try again")
    finally:
        other.close()
    assert command("run", "desk", "hello").returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
@pytest.mark.parametrize("arguments", [("inbox", "--json"), ("history", "desk"), ("--version",), ("--help",)])
def test_output_that_cannot_be_written_is_told(command: Any, arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        one_line(command(*arguments, stdout=full), "No space left on device")


def test_reader_that_has_gone_away_is_no_error(command: Any) -> None:
    given, taken = os.pipe()
    os.close(given)
    try:
        done = command("history", "desk", "--json", stdout=taken)
    finally:
        os.close(taken)
    assert done.stderr == b""


def test_closed_output_keeps_no_command_from_its_work(command: Any) -> None:
    code = f"import sys; sys.stdout = None; {MAIN}"
    for arguments in (("inbox", "--json"), ("run", "desk", "hello"), ("history", "desk")):
        assert command(*arguments, code=code).stderr == b""


def test_working_directory_that_is_gone_is_told(tmp_path: Path, command: Any) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"import os, shutil; import service.cli; shutil.rmtree({str(gone)!r}); {MAIN}"
    for arguments in (("inbox",), ("run", "desk", "hello"), ("history", "desk")):
        gone.mkdir(exist_ok=True)
        one_line(command(*arguments, code=code, cwd=gone))


@pytest.mark.parametrize("given", [b"\xff\xfe", b"What is \xe9?", bytes(range(128, 256))])
def test_bytes_that_are_no_text_are_told(command: Any, given: bytes) -> None:
    done = command("run", "desk", "-", stdin=None, input=given, env={"PYTHONIOENCODING": "utf-8:strict"})
    one_line(done, "not UTF-8 text")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", b"C\xff"),
        ("approve", b"C-\xfe"),
        ("run", b"des\xff", "hello"),
        ("rollback", "desk", "--reason", b"\xff"),
        ("rollback", "desk", "99999999999999999999999"),
        ("rollback", "desk", "--", "-3"),
        ("cases", "add", "desk", "--input", "a", "--expected-json", '["\\udfff"]'),
        ("cases", "add", "desk", "--input", "a", "--expected-json", "[" + "4" * 4500 + "]"),
        ("cases", "add", "desk", "--input", "a", "--expected-json", '["", "b"]'),
        ("init", "script.json/below"),
        ("init", "/proc/self/fd"),
        ("audit", "nosuch"),
        ("audit", "nosuch", "--json"),
    ],
)
def test_odd_argument_is_told(ratchet: Callable[..., Done], arguments: tuple[str | bytes, ...]) -> None:
    assert ratchet("history", "desk").code == 0
    done = ratchet(*(os.fsdecode(argument) for argument in arguments))
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err


@pytest.mark.parametrize("revision", ["0999", "from the future", ""])
def test_database_of_a_newer_release_is_told(project: Path, command: Any, revision: str) -> None:
    assert command("inbox").returncode == 0
    with sqlite3.connect(project / ".ratchet/ratchet.sqlite") as database:
        database.execute("UPDATE alembic_version SET version_num = ?", [revision])
    one_line(command("inbox"), "is unknown to this release", "install")


@pytest.mark.parametrize(
    ("column", "value"), [("cycles.document", "{"), ("cycles.document", "[]"), ("proposals.document", "null")]
)
def test_damaged_row_is_told(reach: Reach, column: str, value: str) -> None:
    cycle_id = reach("awaiting_approval")
    table, name = column.split(".")
    reach.desk.store(f"UPDATE {table} SET {name} = ?", value)
    done = reach.desk.ratchet("approve", cycle_id)
    assert done.code == 2
    assert "put back a copy of the database" in done.err
    assert len(done.err.splitlines()) == 1


def test_rollback_to_what_is_in_force_makes_no_version(reach: Reach) -> None:
    reach("applied")
    ratchet = reach.desk.ratchet
    assert ratchet("rollback", "desk", "2").code == 2
    assert ratchet("rollback", "desk", "1").code == 0
    for version in ("1", "3"):
        done = ratchet("rollback", "desk", version)
        assert (done.code, "is in force already, as version 3" in done.err) == (2, True)
    assert len(reach.desk.store("SELECT number FROM versions")) == 3
    assert ratchet("rollback", "desk", "2").code == 0


def test_audit_of_a_removed_task_is_shown(reach: Reach) -> None:
    reach("applied")
    (reach.desk.folder / "tasks/desk").rename(reach.desk.folder / "kept")
    assert reach.desk.ratchet("audit", "desk").code == 0
