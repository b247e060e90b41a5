import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ratchet.cycles.owner import process_is_gone, process_name


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing until its input ends."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def name_of(pid: int, start: str = "") -> str:
    return f"{process_name().split(':')[0]}:{pid}:{start}"


def test_process_at_work_is_not_gone(other: subprocess.Popen[bytes]) -> None:
    assert not process_is_gone(process_name())
    assert not process_is_gone(name_of(other.pid))
    assert not process_is_gone(name_of(other.pid).rstrip(":"))


def test_process_that_was_killed_is_gone(other: subprocess.Popen[bytes]) -> None:
    other.kill()
    other.wait()
    assert process_is_gone(name_of(other.pid))


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="the system has no /proc")
def test_dead_process_that_nobody_waited_for_is_gone(other: subprocess.Popen[bytes]) -> None:
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    os.kill(other.pid, 0)
    assert process_is_gone(name_of(other.pid))


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="the system has no /proc")
def test_process_whose_id_another_one_has_now_is_gone() -> None:
    host, pid, start = process_name().split(":")
    assert process_is_gone(f"{host}:{pid}:{int(start) - 1}")


@pytest.mark.parametrize(("name", "gone"), [("", True), ("elsewhere:1:2", False), ("elsewhere:1", False), ("x", False)])
def test_process_of_another_machine_is_never_known_to_be_gone(name: str, gone: bool) -> None:
    assert process_is_gone(name) is gone
